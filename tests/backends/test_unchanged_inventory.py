"""A dump that provably has not changed is read once: the second snapshot is a copy of the first."""

import errno
import os
from pathlib import Path

import pytest

from dynamo_consistency.backend.file import Options, open_backend, version
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import BackendError
from dynamo_consistency.run.snapshot import take_snapshot
from dynamo_consistency.run.store.run_directory import RunStore

SITE = "T2_X"
NAME = "/store/mc/Era/Primary/TIER/v1/file{}.root"
CHECK = {
    "apiVersion": "consistency.dynamo.io/v1alpha1",
    "kind": "SiteConsistencyCheck",
    "metadata": {"name": "mine"},
    "spec": {"site": SITE, "listing": {"roots": [{"path": "/store/mc"}]}},
}


@pytest.fixture
def dump(tmp_path, monkeypatch):
    monkeypatch.setattr(version, "SETTLED_SECONDS", -60)
    path = tmp_path / "dump.tsv"
    path.write_text(f"{NAME.format(1)}\t5\n{NAME.format(2)}\t6\n")
    return path


@pytest.fixture
def run(tmp_path):
    return RunStore(str(tmp_path / "runs")).create(SiteConsistencyCheck.model_validate(CHECK))


def backend_on(dump, **options):
    inventory = {"url": str(dump), "columns": {"path": 1, "size": 2}} | options
    return open_backend(Options.model_validate({"sites": {SITE: {"inventory": inventory}}}))


def content(run, name):
    with run.reading(f"inventory/{name}.parquet") as path:
        return path.read_bytes()


def test_the_second_snapshot_of_an_unchanged_dump_is_a_copy_with_its_own_time(run, dump, monkeypatch):
    backend = backend_on(dump)
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    dump_date = 2_000_000_000 - 100
    os.utime(dump, (dump_date, dump_date))
    before = take_snapshot(run, backend, "before")
    monkeypatch.setattr("time.time", lambda: 2_000_000_060.0)
    monkeypatch.setattr("dynamo_consistency.run.snapshot._write", None)  # it is not read again
    after = take_snapshot(run, backend, "after")
    assert after == before | {"takenAt": 2_000_000_060}
    assert content(run, "after") == content(run, "before")


def test_it_is_copied_where_a_file_system_has_no_links(run, dump, monkeypatch):
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    take_snapshot(run, backend_on(dump), "before")
    take_snapshot(run, backend_on(dump), "after")
    assert content(run, "after") == content(run, "before")


@pytest.mark.parametrize("restored", [False, True], ids=["with its new time", "with its old time"])
def test_a_dump_of_the_same_length_that_was_written_anew_is_read_again(run, dump, restored):
    backend = backend_on(dump)
    times = dump.stat()
    take_snapshot(run, backend, "before")
    dump.write_text(dump.read_text().replace("file2", "file3"))
    if restored:
        os.utime(dump, ns=(times.st_atime_ns, times.st_mtime_ns))
    take_snapshot(run, backend, "after")
    assert content(run, "after") != content(run, "before")


def test_a_dump_that_is_read_in_another_way_is_another_version(dump):
    assert backend_on(dump).inventory.content_version(SITE) == backend_on(dump).inventory.content_version(SITE)
    other = backend_on(dump, columns={"path": 1, "checksum": 2})
    assert other.inventory.content_version(SITE) != backend_on(dump).inventory.content_version(SITE)


def test_a_dump_that_was_written_just_now_proves_nothing(dump, monkeypatch):
    monkeypatch.setattr(version, "SETTLED_SECONDS", 60)
    assert backend_on(dump).inventory.content_version(SITE) is None


def test_a_dump_on_a_server_proves_nothing():
    backend = backend_on("https://example.org/dump.tsv")
    assert backend.inventory.content_version(SITE) is None


def test_an_unchanged_dump_that_has_become_too_old_is_refused(run, dump):
    long_ago = dump.stat().st_mtime - 3000
    os.utime(dump, (long_ago, long_ago))
    take_snapshot(run, backend_on(dump), "before")
    with pytest.raises(BackendError, match="hours old"):
        take_snapshot(run, backend_on(dump, max_age_seconds=1000), "after")


def test_the_datasets_of_a_dump_that_has_changed_since_it_was_read_are_read_anew(dump):
    backend = backend_on(dump)
    list(backend.inventory.stream(SITE))
    assert backend.inventory.protected_datasets(SITE) == {"/Primary/Era-v1/TIER"}
    dump.write_text(dump.read_text().replace("Era", "New"))
    assert backend.inventory.protected_datasets(SITE) == {"/Primary/New-v1/TIER"}
