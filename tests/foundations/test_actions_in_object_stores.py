"""What excludes two actions of a site where there are no locks: records that only one can create, and a lease."""

import os
import threading

import pytest

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.action.site_lock import site_lock
from dynamo_consistency.run.store.opening import open_storage
from dynamo_consistency.run.store.run_directory import RunStore

UNDER_WAY = "another action of T2_Test is under way"


def test_what_is_created_in_a_store_is_created_once(store):
    run = store.run("T2_Test", "run")
    assert run.create("actions/00001-asked.json", "first")
    assert not run.create("actions/00001-asked.json", "second")
    with run.reading("actions/00001-asked.json") as path:
        assert path.read_text() == "first"
    assert run.names("actions") == ["actions/00001-asked.json"]


def test_of_many_that_create_one_object_at_the_same_time_one_is_told_that_it_did(s3):
    wrote = []
    everyone = threading.Barrier(6)

    def write(number):
        everyone.wait()
        if open_storage(s3).create("claim", str(number)):
            wrote.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open_storage(s3).reading("claim") as path:
        assert [int(path.read_text())] == wrote


def test_the_actions_of_a_site_in_an_object_store_exclude_each_other_across_hosts(s3, tmp_path, monkeypatch):
    store = RunStore(s3)
    with site_lock(store, "T2_Test") as lock:
        lock.confirm()
        monkeypatch.setenv("TMPDIR", str(tmp_path))  # as another host, or another user, has it
        with pytest.raises(ConsistencyError, match=UNDER_WAY), site_lock(store, "T2_Test"):
            pytest.fail("two actions at the same time")
        with site_lock(store, "T2_Other"):
            pass
    with site_lock(store, "T2_Test"):
        pass
    assert os.listdir(tmp_path) == []  # noqa: PTH208 (a name is enough)
