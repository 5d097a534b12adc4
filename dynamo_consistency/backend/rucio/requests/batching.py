"""Requests to a server that takes all of a call or nothing, and whose answers may get lost.

Before anything is asked for again, it is looked up what has arrived.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from dynamo_consistency.backend.contract import Outcome
from dynamo_consistency.backend.rucio.rest.client import AnswerError, LostAnswerError

CALL = 500
"""Files in one call."""

Wanted = TypeVar("Wanted")

Judge = Callable[[Sequence[bytes]], Mapping[bytes, Outcome | Wanted]]
"""What the catalogue says now: the outcome of each file, or what is to be asked for it."""

Send = Callable[[Mapping[bytes, Wanted]], Mapping[bytes, Outcome]]
"""One call: the outcome of each file. Raises AnswerError when none was taken, LostAnswerError when nobody knows."""


def settle(files: Sequence[bytes], judge: Judge[Wanted], send: Send[Wanted]) -> dict[bytes, Outcome]:
    """Judge the files and ask for what is left, a call at a time; one outcome for each of them."""
    outcomes: dict[bytes, Outcome] = {}
    for start in range(0, len(files), CALL):
        settled, wanted = _judged(judge, files[start : start + CALL])
        outcomes |= settled | _send(wanted, judge, send, again=True)
    return outcomes


def _send(
    wanted: Mapping[bytes, Wanted], judge: Judge[Wanted], send: Send[Wanted], again: bool
) -> dict[bytes, Outcome]:
    if not wanted:
        return {}
    try:
        return dict(send(wanted))
    except LostAnswerError:
        if not again:
            raise
        settled, left = _judged(judge, list(wanted))
        arrived = {path: one._replace(outcome="requested") for path, one in settled.items() if one.outcome == "waiting"}
        return settled | arrived | _send(left, judge, send, again=False)
    except AnswerError as error:
        if (error.status, error.kind) != (500, "DatabaseException"):
            raise
        return _spoilt(wanted, judge, send, again, error)


def _spoilt(
    wanted: Mapping[bytes, Wanted], judge: Judge[Wanted], send: Send[Wanted], again: bool, error: AnswerError
) -> dict[bytes, Outcome]:
    """One file that the server's database does not take spoils a call: halve it until that one is alone."""
    settled, left = _judged(judge, list(wanted))
    if len(left) == 1 and len(wanted) == 1:
        (path,) = left
        return {path: Outcome(path, "refused", f"Rucio's database does not take it: {error}")}
    parts = [left]
    if len(left) == len(wanted):
        items = iter(left.items())
        parts = [dict(islice(items, len(left) // 2)), dict(items)]
    for part in parts:
        settled |= _send(part, judge, send, again)
    return settled


def _judged(judge: Judge[Wanted], files: Sequence[bytes]) -> tuple[dict[bytes, Outcome], dict[bytes, Wanted]]:
    settled: dict[bytes, Outcome] = {}
    wanted: dict[bytes, Wanted] = {}
    for path, verdict in judge(files).items():
        if isinstance(verdict, Outcome):
            settled[path] = verdict
        else:
            wanted[path] = verdict
    return settled, wanted
