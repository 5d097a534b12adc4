"""Whose run it is: a run directory is claimed by one check, on a local path and on an object store."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.run.store.owner import Owner
from dynamo_consistency.run.store.run_directory import CHECK, CLAIM, RunDirectory, RunStore


def named(check: SiteConsistencyCheck, **metadata: str) -> SiteConsistencyCheck:
    return check.model_copy(update={"metadata": check.metadata.model_copy(update=metadata)})


OTHERS = [{"name": "other"}, {"namespace": "tests"}, {"uid": "made-again"}]


def test_a_file_is_created_once(store, check):
    run = store.create(check, "1")
    assert run.create("lock.json", "first")
    assert not run.create("lock.json", "second")
    with run.reading("lock.json") as path:
        assert path.read_bytes() == b"first"
    assert run.create("deep/below/bytes", b"\xff\x00")


def test_of_many_that_create_a_file_at_the_same_time_one_is_told_so(store, check):
    run = store.create(check, "1")
    start = threading.Barrier(8)

    def create(number: int) -> bool:
        start.wait()
        return RunDirectory(run.url).create("lock.json", str(number) * 1000)

    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(create, range(8)))
    assert told.count(True) == 1
    with run.reading("lock.json") as path:
        assert path.read_text() == str(told.index(True)) * 1000
    assert run.names("") == [f"/{CHECK}", f"/{CLAIM}", "/lock.json"]


def test_runs_that_begin_in_one_second_have_directories_of_their_own(store, check, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_790_000_000.0)
    start = threading.Barrier(4)

    def create(_: int) -> RunDirectory:
        start.wait()
        return store.create(check)

    with ThreadPoolExecutor(4) as threads:
        runs = list(threads.map(create, range(4)))
    first = "20260921T141320Z-site"
    assert sorted(run.run_id for run in runs) == [first, *(f"{first}-{number}" for number in (2, 3, 4))]
    assert store.create(named(check, name="other")).run_id == "20260921T141320Z-other"


@pytest.mark.parametrize("other", OTHERS)
def test_a_run_directory_is_not_given_to_another_check(store, check, other):
    run = store.create(check, "1")
    with pytest.raises(ConfigurationError, match=r"is a run of the check site and not of .*; nothing was changed"):
        store.create(named(check, **other), "1")
    assert run.check() == check
    assert run.owner == Owner("site")


@pytest.mark.parametrize("other", OTHERS)
def test_a_run_of_before_there_were_claims_belongs_to_the_check_in_it(store, check, other):
    store.create(check, "1").remove(CLAIM)
    assert store.run("T2_X", "1").owner == Owner("site")
    assert store.create(check, "1").check() == check
    with pytest.raises(ConfigurationError, match="is a run of the check site"):
        store.create(named(check, **other), "1")


def test_a_stage_that_died_after_its_claim_can_be_run_again(store, check):
    run = store.create(check, "1")
    run.remove(CHECK)
    assert store.runs("T2_X") == []
    with pytest.raises(ConfigurationError):
        store.create(named(check, name="other"), "1")
    assert store.create(check, "1").check() == check


@pytest.mark.parametrize("garbage", ["", "[]", '{"name": 5}', '{"name": "site", "uid": []}', "\x00" * 20])
def test_a_run_whose_claim_is_garbled_is_nobodys(store, check, garbage):
    store.create(check, "1").write_text(CLAIM, garbage)
    with pytest.raises(ConfigurationError, match="does not say whose run it is"):
        store.create(check, "1")


def test_a_claim_whose_answer_was_lost_is_known_by_its_token(store, check, monkeypatch):
    """The store has taken it and, asked once more by its client, says that it is there."""
    create = RunDirectory.create

    def unheard(run: RunDirectory, name: str, data: bytes | str) -> bool:
        return create(run, name, data) and name != CLAIM

    monkeypatch.setattr(RunDirectory, "create", unheard)
    run = store.run("T2_X", "1")
    assert run.claim(Owner("site"))
    assert not store.run("T2_X", "1").claim(Owner("site"))


def test_a_claim_says_in_plain_json_whose_the_run_is(tmp_path, check):
    run = RunStore(str(tmp_path)).create(named(check, namespace="sites", uid="5"), "1")
    claim = json.loads((tmp_path / "T2_X" / "1" / CLAIM).read_text())
    assert {key: claim[key] for key in ("name", "namespace", "uid")} == run.owner.as_json()
    assert str(run.owner) == "sites/site"


@pytest.mark.parametrize("number", [1, 95])  # EPERM, EOPNOTSUPP
def test_a_file_system_without_links_creates_once_as_well(tmp_path, check, monkeypatch, number):
    def link(*_: object) -> None:
        raise OSError(number, "no links here")

    monkeypatch.setattr("os.link", link)
    run = RunStore(str(tmp_path)).create(check, "1")
    assert run.create("lock.json", "first")
    assert not run.create("lock.json", "second")
    assert (tmp_path / "T2_X" / "1" / "lock.json").read_text() == "first"
