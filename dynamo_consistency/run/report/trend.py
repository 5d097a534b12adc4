"""What the page says of the runs before: how the numbers went, and what is new, gone and standing since the last."""

import contextlib
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote

import duckdb

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.kinds import FINDING_KINDS, FindingKind
from dynamo_consistency.run.finding_queries import new_gone_standing
from dynamo_consistency.run.records.complete_runs import CompleteRun, complete_among, start_of, up_to_now
from dynamo_consistency.run.report.tables import Tables
from dynamo_consistency.run.store.run_directory import RunDirectory

_RUNS = 20
_WIDTH, _HEIGHT, _MARGIN = 100.0, 22.0, 2.0  # of a curve, in units of its own


@dataclass(frozen=True)
class Since:
    """Findings of one kind, compared with those of the run before, by path."""

    new: int
    gone: int
    standing: int


@dataclass(frozen=True)
class Earlier:
    """A run before. `page`: where its page is, seen from ours; empty where it has none."""

    run_id: str
    started: str
    counts: dict[str, int]
    page: str


@dataclass(frozen=True)
class Trend:
    """`runs`: complete runs of the same check, oldest first. `since`: by kind, where the last one can be read.

    `curves`: points of a curve by the name of a count, where at least two runs have it.
    """

    runs: list[Earlier]
    since: dict[str, Since]
    curves: dict[str, str]


def trend(run: RunDirectory, tables: Tables, counts: dict[str, Any]) -> Trend:
    """`counts`: those of `run`. Runs that cannot be read are left out; the report does not fail for them."""
    before: list[CompleteRun] = []
    with contextlib.suppress(ConsistencyError):
        before = _before(run)
    runs = [_earlier(one) for one in before]
    names = [*(kind.name for kind in FINDING_KINDS), "holes"]
    series = {name: [one.counts.get(name) for one in runs] + [counts.get(name)] for name in names}
    curves = {name: points for name, values in series.items() if (points := _curve(values))}
    return Trend(runs, _since(tables, before[-1].run) if before and counts else {}, curves)


def _before(run: RunDirectory) -> list[CompleteRun]:
    """The last of them; by their ids, so that a store with many runs is not read through."""
    others = (other for other in reversed(run.store.runs(run.site)) if other.run_id != run.run_id)
    began = _began(run)
    earlier = (one for one in complete_among(others, run.owner) if began is None or one.order < began)
    return up_to_now(sorted(islice(earlier, _RUNS), key=lambda one: one.order))


def _began(run: RunDirectory) -> tuple[float, str] | None:
    """None for a run that did not even come to its first snapshot."""
    try:
        return start_of(run), run.run_id
    except ConsistencyError:
        return None


def _earlier(one: CompleteRun) -> Earlier:
    artifacts = one.summary.get("artifacts")
    page = artifacts.get("report") if isinstance(artifacts, dict) else None
    address = f"../../{quote(one.run.run_id)}/{quote(str(page))}" if page else ""
    counts = {name: number for name, number in one.summary["counts"].items() if type(number) is int and number >= 0}
    return Earlier(one.run.run_id, str(one.summary.get("startTime", "")), counts, address)


def _since(tables: Tables, last: RunDirectory) -> dict[str, Since]:
    known = {kind: _of_kind(tables, last, kind) for kind in FINDING_KINDS if kind.file_name in tables.names}
    return {kind.name: since for kind, since in known.items() if since is not None}


def _of_kind(tables: Tables, last: RunDirectory, kind: FindingKind) -> Since | None:
    try:
        with last.reading(kind.file) as path:
            [(new, gone, standing)] = tables.rows(new_gone_standing(kind.file_name, "read_parquet(?)"), [str(path)])
            return Since(new, gone, standing)
    except (ConsistencyError, duckdb.Error):
        return None


def _curve(values: list[Any]) -> str:
    """`x,y x,y …` for an SVG, from zero up; empty where fewer than two values are known or all are zero."""
    known = [(place, value) for place, value in enumerate(values) if isinstance(value, int)]
    highest = max((value for _, value in known), default=0)
    if len(known) < 2 or not highest:
        return ""
    step = (_WIDTH - 2 * _MARGIN) / (len(values) - 1)
    scale = (_HEIGHT - 2 * _MARGIN) / highest
    return " ".join(f"{_MARGIN + place * step:.1f},{_HEIGHT - _MARGIN - value * scale:.1f}" for place, value in known)
