"""`/metrics`: the gauges of the operator, by the same names, from the run directories.

For people without a cluster, and their alerts. What only the resources know is not among them.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dynamo_consistency.kinds import FINDING_KINDS, KIND_BY_NAME
from dynamo_consistency.web.answers.condition import Condition, condition_of
from dynamo_consistency.web.index.checks import CheckFacts
from dynamo_consistency.web.view import StoreView

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "site_consistency"
LABELS = ("obj_namespace", "obj_name", "site")
FILES = ("listedFiles", "inventoryFiles", "unplacedFiles", *(kind.name for kind in FINDING_KINDS))
BYTES = ("listedBytes", "inventoryBytes", *(kind.bytes_name for kind in FINDING_KINDS if kind.bytes_name))
BECAME = ("Recovered", "Lost", "Queued", "Removed", "Kept", "Unknown", "Withdrawn", "Outliving")
OUTCOMES = {
    "requested": "requested",
    "waiting": "waiting",
    "skipped": "skipped",
    "refused": "refused",
    "unanswered": "unanswered",
    "leftOver": "left_over",
}
"""As `summary.json` calls them → as the metric does."""

Samples = dict[tuple[str, ...], float]


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


@dataclass(frozen=True)
class Gauge:
    """A metric; `labels`: those beyond those of every check."""

    name: str
    help: str
    labels: tuple[str, ...]
    values: Callable[[Known], Samples]


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
    words = {"Complete": "Complete", "Invalid": "Invalid"}
    return {(words.get(last.result, "Failed"), ""): 1} if last else {}


def _deadline(known: Known) -> Samples:
    running = known.condition.running
    if running is None or running.start is None or known.facts is None:
        return {}
    return {(): running.start + known.facts.run_deadline.total_seconds()}


def _files(known: Known) -> Samples:
    return {(kind,): number for kind, number in known.counts.items() if kind in FILES}


def _bytes(known: Known) -> Samples:
    return {(kind,): number for kind, number in known.counts.items() if kind in BYTES}


def _holes(known: Known) -> Samples:
    return {(): known.counts["holes"]} if "holes" in known.counts else {}


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


def _followed(known: Known) -> Samples:
    return {(word.lower(),): known.counts[f"requests{word}"] for word in BECAME if f"requests{word}" in known.counts}


def _due(known: Known) -> Samples:
    return _time(known.condition.due.timestamp() if known.condition.due else None)


GAUGES = (
    Gauge("last_run_timestamp_seconds", "When the last run began.", (), _last_run),
    Gauge("last_success_timestamp_seconds", "When a run last came to its end as Complete.", (), _success),
    Gauge("next_run_timestamp_seconds", "When the next one is due.", (), _due),
    Gauge(
        "expected_interval_seconds",
        "The longest time between two runs of the schedule.",
        (),
        lambda known: _time(known.interval.total_seconds() if known.interval else None),
    ),
    Gauge("last_run_duration_seconds", "How long the last run took, its time in the queue included.", (), _duration),
    Gauge("last_run_result", "1, with the result and the reason of the last run.", ("result", "reason"), _result),
    Gauge(
        "run_start_timestamp_seconds",
        "When the run that goes on was due; absent when none does.",
        (),
        lambda known: _time(known.condition.running.start if known.condition.running else None),
    ),
    Gauge(
        "run_deadline_timestamp_seconds",
        "When the run that goes on fails if it is still on; absent before it has begun.",
        (),
        _deadline,
    ),
    Gauge(
        "awaiting_approval",
        "1: the run waits for a person.",
        (),
        lambda known: {(): float(known.condition.awaiting)},
    ),
    Gauge("files", "Files and directories of the last complete run, by kind.", ("kind",), _files),
    Gauge("bytes", "Bytes of the last complete run, by kind.", ("kind",), _bytes),
    Gauge("holes", "Directories that the last complete run could not list.", (), _holes),
    Gauge("gate_closed", "1: this gate keeps findings from being acted on; absent: it is open.", ("gate",), _gates),
    Gauge(
        "last_run_requests",
        "What became of the findings that the last run could act on.",
        ("request", "kind", "outcome"),
        _requests,
    ),
    Gauge("followed_requests", "What became of the requests of earlier runs.", ("became",), _followed),
)


class _Checks(Collector):
    def __init__(self, checks: list[Known]) -> None:
        self._checks = checks

    def collect(self) -> Iterator[Metric]:
        for gauge in GAUGES:
            family = GaugeMetricFamily(f"{PREFIX}_{gauge.name}", gauge.help, labels=(*LABELS, *gauge.labels))
            for known in self._checks:
                for labels, value in gauge.values(known).items():
                    family.add_metric((*known.labels, *labels), value)
            yield family


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
