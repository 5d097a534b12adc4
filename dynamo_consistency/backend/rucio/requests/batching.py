"""Requests to a server that takes all of a call or nothing, and whose answers may get lost.

Why: a run asks for many thousand files, and a call for each would take hours. So files go together, but a call is one
transaction at the server: one file that its database does not take rolls back all of them, and the answer does not
reliably say which file it was. And a connection may break after the server has committed.

Problem: each file needs an outcome of its own, and a call must not be repeated blindly: a replica that has come back
in between would be declared bad again. So what the catalogue says of each file is looked up (`Decide`) before every
attempt, and only what is still to be asked for is sent:

* the answer was lost: look up what has arrived, send the rest once more, and give up at the second loss;
* the server's database failed: halve the call until the file that spoils it is alone, and refuse that one;
* any other refusal concerns the account or the RSE and not a file: it is raised, and nothing is sent again.

Rejected: retries inside the HTTP client, which cannot see whether the first attempt was carried out; and finding the
file by the text of the error, which differs between databases and versions.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from dynamo_consistency.backend.contract import Outcome
from dynamo_consistency.backend.rucio.rest.client import AnswerError, LostAnswerError

CALL = 500
"""Files in one call."""

Wanted = TypeVar("Wanted")

Decide = Callable[[Sequence[bytes]], Mapping[bytes, Outcome | Wanted]]
"""What the catalogue says now: the outcome of each file, or what is to be asked for it."""

Send = Callable[[Mapping[bytes, Wanted]], Mapping[bytes, Outcome]]
"""One call: the outcome of each file. Raises AnswerError when none was taken, LostAnswerError when nobody knows."""


def settle(files: Sequence[bytes], decide: Decide[Wanted], send: Send[Wanted]) -> dict[bytes, Outcome]:
    """Decide on the files and ask for what is left, a call at a time; one outcome for each of them."""
    outcomes: dict[bytes, Outcome] = {}
    for start in range(0, len(files), CALL):
        settled, wanted = _decided(decide, files[start : start + CALL])
        outcomes |= settled | _send(wanted, decide, send, again=True)
    return outcomes


def _send(
    wanted: Mapping[bytes, Wanted], decide: Decide[Wanted], send: Send[Wanted], again: bool
) -> dict[bytes, Outcome]:
    if not wanted:
        return {}
    try:
        return dict(send(wanted))
    except LostAnswerError:
        if not again:
            raise
        settled, left = _decided(decide, list(wanted))
        arrived = {path: one._replace(outcome="requested") for path, one in settled.items() if one.outcome == "waiting"}
        return settled | arrived | _send(left, decide, send, again=False)
    except AnswerError as error:
        if (error.status, error.kind) != (500, "DatabaseException"):
            raise
        return _spoilt(wanted, decide, send, again, error)


def _spoilt(
    wanted: Mapping[bytes, Wanted], decide: Decide[Wanted], send: Send[Wanted], again: bool, error: AnswerError
) -> dict[bytes, Outcome]:
    """One file that the server's database does not take spoils a call: halve it until that one is alone."""
    settled, left = _decided(decide, list(wanted))
    if len(left) == 1 and len(wanted) == 1:
        (path,) = left
        return {path: Outcome(path, "refused", f"Rucio's database does not take it: {error}")}
    parts = [left]
    if len(left) == len(wanted):
        items = iter(left.items())
        parts = [dict(islice(items, len(left) // 2)), dict(items)]
    for part in parts:
        settled |= _send(part, decide, send, again)
    return settled


def _decided(decide: Decide[Wanted], files: Sequence[bytes]) -> tuple[dict[bytes, Outcome], dict[bytes, Wanted]]:
    settled: dict[bytes, Outcome] = {}
    wanted: dict[bytes, Wanted] = {}
    for path, decision in decide(files).items():
        if isinstance(decision, Outcome):
            settled[path] = decision
        else:
            wanted[path] = decision
    return settled, wanted
