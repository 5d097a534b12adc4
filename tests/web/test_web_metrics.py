"""`/metrics`: the operator's gauges by the same names, from run directories."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from consistency_operator.metrics import gauges
from made_runs import Made, action
from prometheus_client.parser import text_string_to_metric_families

from dynamo_consistency.gauges import BECAME, BYTES, FILES, LABELS
from dynamo_consistency.web import metrics


@pytest.fixture
def samples(client):
    """{(name without prefix, further labels): value} of the only check."""

    def read() -> dict:
        families = text_string_to_metric_families(client.get("/metrics").text)
        return {
            (
                sample.name.removeprefix("site_consistency_"),
                *(value for name, value in sorted(sample.labels.items()) if name not in LABELS),
            ): sample.value
            for family in families
            for sample in family.samples
        }

    return read


def test_names_labels_and_meanings_are_those_of_the_operator():
    of_operator = {gauge.name: (gauge.help, gauge.labels) for gauge in gauges.GAUGES}
    ours = {gauge.name: (gauge.help, gauge.labels) for gauge in metrics.GAUGES}
    assert ours.items() <= of_operator.items()
    assert of_operator.keys() - ours.keys() == {
        "ready",
        "suspended",
        "created_timestamp_seconds",
        "run_stage",
        "run_stage_start_timestamp_seconds",
        "run_waits",
    }


@pytest.mark.parametrize(
    ("name", "number"), [("files", len(FILES)), ("bytes", len(BYTES)), ("holes", 1), ("followed_requests", len(BECAME))]
)
def test_counts_are_told_as_by_the_operator(name, number):
    followed = [f"requests{word}" for word in BECAME]
    counts = {count: place for place, count in enumerate([*FILES, *BYTES, *followed, "holes", "another"])}
    complete = SimpleNamespace(result="Complete", counts=counts)
    ours = metrics.Known(("grid", "t2-x", "T2_X"), SimpleNamespace(complete=complete), None, None)
    of_operator = SimpleNamespace(status=SimpleNamespace(history=[complete]))
    [told] = [gauge.values(ours) for gauge in metrics.GAUGES if gauge.name == name]
    assert len(told) == number
    assert [told] == [gauge.values(of_operator) for gauge in gauges.GAUGES if gauge.name == name]


def test_outcomes_are_those_of_the_operator():
    from consistency_operator.resource.status import Requests

    of_operator = {outcome for outcome, _ in gauges._outcomes_of(Requests(kind="missing"))}
    assert set(metrics.OUTCOMES.values()) == of_operator


def test_numbers_are_those_of_the_last_complete_run(store, samples):
    counts = {"missing": 3, "missingBytes": 30, "holes": 2, "requestsRecovered": 4}
    complete = Made(
        start=datetime.now(UTC) - timedelta(days=2),
        counts=counts,
        closed={"Confirmation": ("Pending", "wait")},
        actions={"missing": action("transfer", 3, requested=2, skipped={"back": 1})},
        schedule="0 3 * * *",
        namespace="grid",
    )
    complete.write(store)
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    failed = Made(start=an_hour_ago, result="Failed", reason="x", schedule="0 3 * * *", namespace="grid")
    failed.write(store)
    found = samples()
    assert found["files", "missing"] == 3
    assert found["bytes", "missingBytes"] == 30
    assert found["holes",] == 2
    assert found["gate_closed", "Confirmation"] == 1
    assert found["followed_requests", "recovered"] == 4
    assert found["last_run_requests", "missing", "requested", "transfer"] == 2
    assert found["last_run_requests", "missing", "skipped", "transfer"] == 1
    assert found["last_run_result", "", "Failed"] == 1
    assert found["last_run_timestamp_seconds",] == failed.start.timestamp()
    assert found["last_success_timestamp_seconds",] == complete.start.timestamp() + 600
    assert found["expected_interval_seconds",] == 86400
    assert found["awaiting_approval",] == 0


def test_labels_name_namespace_check_and_site(client, store):
    Made(namespace="grid").write(store)
    Made(site="T2_Y", check="t2-y").write(store)
    text = client.get("/metrics").text
    assert 'site_consistency_holes{obj_name="t2-x",obj_namespace="grid",site="T2_X"} 0.0' in text
    assert 'site_consistency_holes{obj_name="t2-y",obj_namespace="",site="T2_Y"} 0.0' in text


def test_a_run_that_goes_on_has_its_start(store, samples):
    Made(start=datetime.now(UTC) - timedelta(days=1)).write(store)
    running = Made(start=datetime.now(UTC) - timedelta(hours=1), result=None)
    running.write(store)
    found = samples()
    assert found["run_start_timestamp_seconds",] == running.start.timestamp()
    assert found["run_deadline_timestamp_seconds",] == running.start.timestamp() + 2 * 86400
