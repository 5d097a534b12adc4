"""Run directories in object stores of two makes: what is created there is created once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import fsspec
import pytest

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.run.store.run_directory import CLAIM, RunDirectory, RunStore


@pytest.fixture
def run_store(store, monkeypatch) -> RunStore:
    monkeypatch.setenv("AWS_ENDPOINT_URL", store.endpoint)
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    yield RunStore(f"{store.url}/runs")
    fsspec.get_filesystem_class("s3").clear_instance_cache()


def check_named(name: str) -> SiteConsistencyCheck:
    return SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": name},
            "spec": {"site": "T2_X", "listing": {"roots": [{"path": "/store/mc"}]}},
        }
    )


def test_of_many_that_create_an_object_at_the_same_time_one_is_told_so(run_store):
    start = threading.Barrier(8)
    url = run_store.run("T2_X", "1").url

    def create(number: int) -> bool:
        start.wait()
        return RunDirectory(url).create("lock.json", str(number) * 1000)

    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(create, range(8)))
    assert told.count(True) == 1
    with RunDirectory(url).reading("lock.json") as path:
        assert path.read_text() == str(told.index(True)) * 1000


def test_the_put_itself_is_conditional(run_store, monkeypatch):
    """As it is for one that looked just before another has created it."""
    run = run_store.run("T2_X", "1")
    assert run.create("lock.json", "first")
    monkeypatch.setattr("dynamo_consistency.run.store.remote_storage.RemoteStorage.exists", lambda *_: False)
    assert not run.create("lock.json", "second")
    with RunDirectory(run.url)._storage.reading("lock.json") as path:
        assert path.read_text() == "first"


def test_a_run_belongs_to_the_check_that_has_claimed_it(run_store):
    run = run_store.create(check_named("mc"), "1")
    assert run.exists(CLAIM)
    assert run_store.create(check_named("mc"), "1").owner == run.owner
    with pytest.raises(ConfigurationError, match="is a run of the check mc and not of data"):
        run_store.create(check_named("data"), "1")
    assert abs(run.modified(CLAIM) - run_store.create(check_named("mc")).modified(CLAIM)) < 60
