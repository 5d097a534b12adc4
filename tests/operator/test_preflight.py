"""At the start of a run site and backend are asked, in a process that cannot hold up anything else."""

import asyncio
import time
from pathlib import Path

import pytest
from asked_backends import Backends, asking
from cluster_checks import check
from consistency_operator.loop import preflight
from consistency_operator.loop.preflight import Preflights
from consistency_operator.plan import Preflight
from consistency_operator.settings import OperatorSettings

from dynamo_consistency.check import API_VERSION, KIND, SiteConsistencyCheck


@pytest.fixture
def settings(environment: dict[str, str]) -> OperatorSettings:
    return OperatorSettings(image="x", backends=environment["CONSISTENCY_BACKENDS"], preflight_seconds=10)


def asked(settings: OperatorSettings, mood: str = "", *, source: bool = True, **spec: str) -> Preflight:
    """What the backend `ready_site` answers in this mood."""
    if mood:
        Path(settings.backends).with_name("mood").write_text(mood)
    body = check(**spec)
    if not source:
        del body["spec"]["listing"]["source"]
    document = SiteConsistencyCheck.model_validate({"apiVersion": API_VERSION, "kind": KIND, **body})
    return asyncio.run(Preflights(settings).ask(document, "29412180"))


def test_a_ready_site_may_be_checked(settings: OperatorSettings) -> None:
    answer = asked(settings, source=False)
    assert (answer.ok, answer.reason, answer.run_id) == (True, "", "29412180")


def test_a_site_that_is_not_ready_is_said_to_be_so(settings: OperatorSettings) -> None:
    answer = asked(settings, "closed")
    assert (answer.ok, answer.reason) == (False, "SiteNotReady")
    assert answer.message == "the backend default says that T2_A is not ready"


def test_a_site_that_nothing_lists_is_not_ready(settings: OperatorSettings) -> None:
    answer = asked(settings, "unlisted", source=False)
    assert answer.reason == "SiteNotReady"
    assert "set spec.listing.source" in answer.message


def test_listers_are_not_asked_for_where_the_check_says_what_lists_the_site(settings: OperatorSettings) -> None:
    assert asked(settings, "unlisted", source=True).ok


def test_a_backend_that_fails_is_unreachable_and_its_credentials_are_not_told(settings: OperatorSettings) -> None:
    answer = asked(settings, "broken")
    assert (answer.ok, answer.reason) == (False, "BackendUnreachable")
    assert "refused the connection" in answer.message
    assert "hunter2" not in answer.message


def test_a_backend_that_is_not_configured_is_named(settings: OperatorSettings) -> None:
    answer = asked(settings, backend="nosuch")
    assert answer.reason == "Misconfigured"
    assert "nosuch" in answer.message


def test_a_backends_file_that_is_not_there_is_named(settings: OperatorSettings) -> None:
    answer = asked(settings.model_copy(update={"backends": "/nowhere/backends.yaml"}))
    assert answer.reason == "Misconfigured"
    assert "/nowhere/backends.yaml" in answer.message


@pytest.mark.parametrize("mood", ["ready", "closed", "broken"])
def test_a_site_that_the_backend_does_not_have_is_a_name_that_was_mistyped(
    settings: OperatorSettings, mood: str
) -> None:
    answer = asked(settings, mood, site="T2_AA")
    if mood == "ready":  # it says so itself: who could know better
        assert answer.ok
        return
    assert answer.reason == "Misconfigured"
    assert answer.message == "the backend default knows no site T2_AA; did you mean T2_A?"


def test_another_backends_file_is_another_version(settings: OperatorSettings) -> None:
    preflights, file = Preflights(settings), Path(settings.backends)
    before = preflights.backends_version()
    assert before == preflights.backends_version()
    file.write_text(file.read_text() + "\n")
    assert preflights.backends_version() not in ("", before)
    file.unlink()
    assert preflights.backends_version() == ""


def test_a_backend_that_hangs_is_given_up_and_its_process_ended(settings: OperatorSettings, backends: Backends) -> None:
    began = time.monotonic()
    answer = asked(settings.model_copy(update={"preflight_seconds": 2}), "hanging")
    assert time.monotonic() - began < 60, "it would hang for ever"
    assert answer.reason == "BackendUnreachable"
    assert answer.message == "the backend default did not answer within 2 seconds"
    assert not asking(backends)


def test_a_process_that_dies_says_its_last_words(settings: OperatorSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> Preflight:
        document = SiteConsistencyCheck.model_validate({"apiVersion": API_VERSION, "kind": KIND, **check()})
        return await Preflights(settings).ask(document, "1")

    dying = ("sh", "-c", "echo mysql://me:hunter2@db is no place >&2; exit 137")
    monkeypatch.setattr(preflight, "COMMAND", dying)
    answer = asyncio.run(ask())
    assert answer.reason == "BackendUnreachable"
    assert answer.message == "the backend default could not be asked: exit code 137, mysql://me:***@db is no place"


def test_no_more_backends_are_asked_at_a_time_than_settings_allow(
    settings: OperatorSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask() -> list[Preflight]:
        document = SiteConsistencyCheck.model_validate({"apiVersion": API_VERSION, "kind": KIND, **check()})
        counting = f"mkdir {tmp_path}/one || touch {tmp_path}/too-many; sleep 0.1; rmdir {tmp_path}/one"
        monkeypatch.setattr(preflight, "COMMAND", ("sh", "-c", counting))
        preflights = Preflights(settings.model_copy(update={"max_concurrent_preflights": 1}))
        return await asyncio.gather(*(preflights.ask(document, str(i)) for i in range(4)))

    assert [answer.ok for answer in asyncio.run(ask())] == [False] * 4
    assert not (tmp_path / "too-many").exists()
