"""The action stage: the only place from which a request reaches a registry (`requests.py`), behind all gates."""

from dynamo_consistency.run.action.action import act

__all__ = ["act"]
