"""From found to recovered: how far the findings of each kind have come."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dynamo_consistency.kinds import FINDING_KINDS, FindingKind
from dynamo_consistency.run.records.history import ACTIONS, FOLLOWED
from dynamo_consistency.web.answers.run.source import RunSource
from dynamo_consistency.web.index.checks import CheckFacts
from dynamo_consistency.web.index.digest import number_of
from dynamo_consistency.web.models import Funnel

_CONFIRMED = re.compile(r"(\w+) (\d+) of \d+")
_LATER_RUNS = 20
"""Runs after this one that are asked what became of its requests; most is settled by the next."""

_RECOVERED = """
    SELECT a.kind AS kind, count(DISTINCT a.path) AS number
    FROM read_parquet(?) AS f JOIN read_parquet(?) AS a ON a.path = f.path AND a.request = f.request
    WHERE f.run_id = ? AND f.became IN ('recovered', 'removed') AND a.asked_at IS NOT NULL GROUP BY a.kind
"""


@dataclass(frozen=True)
class _Known:
    """What the run and those after it tell: confirmed, recovered by kind; recovered: None where nobody has looked."""

    counts: Mapping[str, int]
    modes: Mapping[str, str]
    actions: Mapping[str, Mapping[str, Any]]
    gates: Mapping[str, Mapping[str, Any]]
    confirmed: Mapping[str, int]
    recovered: Mapping[str, int] | None


def funnels(source: RunSource, summary: Mapping[str, Any], check: CheckFacts | None) -> list[Funnel]:
    """One for each kind that the run has looked for."""
    recovered: dict[str, int] | None = None
    with source.shown_as_far_as_possible("what became of the requests"):
        recovered = _recovered(source)
    gates = {gate["name"]: gate for gate in summary.get("gates", [])}
    observed = str(gates["Confirmation"]["observed"]) if "Confirmation" in gates else ""
    confirmed = {kind: int(number) for kind, number in _CONFIRMED.findall(observed)}
    modes, actions = check.modes if check else {}, summary.get("actions", {})
    known = _Known(source.digest.counts, modes, actions, gates, confirmed, recovered)
    return [_funnel(kind, known) for kind in FINDING_KINDS if kind.name in known.counts]


def _funnel(kind: FindingKind, known: _Known) -> Funnel:
    action = known.actions.get(kind.name)
    confirmed = known.confirmed.get(kind.name) if action is None else number_of(action, "confirmed")
    within = _let_through(confirmed, known.gates["Limits"]) if "Limits" in known.gates else None
    asked = None if action is None else _asked(action)
    return Funnel(
        kind=kind.name,
        title=kind.title,
        request=kind.request,
        mode=known.modes.get(kind.name),
        found=known.counts[kind.name],
        confirmed=confirmed,
        within_limits=within,
        approved=_let_through(within, *known.gates.values()) if "Approval" in known.gates else None,
        requested=asked,
        answered=None if action is None or asked is None else asked - number_of(action, "unanswered"),
        recovered=None if not asked or known.recovered is None else known.recovered.get(kind.name, 0),
    )


def _let_through(number: int | None, *gates: Mapping[str, Any]) -> int | None:
    return number if number is None or all(gate["state"] == "Ready" for gate in gates) else 0


def _asked(action: Mapping[str, Any]) -> int:
    return sum(number_of(action, outcome) for outcome in ("requested", "waiting", "unanswered", "refused"))


def _recovered(source: RunSource) -> dict[str, int] | None:
    """By kind, what later runs saw to be back or gone; None where none has looked yet."""
    with source.parquet(ACTIONS) as actions:
        if actions is None or not source.later:
            return None
        found: dict[str, int] = {}
        looked = False
        for run in source.later[:_LATER_RUNS]:
            with source.parquet(FOLLOWED, run) as followed:
                if followed is None:
                    continue
                looked = True
                for row in source.question.rows(_RECOVERED, [followed, actions, source.run_id]):
                    found[row["kind"]] = found.get(row["kind"], 0) + row["number"]
        return found if looked else None
