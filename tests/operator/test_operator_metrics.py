"""Metrics: one series of each kind for a check, also when its runs fail, and none when the check is gone."""

import re
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import pytest
from asked_backends import Backends
from cluster_checks import check, condition, last_run, run_after, stage_of
from consistency_operator.metrics.exposition import METRIC_PREFIX
from consistency_operator.metrics.gauges import GAUGES
from consistency_operator.names import PLURAL
from fake_cluster import FakeCluster
from kopf_thread import Operator
from scripted_pods import Script, ends_with, gates

from dynamo_consistency.gauges import BYTES, FILES
from dynamo_consistency.web.metrics import OUTCOMES

pytestmark = pytest.mark.usefixtures("jobs", "quick_answers")

PAGE = Path(__file__).parents[2] / "docs/reference/metrics.md"
OF_THE_CHECK = {"obj_namespace": "default", "obj_name": "t2-a", "site": "T2_A"}


def series(name: str, **labels: str) -> str:
    reported = sorted({**OF_THE_CHECK, **labels}.items())
    return f"{METRIC_PREFIX}_{name}" + "{" + ",".join(f'{label}="{value}"' for label, value in reported) + "}"


def test_a_run_that_succeeds_is_measured(cluster: FakeCluster, operator: Operator) -> None:
    cluster.create(PLURAL, check(trigger={"manual": "1"}, schedule="0 3 * * 0"))
    operator.start()
    cluster.until(lambda: last_run(cluster))
    reported = cluster.until(
        lambda: (metrics := operator.metrics()) and metrics.get(series("holes")) is not None and metrics
    )
    assert reported[series("ready")] == 1
    assert reported[series("suspended")] == reported[series("awaiting_approval")] == reported[series("holes")] == 0
    assert reported[series("last_run_timestamp_seconds")] >= reported[series("created_timestamp_seconds")] > 1.7e9
    assert reported[series("last_success_timestamp_seconds")] >= reported[series("last_run_timestamp_seconds")] > 1.7e9
    assert reported[series("next_run_timestamp_seconds")] > reported[series("last_run_timestamp_seconds")]
    assert reported[series("expected_interval_seconds")] == 7 * 86400
    assert reported[series("last_run_duration_seconds")] >= 0
    assert reported[series("files", kind="orphans")] == 3
    assert reported[series("bytes", kind="orphanBytes")] == 300
    assert reported[series("last_run_result", result="Complete", reason="Completed")] == 1
    assert reported[series("runs_total", result="Complete", reason="Completed")] == 1
    assert reported[series("requests_total", request="delete", kind="orphans", outcome="requested")] == 3
    assert reported[series("last_run_requests", request="delete", kind="orphans", outcome="held_back")] == 2
    assert not any("gate_closed{" in name or "run_stage{" in name for name in reported)


def test_a_run_that_fails_is_measured_too_and_what_was_found_before_stays(
    cluster: FakeCluster, operator: Operator, script: Script
) -> None:
    cluster.create(PLURAL, check(trigger={"manual": "1"}))
    operator.start()
    first = cluster.until(lambda: last_run(cluster))["id"]
    script.ends["Listing"] = ends_with(1, "no door answers")
    cluster.patch(PLURAL, "t2-a", {"spec": {"trigger": {"manual": "2"}}})
    run_after(cluster, first)
    failed = series("runs_total", result="Failed", reason="ListingFailed")
    reported = cluster.until(lambda: failed in (metrics := operator.metrics()) and metrics)
    assert reported[failed] == 1
    assert reported[series("last_run_result", result="Failed", reason="ListingFailed")] == 1
    assert reported[series("files", kind="orphans")] == 3


def test_what_became_of_earlier_requests_is_measured(cluster: FakeCluster, operator: Operator, script: Script) -> None:
    script.counts = {"requestsRecovered": 4, "requestsLost": 1}
    cluster.create(PLURAL, check(trigger={"manual": "1"}))
    operator.start()
    cluster.until(lambda: last_run(cluster))
    reported = cluster.until(
        lambda: series("followed_requests", became="lost") in (metrics := operator.metrics()) and metrics
    )
    assert reported[series("followed_requests", became="recovered")] == 4
    assert sum("followed_requests{" in name for name in reported) == 2


def test_a_closed_gate_is_measured_also_after_its_run(cluster: FakeCluster, operator: Operator, script: Script) -> None:
    script.gates = gates(Limits="Rejected", Confirmation="Pending")
    cluster.create(PLURAL, check(trigger={"manual": "1"}))
    operator.start()
    cluster.until(lambda: last_run(cluster))
    reported = cluster.until(
        lambda: series("gate_closed", gate="Limits") in (metrics := operator.metrics()) and metrics
    )
    assert sorted(name for name in reported if "gate_closed{" in name) == [
        series("gate_closed", gate="Confirmation"),
        series("gate_closed", gate="Limits"),
    ]


