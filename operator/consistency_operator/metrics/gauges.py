"""What is measured of one check: pure functions from what is known of it."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from consistency_operator.cluster.digest import KnownCheck
from consistency_operator.resource.status import FinishedRun, Requests
from dynamo_consistency.gauges import Gauge, Samples, common, files, followed, holes, sizes
from dynamo_consistency.schedule import CronSchedule, schedule_of


def outcomes(run: FinishedRun) -> Counter[tuple[str, ...]]:
    """What became of the findings that could be acted on, by (request, kind, outcome)."""
    counts: Counter[tuple[str, ...]] = Counter()
    for request, all_kinds in (("delete", run.deletions), ("transfer", run.transfers)):
        for requests in all_kinds:
            counts.update({(request, requests.kind, outcome): number for outcome, number in _outcomes_of(requests)})
    return counts


def _outcomes_of(requests: Requests) -> Iterator[tuple[str, int]]:
    yield "requested", requests.requested
    yield "waiting", requests.waiting
    yield "skipped", sum(requests.skipped.values())
    yield "refused", sum(requests.refused.values())
    yield "unanswered", requests.unanswered
    yield "left_over", requests.left_over
    yield "held_back", sum(requests.held_back.values())


def _time(time: datetime | None) -> Samples:
    return {} if time is None else {(): time.timestamp()}


def _flag(value: bool) -> Samples:
    return {(): float(value)}


def _interval(known: KnownCheck) -> Samples:
    check = known.resource.check
    schedule = schedule_of(check, known.resource.uid) if check else None
    day = datetime.now(UTC).toordinal()
    longest = _longest_interval(schedule.line, schedule.zone, day) if schedule else None
    return {} if longest is None else {(): longest.total_seconds()}


@lru_cache(maxsize=4096)
def _longest_interval(line: str, zone: str, day: int) -> timedelta | None:
    return CronSchedule(line, zone).longest_interval(datetime.fromordinal(day).replace(tzinfo=UTC))


def _last(known: KnownCheck) -> FinishedRun | None:
    """The last run that has ended; one that was withdrawn has not begun."""
    return next((run for run in known.status.history if run.result != "Withdrawn"), None)


def _duration(known: KnownCheck) -> Samples:
    run = _last(known)
    return {(): (run.completion_time - run.start_time).total_seconds()} if run else {}


def _result(known: KnownCheck) -> Samples:
    run = _last(known)
    return {(run.result, run.reason): 1} if run else {}


def _stage(known: KnownCheck) -> Samples:
    return {(known.status.run.stage,): 1} if known.status.run else {}


def _stage_start(known: KnownCheck) -> Samples:
    run = known.status.run
    return {(run.stage,): run.stage_start_time.timestamp()} if run else {}


def _waits(known: KnownCheck) -> Samples:
    """A run that goes on has its stage for a reason; any other says what it waits for."""
    run, condition = known.status.run, known.status.condition("Running")
    if run is None or condition is None:
        return {}
    goes_on = condition.reason == run.stage and run.stage not in ("Queued", "AwaitingApproval")
    return {} if goes_on else {(condition.reason,): 1}


def _counts(known: KnownCheck) -> dict[str, int]:
    """Of the last run that proves something."""
    return next((run.counts for run in known.status.history if run.result == "Complete"), {})


def _gates(known: KnownCheck) -> Samples:
    """Those of the run that goes on, as soon as they are known; until then those of the last one."""
    run, last = known.status.run, _last(known)
    if run and run.gates:
        return {(gate.name,): 1 for gate in run.gates if gate.state != "Ready"}
    return {(gate.name,): 1 for gate in last.closed_gates} if last else {}


def _requests(known: KnownCheck) -> Samples:
    last = _last(known)
    return dict(outcomes(last)) if last else {}


def _ready(known: KnownCheck) -> Samples:
    condition = known.status.condition("Ready")
    return _flag(condition is not None and condition.status == "True")


def _suspended(known: KnownCheck) -> Samples:
    return _flag(known.resource.check is not None and known.resource.check.spec.suspend)


GAUGES: tuple[Gauge[KnownCheck], ...] = (
    Gauge("ready", "1: the spec is valid and the schedule armed.", (), _ready),
    Gauge("suspended", "1: no new run starts.", (), _suspended),
    Gauge("created_timestamp_seconds", "When the check was made.", (), lambda k: _time(k.resource.created)),
    common("last_run_timestamp_seconds", lambda k: _time(k.status.last_run_time)),
    common("last_success_timestamp_seconds", lambda k: _time(k.status.last_successful_run_time)),
    common("next_run_timestamp_seconds", lambda k: _time(k.status.next_run_time)),
    common("expected_interval_seconds", _interval),
    common("last_run_duration_seconds", _duration),
    common("last_run_result", _result),
    Gauge("run_stage", "1, with what the run that goes on is doing; absent when none does.", ("stage",), _stage),
    Gauge(
        "run_stage_start_timestamp_seconds",
        "Since when the run that goes on is in its stage; absent when none does.",
        ("stage",),
        _stage_start,
    ),
    common(
        "run_deadline_timestamp_seconds",
        lambda k: _time(k.status.run.deadline_time if k.status.run else None),
    ),
    Gauge(
        "run_waits",
        "1, with what the run that is on waits for; absent while it goes on.",
        ("reason",),
        _waits,
    ),
    common(
        "run_start_timestamp_seconds",
        lambda k: _time(k.status.run.start_time if k.status.run else None),
    ),
    common(
        "awaiting_approval",
        lambda k: _flag(k.status.run is not None and k.status.run.stage == "AwaitingApproval"),
    ),
    common("files", lambda k: files(_counts(k))),
    common("bytes", lambda k: sizes(_counts(k))),
    common("holes", lambda k: holes(_counts(k))),
    common("gate_closed", _gates),
    common("last_run_requests", _requests),
    common("followed_requests", lambda k: followed(_counts(k))),
)
