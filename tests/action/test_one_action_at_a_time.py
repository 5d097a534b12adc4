"""One action of a site at a time, on whatever host, and a journal that is never overwritten (rules.md, gate 10)."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from laboratory import FOUND, MISMATCH, ORPHAN

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.action import lease as lease_module
from dynamo_consistency.run.action.journal import Journal
from dynamo_consistency.run.action.lease import Lease
from dynamo_consistency.run.action.site_lock import site_lock
from dynamo_consistency.run.store.local_storage import LocalStorage
from dynamo_consistency.run.store.run_directory import RunStore
from dynamo_consistency.run.store.storage import Storage

UNDER_WAY = "another action of T2_Test is under way"


@pytest.fixture
def storage(tmp_path) -> Storage:
    """A store whose files are created as the objects of an object store are."""
    return LocalStorage(tmp_path)


@pytest.fixture
def quickly(monkeypatch) -> None:
    monkeypatch.setattr(lease_module, "RENEW_SECONDS", 0.05)
    monkeypatch.setattr(lease_module, "VALID_SECONDS", 0.5)
    monkeypatch.setattr(lease_module, "WATCH_SECONDS", 0.3)


def dead(storage: Storage, age: float = 3600.0) -> None:
    """The lease of an action that died."""
    record = {"holder": "a host that is gone", "renewedAt": time.time() - age, "released": False}
    assert storage.create("action-lease-00007.json", json.dumps(record))


@contextmanager
def held(storage: Storage) -> Iterator[Lease]:
    lease = Lease(storage, "T2_Test")
    with lease.held():
        yield lease


def test_a_lease_is_given_up_at_the_end_and_taken_at_once_by_the_next(storage, monkeypatch):
    monkeypatch.setattr(lease_module, "WATCH_SECONDS", 600)
    began = time.monotonic()
    for _ in range(3):
        with held(storage) as lease:
            lease.confirm()
    assert time.monotonic() - began < 60
    assert len(storage.entries("", "file")) == 1, "the leases of before are removed"


def test_a_lease_that_another_has_written_over_is_lost(storage):
    """There are object stores that take no notice of the condition that nothing may be there yet."""
    with held(storage) as lease:
        lease.confirm()
        (name,) = storage.entries("", "file")
        with storage.writing(name) as path:
            path.write_text(json.dumps({"holder": "another", "renewedAt": time.time(), "released": False}))
        with pytest.raises(ConsistencyError, match=UNDER_WAY):
            lease.confirm()


def test_a_lease_that_another_holds_is_refused_at_once_with_a_sentence(storage):
    with held(storage) as first:
        with (
            pytest.raises(ConsistencyError, match=f"{UNDER_WAY}; nothing was requested by this one"),
            held(storage),
        ):
            pytest.fail("two actions at the same time")
        first.confirm()


def test_a_lease_is_given_up_when_the_action_fails(storage):
    with pytest.raises(ZeroDivisionError), held(storage):
        raise ZeroDivisionError
    with held(storage):
        pass


def test_a_long_action_keeps_its_lease(storage, quickly):
    with held(storage):
        time.sleep(1.2)
        with pytest.raises(ConsistencyError, match=UNDER_WAY), held(storage):
            pytest.fail("two actions at the same time")


@pytest.mark.parametrize("age", [3600.0, -3600.0], ids=["clock behind", "clock ahead"])
def test_a_lease_that_is_still_renewed_is_not_taken_whatever_the_clocks_say(storage, quickly, age):
    dead(storage, age)
    renewed = threading.Event()

    def renew():
        while not renewed.wait(0.05):
            record = {"holder": "alive", "renewedAt": time.time() - age, "released": False}
            with storage.writing("action-lease-00007.json") as path:
                path.write_text(json.dumps(record))

    thread = threading.Thread(target=renew)
    thread.start()
    try:
        with pytest.raises(ConsistencyError, match=UNDER_WAY), held(storage):
            pytest.fail("two actions at the same time")
    finally:
        renewed.set()
        thread.join()


def test_the_lease_of_an_action_that_died_is_taken_over_when_it_is_not_renewed(storage, quickly):
    dead(storage)
    with held(storage) as lease:
        lease.confirm()


def test_of_many_that_take_over_the_lease_of_a_dead_action_one_gets_it(storage, quickly):
    dead(storage)
    got, refused = [], []
    everyone = threading.Barrier(8)

    def act():
        try:
            everyone.wait()
            with held(storage) as lease:
                lease.confirm()
                got.append(lease)
                time.sleep(1)
        except ConsistencyError:
            refused.append(1)

    threads = [threading.Thread(target=act) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 7)


def test_an_action_that_was_silent_for_too_long_asks_for_nothing_more(storage):
    with held(storage) as slept:
        storage.create("action-lease-00002.json", "{}")
        with pytest.raises(ConsistencyError, match=f"{UNDER_WAY}; nothing more was requested"):
            slept.confirm()
    assert storage.entries("", "file")[-1] == "action-lease-00002.json", "what the other holds is left alone"


def test_a_garbled_lease_is_watched_and_taken_over(storage, quickly):
    storage.create("action-lease-00003.json", "\x00{")
    with held(storage) as lease:
        lease.confirm()


def test_an_action_that_has_lost_its_lock_does_not_make_the_next_request(waiting, monkeypatch):
    from dynamo_consistency.run.action import site_lock as locks

    confirmed = []

    def confirm(self):
        confirmed.append(1)
        if len(confirmed) > 1:
            raise ConsistencyError("another action has taken over")

    monkeypatch.setattr(locks._FileLock, "confirm", confirm)
    with pytest.raises(ConsistencyError, match="taken over"):
        waiting.approve()
    assert [path for _, path in waiting.asked()] == [MISMATCH]
    assert set(waiting.outcomes().values()) == {"requested", "left over"}


@pytest.mark.parametrize("made_anew", [False, True], ids=["removed", "removed, and another action has made its own"])
def test_an_action_whose_lock_a_person_has_removed_makes_no_further_request(waiting, made_anew):
    """A file that is taken for a stale lock is removed, and the next action begins beside the one that still works."""
    lock = Path(waiting.store.url) / "T2_Test/.action.lock"

    def remove():
        lock.unlink(missing_ok=True)
        if made_anew:
            lock.touch()

    waiting.world.after_call.append(remove)
    with pytest.raises(ConsistencyError, match=r"the lock .* was removed, so that another action"):
        waiting.approve()
    assert len(waiting.asked()) == 1


def test_nothing_of_the_lock_is_left_in_the_folder_for_temporary_files(waiting, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    with site_lock(waiting.store, "T2_Test"):
        pass
    assert not (tmp_path / "tmp").exists()


def test_a_lock_that_may_not_be_opened_ends_with_a_sentence(tmp_path):
    (tmp_path / "T2_Test").mkdir()
    (tmp_path / "T2_Test/.action.lock").mkdir()
    with (
        pytest.raises(ConsistencyError, match=r"the lock .* cannot be used: Is a directory; nothing was requested"),
        site_lock(RunStore(str(tmp_path)), "T2_Test"),
    ):
        pytest.fail("it was opened")


# ------------------------------------------------------------------------------------------------------- the journal


def test_two_actions_that_both_believe_themselves_alone_ask_for_nothing_twice(waiting):
    """As two hosts on a network file system without locks do: the second finds the first one's record, and ends."""
    other = Journal(waiting.runs()[-1])
    waiting.approve()
    with pytest.raises(ConsistencyError, match=f"{UNDER_WAY}; nothing more was requested"):
        other.ask("orphans", [ORPHAN], [])
    assert [path for _, path in waiting.asked()].count(ORPHAN) == 1


