"""What was asked and what was answered, written down before and after every call to the registry.

`actions/NNNNN-asked.json` is there before a call is made, `actions/NNNNN-answered.json` after it: a process that died
leaves an exact list of what is done, what is not, and what may or may not have arrived.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from dynamo_consistency import paths
from dynamo_consistency.run.directory import RunDirectory
from dynamo_consistency.run.gates import Gate

FOLDER = "actions"
Result = Literal["requested", "waiting", "refused", "skipped"]


@dataclass(frozen=True)
class Entry:
    """What became of one finding. `asked_at` is None where nothing was sent; times in seconds since 1970."""

    path: bytes
    kind: str
    result: Result
    reason: str
    asked_at: float | None
    answered_at: float


class Journal:
    """The journal of one run's action. One process writes it at a time (see `lock`)."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        names = run.names(FOLDER)
        self._next = 1 + max((int(name.rsplit("/", 1)[-1].split("-")[0]) for name in names), default=0)
        self.entries: list[Entry] = []
        self.asked: set[bytes] = set()
        for name in names:
            self._read(name, run.read_json(name))

    def _read(self, name: str, record: dict[str, Any]) -> None:
        if name.endswith("-asked.json"):
            self.asked.update(paths.to_bytes(path) for path in record["files"])
        else:
            self.entries.extend(_entry(record, item) for item in record["files"])

    @property
    def settled(self) -> set[bytes]:
        """Paths of which the journal says what became of them."""
        return {entry.path for entry in self.entries}

    def ask(self, kind: str, files: Iterable[bytes], gates: Iterable[Gate]) -> float:
        """Write down what is about to be asked for; returns the time."""
        asked_at = time.time()
        files = list(files)
        record = {
            "kind": kind,
            "askedAt": asked_at,
            "gates": [gate.as_dict() for gate in gates],
            "files": [paths.to_text(path) for path in files],
        }
        self._run.write_json(f"{FOLDER}/{self._next:05d}-asked.json", record)
        self.asked.update(files)
        return asked_at

    def answer(self, kind: str, asked_at: float | None, results: Iterable[tuple[bytes, Result, str]]) -> None:
        """Write down what became of a batch, and close it."""
        items = [{"path": paths.to_text(path), "result": result, "reason": why} for path, result, why in results]
        record = {"kind": kind, "askedAt": asked_at, "answeredAt": time.time(), "files": items}
        self._run.write_json(f"{FOLDER}/{self._next:05d}-answered.json", record)
        self.entries.extend(_entry(record, item) for item in items)
        self._next += 1


def _entry(record: dict[str, Any], item: dict[str, Any]) -> Entry:
    asked_at = record["askedAt"] if item["result"] != "skipped" else None
    path = paths.to_bytes(item["path"])
    return Entry(path, record["kind"], item["result"], item["reason"], asked_at, record["answeredAt"])
