"""What was asked and what was answered, written down before and after every call to the registry.

`actions/NNNNN-asked.json` is there before a call is made, `actions/NNNNN-answered.json` after it: a process that died
leaves an exact list of what is done, what is not, and what may or may not have arrived. A record is created and never
overwritten: of two actions that both believe themselves alone, one finds the other's record, and ends.
"""

import json
import re
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from dynamo_consistency import paths
from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.gates import Gate
from dynamo_consistency.run.store.run_directory import RunDirectory

FOLDER = "actions"
_OURS = re.compile(r"([0-9]{5,})-(?:asked|answered)\.json")
JournalResult = Literal["requested", "waiting", "refused", "skipped", "unanswered"]
FindingKey = tuple[str, bytes]
"""Kind and path: what a finding is."""


@dataclass(frozen=True)
class JournalEntry:
    """What became of one finding; times in seconds since 1970, `asked_at` None where nothing was sent.

    unanswered: it was asked for, the answer was lost, and the registry was not asked again.
    """

    path: bytes
    kind: str
    result: JournalResult
    reason: str
    asked_at: float | None
    answered_at: float | None

    @property
    def key(self) -> FindingKey:
        return self.kind, self.path


def under_way(site: str, what: str = "nothing") -> str:
    """What an action says that gives way to another."""
    return f"another action of {site} is under way; {what} was requested by this one. Run it again afterwards"


class Journal:
    """The journal of one run's action. One process writes it at a time (see `site_lock`)."""

    def __init__(self, run: RunDirectory) -> None:
        """Files that nobody of ours wrote are passed over. Raises ConsistencyError for one of ours that is garbled."""
        self._run = run
        names = {name: ours for name in run.names(FOLDER) if (ours := _OURS.fullmatch(name.rsplit("/", 1)[-1]))}
        self._next = 1 + max((int(ours[1]) for ours in names.values()), default=0)
        self.asked: dict[FindingKey, float] = {}
        """When each finding was asked for, answered or not."""
        self._settled: dict[FindingKey, JournalEntry] = {}
        for name in names:
            try:
                record = run.read_json(name)
                (self._read_asked if name.endswith("-asked.json") else self._read_answered)(record)
            except (ConsistencyError, ValueError, LookupError, TypeError, AttributeError) as error:
                raise ConsistencyError(
                    f"{name} of run {run.run_id} cannot be read, so that it is not known what has been requested: "
                    f"{error}; nothing more is requested in this run"
                ) from None

    @property
    def entries(self) -> list[JournalEntry]:
        """What became of each finding that was taken up; last those of which the answer was lost."""
        lost = [(kind, path, at) for (kind, path), at in self.asked.items() if not self.is_settled(kind, path)]
        return [
            *self._settled.values(),
            *(JournalEntry(path, kind, "unanswered", "the answer was lost", at, None) for kind, path, at in lost),
        ]

    def is_open(self, kind: str, path: bytes) -> bool:
        """It has neither been asked for nor been left alone."""
        return (kind, path) not in self.asked and not self.is_settled(kind, path)

    def is_settled(self, kind: str, path: bytes) -> bool:
        return (kind, path) in self._settled

    @property
    def has_unanswered(self) -> bool:
        return any(key not in self._settled for key in self.asked)

    def is_unanswered(self, kind: str, path: bytes) -> bool:
        """It was asked for, and what was answered is not known."""
        return (kind, path) in self.asked and not self.is_settled(kind, path)

    def ask(self, kind: str, files: Iterable[bytes], gates: Iterable[Gate]) -> None:
        """Write down what is about to be asked for. Raises ConsistencyError when another action writes here, too."""
        asked_at = time.time()
        record = {
            "kind": kind,
            "askedAt": asked_at,
            "gates": [gate.as_dict() for gate in gates],
            "files": [paths.to_text(path) for path in files],
        }
        self._create("asked", record)
        self._read_asked(record)

    def answer(self, kind: str, results: Iterable[tuple[bytes, JournalResult, str]]) -> None:
        """Write down what became of a batch, and close it."""
        items = [
            {
                "path": paths.to_text(path),
                "result": result,
                "reason": reason,
                "askedAt": None if result == "skipped" else self.asked[kind, path],
            }
            for path, result, reason in results
        ]
        record = {"kind": kind, "answeredAt": time.time(), "files": items}
        self._create("answered", record)
        self._read_answered(record)
        self._next += 1

    def _create(self, what: Literal["asked", "answered"], record: dict[str, Any]) -> None:
        name = f"{FOLDER}/{self._next:05d}-{what}.json"
        record["writer"] = uuid.uuid4().hex  # a store that answers at the second time may take ours for another's
        if not self._run.create(name, json.dumps(record, indent=2) + "\n") and self._run.read_json(name) != record:
            raise ConsistencyError(under_way(self._run.site, "nothing more"))

    def _read_asked(self, record: dict[str, Any]) -> None:
        self.asked |= {(record["kind"], paths.to_bytes(path)): record["askedAt"] for path in record["files"]}

    def _read_answered(self, record: dict[str, Any]) -> None:
        for item in record["files"]:
            entry = JournalEntry(
                paths.to_bytes(item["path"]),
                record["kind"],
                item["result"],
                item["reason"],
                item["askedAt"],
                record["answeredAt"],
            )
            self._settled[entry.key] = entry
