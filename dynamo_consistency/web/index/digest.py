"""A run in a few hundred bytes: what the pages that show many runs need of its summary."""

import json
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from sys import intern
from typing import Any, NamedTuple

from dynamo_consistency.run.records.summary_file import UNFINISHED, UNREADABLE
from dynamo_consistency.sentences import shortened
from dynamo_consistency.text import said

LONGEST_TEXT = 600
"""Characters of a reason or of a gate's message that are kept."""

_BY_HAND = re.compile(r"(\d{8}T\d{6}Z)(?:-(.*))?")
_IN_A_CLUSTER = re.compile(r"(\d{8,9})(?:-(.*))?")
OUTCOMES = ("requested", "waiting", "unanswered", "leftOver", "skipped", "refused", "heldBack")
"""What may become of a confirmed finding, as `actions` of a summary calls it."""


class RunId(NamedTuple):
    """What an id tells by itself. time: in seconds since 1970, None where it tells none; check: what follows."""

    time: float | None
    check: str


def read_id(run_id: str) -> RunId:
    """Ids are made by `run` (a time) and by the operator (minutes since 1970); a person may give any other."""
    if match := _BY_HAND.fullmatch(run_id):
        try:
            return RunId(datetime.fromisoformat(match[1]).timestamp(), match[2] or "")
        except ValueError:
            return RunId(None, run_id)
    if match := _IN_A_CLUSTER.fullmatch(run_id):
        return RunId(int(match[1]) * 60.0, match[2] or "")
    return RunId(None, run_id)


class ClosedGate(NamedTuple):
    """A gate that is not Ready."""

    name: str
    state: str
    observed: str
    limit: str
    message: str


@dataclass(frozen=True, slots=True)
class Digest:
    """A run. start: in seconds since 1970; None where nothing tells it.

    counts: whole numbers of the summary's counts. closed: gates that are not Ready. outcomes: for each kind
    that the action took up, the numbers of what became of its findings, without those that are 0. times: of first
    snapshot, first and last shard's listing, second snapshot, as far as known.
    """

    run_id: str
    result: str
    reason: str
    start: float | None
    end: float | None
    counts: Mapping[str, int]
    closed: tuple[ClosedGate, ...]
    outcomes: Mapping[str, Mapping[str, int]]
    times: tuple[float | None, ...]

    @property
    def is_complete(self) -> bool:
        return self.result == "Complete"

    @property
    def has_ended(self) -> bool:
        return self.result != UNFINISHED

    @property
    def order(self) -> tuple[float, str]:
        return self.start or 0.0, self.run_id

    @property
    def requested(self) -> int:
        """What it asked for, and what waited already."""
        return self.outcome("requested") + self.outcome("waiting")

    def outcome(self, name: str) -> int:
        """The number of an outcome, of all kinds together."""
        return sum(of_kind.get(name, 0) for of_kind in self.outcomes.values())

    @property
    def recovered(self) -> int:
        """Of earlier requests, what it found to be back, or gone as was asked for."""
        return self.counts.get("requestsRecovered", 0) + self.counts.get("requestsRemoved", 0)


def safe(text: object, longest: int = LONGEST_TEXT) -> str:
    """What others wrote as it may be shown: without credentials, every character visible, at a length that fits."""
    return shortened(said(text), longest)


def digest_of(run_id: str, contents: bytes | None, began: float | None) -> Digest:
    """The digest of `summary.json`, whatever it holds; None: there is none. `began`: if the summary does not say."""
    if contents is None:
        return _without(run_id, UNFINISHED, "", began)
    try:
        return _read(run_id, json.loads(contents), began)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError, OverflowError):
        return _without(run_id, UNREADABLE, "summary.json is damaged: it is not the summary of a run", began)


def _read(run_id: str, summary: dict[str, Any], began: float | None) -> Digest:
    start, end = _seconds(summary.get("startTime")), _seconds(summary.get("endTime"))
    result = summary["result"]
    if result not in ("Complete", "Invalid", "Failed"):
        raise ValueError("no result")
    gates = [[gate[key] for key in ClosedGate._fields] for gate in summary["gates"]]
    if not all(isinstance(value, str) for gate in gates for value in gate):
        raise ValueError("no gates")
    closed = [ClosedGate(*map(safe, gate)) for gate in gates if gate[1] != "Ready"]
    counts = {intern(key): number for key, number in summary["counts"].items() if type(number) is int}
    if result == "Complete" and "inventoryFiles" not in counts:
        raise ValueError("it counts no files of the inventory")
    return Digest(
        run_id,
        intern(result),
        safe(summary["reason"]),
        began if start is None else start,
        end,
        counts,
        tuple(closed),
        {intern(kind): _outcomes(action) for kind, action in summary["actions"].items()},
        _times(summary),
    )


def _outcomes(action: Mapping[str, Any]) -> dict[str, int]:
    """Raises an error for what is no action."""
    numbers = {name: number_of(action, name) for name in (*OUTCOMES, "confirmed")}
    return {intern(name): number for name, number in numbers.items() if number and name in OUTCOMES}


def number_of(action: Mapping[str, Any], name: str) -> int:
    """A number of an action, or the sum of its numbers by reason; 0 for what former versions did not write.

    Raises TypeError for what is no whole number.
    """
    value = action.get(name, 0)
    return operator.index(sum(value.values()) if isinstance(value, dict) else value)


def _times(summary: dict[str, Any]) -> tuple[float | None, ...]:
    snapshots, listing = summary.get("snapshots") or {}, summary.get("listing") or {}
    known = (
        (snapshots.get("before") or {}).get("takenAt"),
        listing.get("firstListedAt"),
        listing.get("lastListedAt"),
        (snapshots.get("after") or {}).get("takenAt"),
    )
    return tuple(float(at) if isinstance(at, int | float) else None for at in known)


def _seconds(text: Any) -> float | None:
    if not isinstance(text, str):
        return None
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _without(run_id: str, result: str, reason: str, began: float | None) -> Digest:
    return Digest(run_id, result, reason, began, None, {}, (), {}, (None,) * 4)
