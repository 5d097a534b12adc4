"""Metrics of all checks, made anew for each scrape from what is known, so that they vanish with their check.

What is in the status survives a restart; what is counted (`…_total`) begins with the operator, as counters do.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from prometheus_client import CollectorRegistry, GCCollector, Info, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client import Counter as Counting
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from consistency_operator.cluster.api_error import ApiError
from consistency_operator.cluster.digest import KnownCheck
from consistency_operator.metrics.gauges import GAUGES, outcomes
from consistency_operator.resource.check import Resource
from consistency_operator.resource.status import CheckStatus
from dynamo_consistency.gauges import LABELS, families
from dynamo_consistency.gauges import PREFIX as METRIC_PREFIX
from dynamo_consistency.revision import revision

LabelCounts = Mapping[str, Counter[tuple[str, ...]]]
"""By the uid of the check, and the labels beyond those of every check."""


@dataclass(frozen=True)
class OperatorState:
    """What is told of the operator itself.

    `overdue`: for how many seconds the most neglected check has been due. `places`: for runs at the same time, and how
    many of them are used. `problems`: how many `/healthz` names.
    """

    overdue: float = 0
    places: int = 0
    places_used: int = 0
    problems: int = 0


class Metrics:
    """What is counted; the rest is read from the checks."""

    def __init__(self) -> None:
        self._runs: dict[str, Counter[tuple[str, ...]]] = {}
        self._requests: dict[str, Counter[tuple[str, ...]]] = {}
        self._own = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._own)
        build = Info("consistency_operator_build", "1, with version and revision of the operator.", registry=self._own)
        build.info({"version": version("dynamo-consistency"), "revision": revision(), "kopf": version("kopf")})
        what = "Reconciliations that failed, by HTTP status of the API server; 0: no answer; none: a defect."
        self._failures = Counting(f"{METRIC_PREFIX}_operator_failures", what, ["status"], registry=self._own)

    def wrote(self, resource: Resource, before: CheckStatus, after: CheckStatus) -> None:
        """Another status was written: count what has come to its end with it."""
        known = {run.id for run in before.history}
        for run in after.history:
            if run.id not in known:
                self._runs.setdefault(resource.uid, Counter())[run.result, run.reason] += 1
                self._requests.setdefault(resource.uid, Counter()).update(outcomes(run))

    def failed(self, error: Exception) -> None:
        """A reconciliation failed."""
        cause = error if isinstance(error, ApiError) else error.__cause__
        self._failures.labels(cause.status if isinstance(cause, ApiError) else "none").inc()

    def forget(self, uid: str) -> None:
        """The check is gone."""
        self._runs.pop(uid, None)
        self._requests.pop(uid, None)

    def exposition(self, checks: Sequence[KnownCheck], operator: OperatorState) -> bytes:
        """All metrics in Prometheus' text format. With a thousand checks it is to be done in a thread."""
        registry = CollectorRegistry()
        registry.register(_Checks(checks, dict(self._runs), dict(self._requests), operator))
        return generate_latest(registry) + generate_latest(self._own)


class _Checks(Collector):
    def __init__(
        self, checks: Sequence[KnownCheck], runs: LabelCounts, requests: LabelCounts, operator: OperatorState
    ) -> None:
        self._checks = checks
        self._runs = runs
        self._requests = requests
        self._operator = operator

    def collect(self) -> Iterator[Metric]:
        """All metrics of all checks, and those of the operator."""
        yield from self._of_the_operator()
        yield from families(GAUGES, self._checks, _labels)
        yield self._counter("runs", "Runs that have ended.", ("result", "reason"), self._runs)
        what = "What became of findings that could be acted on."
        yield self._counter("requests", what, ("request", "kind", "outcome"), self._requests)

    def _of_the_operator(self) -> Iterator[Metric]:
        of, queued = self._operator, [known for known in self._checks if known.is_queued]
        for name, what, value in (
            ("checks", "Checks that there are.", len(self._checks)),
            ("overdue_seconds", "For how many seconds the most neglected check has been due.", of.overdue),
            ("places", "Runs that may be on at the same time.", of.places),
            ("places_used", "Runs that are on and hold a place.", of.places_used),
            ("queue_length", "Runs that wait for a place.", len(queued)),
            ("problems", "What /healthz names.", of.problems),
        ):
            yield GaugeMetricFamily(f"{METRIC_PREFIX}_operator_{name}", what, value)

    def _counter(self, name: str, what: str, labels: tuple[str, ...], counts: LabelCounts) -> Metric:
        family = CounterMetricFamily(f"{METRIC_PREFIX}_{name}", what, labels=(*LABELS, *labels))
        for known in self._checks:
            for values, count in counts.get(known.resource.uid, {}).items():
                family.add_metric((*_labels(known), *values), count)
        return family


def _labels(known: KnownCheck) -> tuple[str, str, str]:
    site = (known.body.get("spec") or {}).get("site", "")
    return known.resource.namespace, known.resource.name, str(site)