def test_a_run_that_waits_for_a_person_can_be_alerted_on(
    cluster: FakeCluster, operator: Operator, script: Script
) -> None:
    script.gates = gates(Approval="Pending")
    cluster.create(PLURAL, check(trigger={"manual": "1"}))
    operator.start()
    cluster.until(lambda: stage_of(cluster) == "AwaitingApproval")
    assert cluster.until(lambda: operator.metrics().get(series("awaiting_approval")))
    assert operator.metrics()[series("run_stage", stage="AwaitingApproval")] == 1


def test_what_stands_in_the_status_is_measured_by_a_new_operator_too(cluster: FakeCluster, operator: Operator) -> None:
    cluster.create(PLURAL, check(trigger={"manual": "1"}))
    operator.start()
    cluster.until(lambda: last_run(cluster))
    operator.restart()
    reported = cluster.until(lambda: series("holes") in (metrics := operator.metrics()) and metrics)
    assert reported[series("last_run_result", result="Complete", reason="Completed")] == 1
    assert series("runs_total", result="Complete", reason="Completed") not in reported


def test_an_invalid_or_suspended_check_has_no_gap_in_its_series(cluster: FakeCluster, operator: Operator) -> None:
    cluster.create(PLURAL, check(schedule="every day"))
    cluster.create(PLURAL, check("t2-b", suspend=True))
    operator.start()
    cluster.until(lambda: condition(cluster, "Ready") and condition(cluster, "Ready", "t2-b"))
    reported = cluster.until(
        lambda: operator.metrics().get(f"{METRIC_PREFIX}_operator_checks") == 2 and operator.metrics()
    )
    assert reported[series("ready")] == 0
    assert reported[series("suspended", obj_name="t2-b")] == 1


def test_places_and_the_queue_are_measured_and_what_each_run_waits_for(
    cluster: FakeCluster, operator: Operator, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSISTENCY_MAX_CONCURRENT_RUNS", "1")
    script.holds = {"Snapshot"}
    cluster.create(PLURAL, check(trigger={"manual": "1"}))
    operator.start()
    cluster.until(lambda: script.started["Snapshot"])
    cluster.create(PLURAL, check("t2-b", trigger={"manual": "1"}))
    waits = series("run_waits", obj_name="t2-b", reason="Queued")
    reported = cluster.until(lambda: waits in (metrics := operator.metrics()) and metrics)
    own = {name: reported[f"{METRIC_PREFIX}_operator_{name}"] for name in ("places", "places_used", "queue_length")}
    assert own == {"places": 1, "places_used": 1, "queue_length": 1}
    assert [name for name in reported if "run_waits{" in name] == [waits]
    since = reported[series("run_stage_start_timestamp_seconds", stage="Snapshot")]
    assert 1.7e9 < since < reported[series("run_deadline_timestamp_seconds")]
    script.holds.clear()
    cluster.until(lambda: last_run(cluster, "t2-b"))
    cluster.until(lambda: operator.metrics()[f"{METRIC_PREFIX}_operator_places_used"] == 0)
    assert operator.metrics()[f"{METRIC_PREFIX}_operator_queue_length"] == 0


def test_a_backend_that_does_not_answer_is_what_a_run_waits_for(
    cluster: FakeCluster, operator: Operator, backends: Backends
) -> None:
    backends.answer("BackendUnreachable", "no route to the database")
    cluster.create(PLURAL, check(trigger={"manual": "1"}))
    operator.start()
    cluster.until(lambda: operator.metrics().get(series("run_waits", reason="BackendUnreachable")))


def test_the_build_is_told(cluster: FakeCluster, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYNAMO_CONSISTENCY_REVISION", "0a1b2c3")
    operator.start()
    reported = cluster.until(operator.metrics)
    (build,) = [name for name in reported if name.startswith("consistency_operator_build_info")]
    assert f'version="{version("dynamo-consistency")}"' in build
    assert 'revision="0a1b2c3"' in build


def test_the_page_names_every_metric_and_no_other() -> None:
    written = set(re.findall(rf"`{METRIC_PREFIX}_(\w+)`", PAGE.read_text()))
    own = {"runs_total", "requests_total", "operator_failures_total", "operator_checks", "operator_overdue_seconds"}
    own |= {"operator_places", "operator_places_used", "operator_queue_length", "operator_problems"}
    assert written == {gauge.name for gauge in GAUGES} | own


@pytest.mark.parametrize(
    ("name", "values"), [("files", FILES), ("bytes", BYTES), ("last_run_requests", OUTCOMES.values())]
)
def test_the_page_names_every_value_of_a_label(name: str, values: Iterable[str]) -> None:
    (row,) = re.findall(rf"^\| `{METRIC_PREFIX}_{name}` \|.*$", PAGE.read_text(), re.MULTILINE)
    assert [value for value in values if not re.search(rf"\b{value}\b", row)] == []
