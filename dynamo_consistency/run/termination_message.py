"""The termination message: what a worker says of its stage in at most 3 KiB of JSON, for the status of a check.

Kubernetes keeps it with the pod, so that results need neither the pod's log nor the volume that the stages share.
Where `DYNAMO_CONSISTENCY_TERMINATION_LOG` names no file, there is no message.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dynamo_consistency.sentences import MORE, cut
from dynamo_consistency.text import said

log = logging.getLogger(__name__)

SETTING = "DYNAMO_CONSISTENCY_TERMINATION_LOG"
LIMIT = 3 * 1024
HOLES_SHOWN = 3
REASONS_LEFT_OUT = "see actions.parquet"

Content = dict[str, Any]


class TerminationMessage:
    """Collects what a stage has to say, and writes it when the process ends, however it does."""

    def __init__(self) -> None:
        self._content: Content = {}

    def begin(self, stage: str, run_id: str, **more: int) -> None:
        self._content = {"stage": stage, "runId": run_id, **more}

    def counts(self, counts: Mapping[str, Any]) -> None:
        """The numbers among `counts`."""
        self._content["counts"] = {name: number for name, number in counts.items() if isinstance(number, int)}

    def holes(self, number: int, first: Sequence[Mapping[str, str]]) -> None:
        """Directories that could not be listed: how many, and the first of them with path and reason."""
        self._content["holes"] = {"number": number, "first": list(first[:HOLES_SHOWN])}

    def summary(self, summary: Mapping[str, Any]) -> None:
        """What the run's `summary.json` says, as far as there is one."""
        keys = ("result", "reason", "gates", "actions", "artifacts")
        self._content |= {key: summary[key] for key in keys if key in summary}
        self.counts(summary["counts"])
        self.holes(summary["counts"].get("holes", 0), summary.get("holes", []))
        if problem := summary.get("unmerged", {}).get("trouble"):
            self._content["unmergedTrouble"] = problem

    def write(self, exit_code: int, sentence: str, result: str | None) -> None:
        """Write it, if a file is asked for. `result`: of a stage that an error has ended, else None.

        That it cannot be written changes nothing of how the process ends.
        """
        file = os.environ.get(SETTING)
        if not file:
            return
        ended = {
            "exitCode": exit_code,
            "result": result or self._content.get("result", "Complete"),
            "message": sentence or self._content.get("reason", ""),
        }
        try:
            Path(file).write_text(_fitted(self._content | ended) + "\n", encoding="utf-8")
        except OSError as error:
            log.warning("the termination message cannot be written to %s: %s", file, error.strerror)


def _fitted(content: Content) -> str:
    """`content` as one line of JSON that is short enough."""
    lines = (json.dumps(version, ensure_ascii=False, separators=(",", ":")) for version in _versions(_clean(content)))
    return next(line for line in lines if len(line.encode()) < LIMIT)


def _versions(content: Content) -> Iterator[Content]:
    """`content`, shorter each time; what a person can look up goes first, what decides how the run goes on last."""
    content = content | {"message": _cut(content["message"], 600), "runId": _cut(content.get("runId", ""), 100)}
    for size in (200, 100, 40):
        yield (content := content | _with_short_gates(content, size) | _with_short_holes(content, size))
    for key in ("reason", "holes", "artifacts"):
        yield (content := {name: value for name, value in content.items() if name != key})
    yield (content := content | _with_short_actions(content))
    yield (content := content | _with_bare_gates(content))
    for key in ("unmergedTrouble", "actions", "counts", "gates"):
        yield (content := {name: value for name, value in content.items() if name != key})


def _with_short_gates(content: Content, size: int) -> Content:
    """The last time without a message."""
    gates = content.get("gates", [])
    lengths = {"observed": size, "limit": size, "message": size if size > 40 else 0}
    short = [gate | {key: _cut(gate[key], length) for key, length in lengths.items()} for gate in gates]
    return {"gates": short} if gates else {}


def _with_bare_gates(content: Content) -> Content:
    gates = [{key: gate[key] for key in ("name", "state")} for gate in content.get("gates", [])]
    return {"gates": gates} if gates else {}


def _with_short_holes(content: Content, size: int) -> Content:
    if "holes" not in content:
        return {}
    first = [{key: _cut(text, size) for key, text in hole.items()} for hole in content["holes"]["first"]]
    return {"holes": content["holes"] | {"first": first}}


def _with_short_actions(content: Content) -> Content:
    """The reasons of each outcome together."""

    def together(value: Any) -> Any:
        return {REASONS_LEFT_OUT: sum(value.values())} if isinstance(value, dict) and value else value

    actions = {
        kind: {key: together(value) for key, value in action.items()}
        for kind, action in content.get("actions", {}).items()
    }
    return {"actions": actions} if actions else {}


def _clean(value: Any) -> Any:
    """`value` without credentials, its text as every reader of JSON can take it."""
    if isinstance(value, str):
        return said(value)
    if isinstance(value, Mapping):
        return {said(key): _clean(inner) for key, inner in value.items()}
    return [_clean(inner) for inner in value] if isinstance(value, list) else value


def _cut(text: str, size: int) -> str:
    """`text` in at most `size` bytes of UTF-8, cut after a word, with an ellipsis for what is left out."""
    encoded = text.encode()
    if len(encoded) <= size:
        return text
    kept = encoded[: max(0, size - len(MORE.encode()))].decode(errors="ignore")
    return cut(text, len(kept) + len(MORE)) if size else ""
