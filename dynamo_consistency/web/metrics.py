"""`/metrics`: the gauges of the operator, by the same names, from the run directories.

For people without a cluster, and their alerts. What only the resources know is not among them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from dynamo_consistency.gauges import Gauge, Samples, common, families, files, followed, holes, sizes
from dynamo_consistency.kinds import KIND_BY_NAME
from dynamo_consistency.web.answers.condition import Condition, condition_of
from dynamo_consistency.web.index.checks import CheckFacts
from dynamo_consistency.web.view import StoreView

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OUTCOMES = {
    "requested": "requested",
    "waiting": "waiting",
    "skipped": "skipped",
    "refused": "refused",
    "unanswered": "unanswered",
    "leftOver": "left_over",
    "heldBack": "held_back",
}
"""As `summary.json` calls them → as the metric does."""


@dataclass(frozen=True)
class Known:
    """A check: how it is now, its facts as the last run holds them, and the longest time between its runs."""

    labels: tuple[str, str, str]
    condition: Condition
    facts: CheckFacts | None
    interval: timedelta | None

    @property
    def counts(self) -> Mapping[str, int]:
        return self.condition.complete.counts if self.condition.complete else {}


def _time(seconds: float | None) -> Samples:
    return {} if seconds is None else {(): seconds}


def _last_run(known: Known) -> Samples:
    run = known.condition.running or known.condition.last
    return _time(run.start if run else None)


def _success(known: Known) -> Samples:
    complete = known.condition.complete
    return _time((complete.end or complete.start) if complete else None)


def _duration(known: Known) -> Samples:
    last = known.condition.last
    return {(): last.end - last.start} if last and last.start is not None and last.end is not None else {}


def _result(known: Known) -> Samples:
    """A reason in a word is what only the operator gives."""
    last = known.condition.last
    return {(last.result if last.result in ("Complete", "Invalid") else "Failed", ""): 1} if last else {}


def _deadline(known: Known) -> Samples:
    running = known.condition.running
    if running is None or running.start is None or known.facts is None:
        return {}
    return {(): running.start + known.facts.run_deadline.total_seconds()}


def _gates(known: Known) -> Samples:
    complete = known.condition.complete
    return {(gate.name,): 1 for gate in complete.closed} if complete else {}


def _requests(known: Known) -> Samples:
    complete, counts = known.condition.complete, Counter[tuple[str, ...]]()
    for kind, outcomes in (complete.outcomes if complete else {}).items():
        request = KIND_BY_NAME[kind].request if kind in KIND_BY_NAME else None
        if request:
            counts.update({(request, kind, said): outcomes.get(name, 0) for name, said in OUTCOMES.items()})
    return dict(counts)


def _due(known: Known) -> Samples:
    return _time(known.condition.due.timestamp() if known.condition.due else None)


def _interval(known: Known) -> Samples:
    return _time(known.interval.total_seconds() if known.interval else None)


def _running(known: Known) -> Samples:
    return _time(known.condition.running.start if known.condition.running else None)


GAUGES: tuple[Gauge[Known], ...] = (
    common("last_run_timestamp_seconds", _last_run),
    common("last_success_timestamp_seconds", _success),
    common("next_run_timestamp_seconds", _due),
    common("expected_interval_seconds", _interval),
    common("last_run_duration_seconds", _duration),
    common("last_run_result", _result),
    common("run_start_timestamp_seconds", _running),
    common("run_deadline_timestamp_seconds", _deadline),
    common("awaiting_approval", lambda known: {(): float(known.condition.awaiting)}),
    common("files", lambda known: files(known.counts)),
    common("bytes", lambda known: sizes(known.counts)),
    common("holes", lambda known: holes(known.counts)),
    common("gate_closed", _gates),
    common("last_run_requests", _requests),
    common("followed_requests", lambda known: followed(known.counts)),
)


class _Checks(Collector):
    def __init__(self, checks: list[Known]) -> None:
        self._checks = checks

    def collect(self) -> Iterator[Metric]:
        return families(GAUGES, self._checks, lambda known: known.labels)


def exposition(view: StoreView) -> bytes:
    """All of them in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Checks(list(_known(view))))
    return generate_latest(registry)


def _known(view: StoreView) -> Iterator[Known]:
    now = datetime.now(UTC)
    for site in view.index.fleet():
        for name, runs in site.runs.items():
            facts: CheckFacts | None = view.checks.of(site.site, runs[-1].run_id)
            namespace, _, check = name.rpartition("/")
            condition = condition_of(runs, facts, now)
            yield Known((namespace, check, site.site), condition, facts, facts.interval(now) if facts else None)
