"""People are told of runs by the operator: each thing once, also across restarts, and nothing waits for it."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_checks import check, condition, last_run, run_after, stage_of
from consistency_operator.loop import notifier
from consistency_operator.loop.notifier import Notifier
from consistency_operator.names import ANNOTATION_APPROVE, PLURAL
from consistency_operator.resource.check import from_body
from consistency_operator.resource.reasons import EventReason
from consistency_operator.resource.status import CheckStatus, FinishedRun
from consistency_operator.settings import read_settings
from fake_cluster import FakeCluster
from kopf_thread import Operator
from notice_servers import WebHook, silent_server, webhook
from scripted_pods import Script, ends_with, gates

from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.notify import process
from dynamo_consistency.notify.events import EVENTS
from dynamo_consistency.notify.sending import INSTALL

RUNNING = pytest.mark.usefixtures("jobs", "quick_answers")


@pytest.fixture
def addresses(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(notifier, "GATHERING", 0.05)
    monkeypatch.setenv("CONSISTENCY_NOTIFY_URLS_FILE", str(tmp_path / "urls"))
    return tmp_path / "urls"


@pytest.fixture
def hook(addresses: Path) -> Iterator[WebHook]:
    with webhook() as hook:
        addresses.write_text(hook.url)
        yield hook


@RUNNING
def test_an_approval_that_is_wanted_and_what_it_led_to_are_told_once_also_after_a_restart(
    cluster: FakeCluster, operator: Operator, script: Script, hook: WebHook
) -> None:
    script.gates = gates(Approval="Pending", Limits="Rejected")
    cluster.create(PLURAL, check(trigger={"manual": "1"}))
    operator.start()
    cluster.until(lambda: stage_of(cluster) == "AwaitingApproval")
    run = cluster.get(PLURAL, "t2-a")["status"]["run"]["id"]
    cluster.until(lambda: hook.received)
    assert hook.subjects == [f"T2_A: run {run} waits for approval"]
    approve = f"kubectl -n default annotate sitecheck t2-a --overwrite --field-manager=$USER {ANNOTATION_APPROVE}={run}"
    for line in ("Limits: a sentence", "Look: kubectl -n default describe sitecheck t2-a", f"Approve: {approve}"):
        assert line in hook.received[0]["message"].splitlines()
    operator.restart()
    cluster.patch(PLURAL, "t2-a", {"metadata": {"annotations": {ANNOTATION_APPROVE: run}}})
    cluster.until(lambda: last_run(cluster))
    cluster.until(lambda: len(hook.received) > 1)
    assert hook.subjects[1:] == [f"T2_A: 3 deletions requested by run {run}"]


@RUNNING
def test_a_run_that_fails_is_told_and_one_that_finds_nothing_new_is_not(
    cluster: FakeCluster, operator: Operator, script: Script, hook: WebHook
) -> None:
    script.gates = gates(Inventory="Rejected", Confirmation="Pending")
    cluster.create(PLURAL, check(trigger={"manual": "1"}))
    operator.start()
    first = cluster.until(lambda: last_run(cluster))["id"]
    cluster.until(lambda: hook.received)
    assert hook.subjects == [f"T2_A: gate Inventory closed in run {first}"]
    cluster.patch(PLURAL, "t2-a", {"spec": {"trigger": {"manual": "2"}}})
    second = run_after(cluster, first)["id"]
    script.ends["Listing"] = ends_with(1, "no door answers")
    cluster.patch(PLURAL, "t2-a", {"spec": {"trigger": {"manual": "3"}}})
    third = run_after(cluster, second)["id"]
    cluster.until(lambda: len(hook.received) > 1)
    assert hook.subjects[1:] == [f"T2_A: run {third} has failed"]
    assert "ListingFailed: " in hook.received[1]["message"]


@pytest.fixture
def hanging(addresses: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The only address leads to a server that never says a word, and there is much time for it."""
    monkeypatch.setattr(process, "SECONDS", 600)
    monkeypatch.setattr(notifier, "PATIENCE", 0.5)
    with silent_server() as port:
        addresses.write_text(f"json://robot:passwordofours@127.0.0.1:{port}/tokenofours?rto=600")
        yield