def test_a_record_of_the_other_action_ends_this_one_before_it_asks(waiting):
    run = waiting.runs()[-1]
    record = {"kind": "missing", "askedAt": 1.0, "gates": [], "files": []}

    def the_other_is_quicker():
        assert run.create("actions/00002-asked.json", json.dumps(record))

    waiting.world.after_call.append(the_other_is_quicker)
    with pytest.raises(ConsistencyError, match=UNDER_WAY):
        waiting.approve()
    assert [path for _, path in waiting.asked()] == [MISMATCH]


@pytest.mark.parametrize("stray", [".nfs0000000000000123", "lost+found", "0001-ask.json~", "README", "1-asked.json"])
def test_files_among_the_requests_that_nobody_of_ours_wrote_are_passed_over(waiting, stray):
    with waiting.runs()[-1].writing(f"actions/{stray}") as path:
        path.write_text("x")
    waiting.approve()
    assert [path for _, path in waiting.asked()] == FOUND


@pytest.mark.parametrize("content", ["", "{", "[]", '{"kind": "orphans"}', "\x00" * 20])
def test_a_garbled_record_of_ours_ends_the_action_with_a_sentence_that_names_it(waiting, content):
    with waiting.runs()[-1].writing("actions/00001-asked.json") as path:
        path.write_text(content)
    with pytest.raises(ConsistencyError, match=r"actions/00001-asked.json of run .* cannot be read"):
        waiting.approve()
    assert waiting.asked() == []
