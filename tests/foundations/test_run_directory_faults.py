"""What a local run directory looks like after the worst: a killed writer, a full disk, a directory of another owner."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from killed_writer import NAME, kill_a_writer

from dynamo_consistency.errors import ConfigurationError, ConsistencyError, DamagedError
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore


def test_a_killed_writer_leaves_nothing_that_looks_whole(run):
    kill_a_writer(run, NAME)
    assert not run.exists(NAME)
    assert run.names("listing") == []


def test_a_killed_writer_leaves_the_file_of_the_attempt_before(run):
    run.write_text(NAME, "whole")
    kill_a_writer(run, NAME)
    with run.reading(NAME) as path:
        assert path.read_text() == "whole"
    assert run.names("listing") == [NAME]


def test_a_stage_can_be_run_again_after_a_kill(run):
    kill_a_writer(run, NAME)
    run.write_text(NAME, "whole")
    assert run.names("listing") == [NAME]


def test_a_pipe_in_the_place_of_a_file_is_told_instead_of_waited_for(tmp_path):
    run = RunDirectory(str(tmp_path))
    os.mkfifo(tmp_path / "summary.json")
    with pytest.raises(DamagedError, match="cannot be read: it is a pipe"):
        run.contents("summary.json")
    with pytest.raises(DamagedError, match="cannot be read: it is a pipe"):
        run.read_json("summary.json")


def test_an_object_store_whose_package_is_not_there_says_what_installs_it(monkeypatch):
    def without_its_package(*_: object, **__: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", without_its_package)
    with pytest.raises(ConfigurationError, match=r"pip install 'dynamo-consistency\[s3\]'$"):
        RunStore("s3://bucket/folder").sites()


@pytest.fixture
def small_disk(tmp_path, check) -> Iterator[RunDirectory]:
    """A run directory on a file system of its own with room for 200 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", disk]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield RunStore(str(disk)).create(check, "1")
    finally:
        subprocess.run(["umount", disk], check=True)


def write_bytes(path: Path) -> None:
    path.write_bytes(bytes(2**20))


def write_with_arrow(path: Path) -> None:
    pq.write_table(pa.table({"number": range(10**6)}), path)


def write_with_duckdb(path: Path) -> None:
    with duckdb.connect() as database:
        database.execute(f"COPY (SELECT hash(range) AS number FROM range(1000000)) TO '{path}' (FORMAT parquet)")


@pytest.mark.parametrize("write", [write_bytes, write_with_arrow, write_with_duckdb])
def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(small_disk, write):
    with pytest.raises(ConsistencyError, match=r"No space left on device \(0 MiB free\); make room"):  # noqa: SIM117
        with small_disk.writing(NAME) as path:
            write(path)
    assert small_disk.names("listing") == []
    assert list(Path(small_disk.url, "listing").iterdir()) == []
    small_disk.write_text(NAME, "there is room again")


def test_a_device_without_room_is_one_sentence(tmp_path, check):
    run = RunStore(str(tmp_path)).create(check, "1")

    def write() -> None:
        with run.writing(NAME) as path:
            path.symlink_to("/dev/full")
            path.write_bytes(bytes(100))

    with pytest.raises(ConsistencyError, match="No space left on device"):
        write()
    assert run.names("listing") == []


def test_a_file_where_a_folder_is_wanted_is_not_answered_with_room_to_make(tmp_path, check):
    (tmp_path / "T2_X").write_text("")
    with pytest.raises(ConsistencyError) as refused:
        RunStore(str(tmp_path)).create(check, "1")
    assert "choose another place" in str(refused.value)
    assert "room" not in str(refused.value)


@pytest.fixture
def unwritable(check) -> Iterator[RunDirectory]:
    """A run directory that the process may read and not write, whoever runs the tests."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        run = RunStore(folder).create(check, "1")
        Path(run.url).chmod(0o555)
        became_nobody = os.geteuid() == 0  # root may write anywhere
        if became_nobody:
            os.seteuid(65534)
        try:
            yield run
        finally:
            if became_nobody:
                os.seteuid(0)
            Path(run.url).chmod(0o755)


@pytest.mark.parametrize("name", ["summary.json", NAME])
def test_a_directory_that_may_not_be_written_is_one_sentence(unwritable, name):
    with pytest.raises(ConsistencyError, match=r"cannot write to .*: Permission denied") as refused:
        unwritable.write_text(name, "{}")
    owner = Path(unwritable.url).stat()
    assert f"we are uid {os.geteuid()} and gid {os.getegid()}" in str(refused.value)
    assert f"{unwritable.url} belongs to uid {owner.st_uid} and gid {owner.st_gid}, mode 0555" in str(refused.value)
    assert "on NFS with root_squash" in str(refused.value)
    assert unwritable.check().spec.site == "T2_X"
    assert unwritable.names("listing") == []


@pytest.mark.parametrize("below", ["", "/sub"])
def test_a_store_that_is_a_file_or_in_one_is_one_sentence(check, tmp_path, below):
    (tmp_path / "file").write_text("no store")
    store = RunStore(f"{tmp_path}/file{below}")
    with pytest.raises(ConsistencyError, match=r"cannot write to .*: Not a directory"):
        store.create(check)
    for look in (store.sites, lambda: store.runs("T2_X")):
        with pytest.raises(ConsistencyError, match=r"cannot be read: Not a directory"):
            look()


def test_a_store_that_is_not_there_has_no_runs(tmp_path):
    assert RunStore(f"{tmp_path}/none").runs("T2_X") == []


def test_a_file_in_the_place_of_a_site_has_no_runs(tmp_path):
    (tmp_path / "T2_X").write_text("no site")
    assert RunStore(str(tmp_path)).runs("T2_X") == []