@RUNNING
@pytest.mark.usefixtures("hanging")
def test_a_server_that_hangs_keeps_no_run_waiting_and_is_one_line_without_a_secret(
    cluster: FakeCluster, operator: Operator, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    script.ends["Listing"] = ends_with(1, "no door answers")
    cluster.create(PLURAL, check(trigger={"manual": "1"}))
    operator.start()
    first = cluster.until(lambda: last_run(cluster))["id"]
    cluster.patch(PLURAL, "t2-a", {"spec": {"trigger": {"manual": "2"}}})
    run_after(cluster, first)
    operator.stop()
    unsent = [record.getMessage() for record in caplog.records if "notification" in record.getMessage()]
    assert len(unsent) == 2
    assert all("the operator ends" in line for line in unsent)
    assert "passwordofours" not in caplog.text + str(condition(cluster, "Succeeded"))
    assert "tokenofours" not in caplog.text


def resource():  # type: ignore[no-untyped-def]
    body = check() | {"apiVersion": "consistency.dynamo.io/v1alpha1", "kind": "SiteConsistencyCheck"}
    return from_body(body | {"metadata": {"name": "t2-a", "namespace": "grid", "uid": "u"}})


def status(*results: str) -> CheckStatus:
    """With these runs, oldest first."""
    at = "2026-11-22T03:00:00Z"
    runs = [
        FinishedRun.model_validate(
            {"id": str(number), "trigger": "Manual", "startTime": at, "completionTime": at, "result": result,
             "reason": "ListingFailed", "message": "no door answers"}
        )
        for number, result in enumerate(results, 1)
    ]  # fmt: skip
    return CheckStatus(history=runs[::-1])


@pytest.fixture
def sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The messages that the process was given."""
    answer = """echo '{"problems": []}'"""
    monkeypatch.setattr(process, "command", lambda _: ["sh", "-c", f"cat >> {tmp_path}/sent; {answer}"])
    monkeypatch.setattr(notifier, "GATHERING", 0.05)
    return tmp_path / "sent"


def tell(tmp_path: Path, transitions: list[tuple[CheckStatus, CheckStatus]], **settings: str) -> None:
    """What an operator does that writes these statuses, and ends."""

    async def telling() -> None:
        environment = {"CONSISTENCY_IMAGE": "i", "CONSISTENCY_NOTIFY_URLS_FILE": str(tmp_path / "urls")} | settings
        notifying = Notifier(read_settings(environment))
        for before, after in transitions:
            notifying.wrote(resource(), before, after)
        await notifying.stop()

    asyncio.run(telling())


def test_when_many_fail_at_the_same_time_one_message_tells_all(sent: Path, tmp_path: Path) -> None:
    tell(tmp_path, [(status(), status("Failed"))] * 40)
    assert sent.read_text().count('"subject"') == 1
    assert "40 messages: 40 runs have failed" in sent.read_text()


def test_a_status_that_is_written_again_and_a_withdrawn_run_tell_nothing(sent: Path, tmp_path: Path) -> None:
    failed = status("Failed")
    tell(tmp_path, [(failed, failed), (failed, status("Failed", "Withdrawn")), (status(), status("Complete"))])
    assert not sent.exists()


def test_only_events_that_are_wanted_are_told(sent: Path, tmp_path: Path) -> None:
    tell(tmp_path, [(status(), status("Failed"))], CONSISTENCY_NOTIFY_EVENTS="GateClosed, ApprovalRequired")
    assert not sent.exists()


def test_nobody_is_told_where_no_file_is_named(sent: Path, tmp_path: Path) -> None:
    tell(tmp_path, [(status(), status("Failed"))], CONSISTENCY_NOTIFY_URLS_FILE="")
    assert not sent.exists()


def test_what_is_not_there_is_told_at_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.WARNING):
        tell(tmp_path, [])
        (line,) = [record.getMessage() for record in caplog.records]
        assert "CONSISTENCY_NOTIFY_URLS_FILE" in line
        (tmp_path / "urls").touch()
        monkeypatch.setattr(notifier, "find_spec", lambda _: None)
        tell(tmp_path, [])
    assert [record.getMessage() for record in caplog.records][1:] == [INSTALL]


def test_a_url_in_place_of_a_file_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigurationError, match="must be the path of a file") as error:
        read_settings({"CONSISTENCY_IMAGE": "i", "CONSISTENCY_NOTIFY_URLS_FILE": "slack://tokenofours"})
    assert "tokenofours" not in str(error.value)


def test_what_is_told_is_called_as_the_events_of_the_resource_are() -> None:
    assert set(EVENTS) <= set(EventReason)
