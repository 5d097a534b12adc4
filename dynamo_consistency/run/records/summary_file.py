"""What `summary.json` of a run says, whatever state its file is in."""

from typing import Any

from dynamo_consistency.errors import DamagedError
from dynamo_consistency.run.store.damage import tell_damage
from dynamo_consistency.run.store.run_directory import SUMMARY, RunDirectory

UNFINISHED = "Unfinished"
"""The result of a run that is still going on, or that died."""
UNREADABLE = "Unreadable"
"""The result of a run whose summary is damaged. It counts as not complete."""

_OF_ALL = {"result": str, "reason": str, "counts": dict, "gates": list, "actions": dict}


def read_summary(run: RunDirectory) -> dict[str, Any]:
    """The summary of a run; of one without it, or with one that is damaged, what is known without it.

    Result, reason, counts, gates and actions are always there. Raises ConsistencyError when the store cannot be read.
    """
    try:
        if not run.exists(SUMMARY):
            return _without(run, UNFINISHED, "")
        summary = run.read_json(SUMMARY)
        if not isinstance(summary, dict) or not all(isinstance(summary.get(key), _OF_ALL[key]) for key in _OF_ALL):
            raise DamagedError(f"{run.url}/{SUMMARY} is damaged: it is not the summary of a run")
    except DamagedError as error:
        tell_damage(run, str(error))
        return _without(run, UNREADABLE, str(error))
    return _without(run, UNFINISHED, "") | summary


def _without(run: RunDirectory, result: str, reason: str) -> dict[str, Any]:
    known = {"site": run.site, "runId": run.run_id, "result": result, "reason": reason}
    return known | {"counts": {}, "gates": [], "actions": {}}
