"""Gauges of a check: names and meanings that the operator and the web service have in common, and how they are told."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from prometheus_client.core import GaugeMetricFamily, Metric

from dynamo_consistency.kinds import FINDING_KINDS

PREFIX = "site_consistency"
LABELS = ("obj_namespace", "obj_name", "site")
"""Of every metric of a check. `namespace` would be that of the operator's own pod."""
FILES = ("listedFiles", "inventoryFiles", "unplacedFiles", *(kind.name for kind in FINDING_KINDS))
BYTES = ("listedBytes", "inventoryBytes", *(kind.bytes_name for kind in FINDING_KINDS if kind.bytes_name))
BECAME = ("Recovered", "Lost", "Queued", "Removed", "Kept", "Unknown", "Withdrawn", "Outliving")
"""What became of earlier requests; the counts `requestsRecovered`, … of a run."""

Known = TypeVar("Known")
Counts = Mapping[str, int]
Samples = dict[tuple[str, ...], float]
"""By the values of the labels that a gauge has beyond those of every check."""


@dataclass(frozen=True)
class Gauge(Generic[Known]):
    """A metric: `labels` are those beyond `LABELS`; `values`: a pure function of what is known of a check."""

    name: str
    help: str
    labels: tuple[str, ...]
    values: Callable[[Known], Samples]


def common(name: str, values: Callable[[Known], Samples]) -> Gauge[Known]:
    """A gauge that the operator and the web service both have."""
    return Gauge(name, *_COMMON[name], values)


_COMMON: dict[str, tuple[str, tuple[str, ...]]] = {
    "last_run_timestamp_seconds": ("When the last run began.", ()),
    "last_success_timestamp_seconds": ("When a run last came to its end as Complete.", ()),
    "next_run_timestamp_seconds": ("When the next one is due.", ()),
    "expected_interval_seconds": ("The longest time between two runs of the schedule.", ()),
    "last_run_duration_seconds": ("How long the last run took, its time in the queue included.", ()),
    "last_run_result": ("1, with the result and the reason of the last run.", ("result", "reason")),
    "run_start_timestamp_seconds": ("When the run that goes on was due; absent when none does.", ()),
    "run_deadline_timestamp_seconds": (
        "When the run that goes on fails if it is still on; absent before it has begun.",
        (),
    ),
    "awaiting_approval": ("1: the run waits for a person.", ()),
    "files": ("Files and directories of the last complete run, by kind.", ("kind",)),
    "bytes": ("Bytes of the last complete run, by kind.", ("kind",)),
    "holes": ("Directories that the last complete run could not list.", ()),
    "gate_closed": ("1: this gate keeps findings from being acted on; absent: it is open.", ("gate",)),
    "last_run_requests": (
        "What became of the findings that the last run could act on.",
        ("request", "kind", "outcome"),
    ),
    "followed_requests": ("What became of the requests of earlier runs.", ("became",)),
}


def files(counts: Counts) -> Samples:
    """`counts`: of the last complete run, as its summary has them."""
    return {(kind,): number for kind, number in counts.items() if kind in FILES}


def sizes(counts: Counts) -> Samples:
    return {(kind,): number for kind, number in counts.items() if kind in BYTES}


def holes(counts: Counts) -> Samples:
    return {(): counts["holes"]} if "holes" in counts else {}


def followed(counts: Counts) -> Samples:
    return {(word.lower(),): counts[f"requests{word}"] for word in BECAME if f"requests{word}" in counts}


def families(
    gauges: Iterable[Gauge[Known]], checks: Sequence[Known], labels: Callable[[Known], tuple[str, str, str]]
) -> Iterator[Metric]:
    """All `gauges` of all `checks`; `labels`: the values of `LABELS` of a check."""
    for gauge in gauges:
        family = GaugeMetricFamily(f"{PREFIX}_{gauge.name}", gauge.help, labels=(*LABELS, *gauge.labels))
        for known in checks:
            for further, value in gauge.values(known).items():
                family.add_metric((*labels(known), *further), value)
        yield family
