"""Seven gates between a finding and a request, evaluated after the comparison and again by the action."""

from dynamo_consistency.run.gates.facts import Facts, gather
from dynamo_consistency.run.gates.gates import Gate, all_ready, evaluate

__all__ = ["Facts", "Gate", "all_ready", "evaluate", "gather"]
