"""A store of objects: files are copied, once while there is room, and gone with the service."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsspec
import pytest
from made_runs import Made, write_findings

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.store.opening import open_storage
from dynamo_consistency.run.store.run_directory import RunStore
from dynamo_consistency.web.index.index import Index
from dynamo_consistency.web.index.site_runs import RECENT, SiteRuns
from dynamo_consistency.web.queries.run_files import RunFiles
from dynamo_consistency.web.view import StoreView, open_view

URL = "memory://consistency/store"


@pytest.fixture
def objects(store) -> Iterator[list[Made]]:
    """Two runs in an object store, which is in this process."""
    runs = [Made(start=datetime.now(UTC) - timedelta(days=days), counts={"missing": 1}) for days in (2, 1)]
    for run in runs:
        write_findings(run.write(store), "missing", [{"path": b"/store/a", "size": 3}])
    memory = fsspec.filesystem("memory")
    memory.put(str(store) + "/", "/consistency/store", recursive=True)
    yield runs
    memory.rm("/consistency", recursive=True)


@pytest.fixture
def view(objects) -> Iterator[StoreView]:
    with open_view(RunStore(URL)) as view:
        yield view


def test_every_page_is_answered(view, objects):
    run_id = objects[1].run_id
    assert [row.last_run.run_id for row in view.sites().rows] == [run_id]
    assert len(view.site("T2_X").points) == 2
    assert [change.standing for change in view.run("T2_X", run_id).changes] == [1]
    assert view.findings("T2_X", run_id, "missing").total == 1
    assert len(view.find_file("T2_X", b"/store/a").files[0].occurrences) == 2
    assert b"".join(view.list_pieces("T2_X", run_id, "missing.txt")) == b"/store/a\n"


def test_the_first_answer_has_the_last_runs_and_the_next_ones_all(objects, tmp_path):
    for day in range(3, 30):
        Made(start=datetime.now(UTC) - timedelta(days=day)).write(tmp_path / "more")
    fsspec.filesystem("memory").put(f"{tmp_path}/more/", "/consistency/store", recursive=True)
    index = Index(RunStore(URL))
    numbers = []
    while not numbers or numbers[-1] != RECENT:
        [site] = index.fleet()
        numbers.append(len(site.runs["t2-x"]))
    assert numbers[0] == 2
    assert len(index.site("T2_X").runs["t2-x"]) == 29


def test_an_older_run_is_asked_for_seldom(objects, tmp_path, monkeypatch):
    for day in range(3, 10):
        Made(start=datetime.now(UTC) - timedelta(days=day)).write(tmp_path / "more")
    fsspec.filesystem("memory").put(f"{tmp_path}/more/", "/consistency/store", recursive=True)
    storage, read = open_storage(URL), []
    monkeypatch.setattr(storage, "contents", lambda name: read.append(name) or type(storage).contents(storage, name))
    runs, now = SiteRuns(storage, "T2_X", is_local=False), time.time()
    runs.refresh(now, None)
    assert len([name for name in read if name.endswith("summary.json")]) == 9
    assert len([name for name in read if name.endswith("claim.json")]) == 1
    read.clear()
    runs.refresh(now + 30, None)
    assert len(read) == 3
    read.clear()
    runs.refresh(now + 700, None)
    assert len(read) == 9


def test_nothing_is_left_when_it_ends(objects):
    with open_view(RunStore(URL)) as view:
        view.find_file("T2_X", b"/store/a")
        folders = view.files.folders
        assert [list(folder.iterdir()) != [] for folder in folders] == [True]
    assert not any(folder.exists() for folder in folders)


def test_a_file_is_copied_once(objects, tmp_path, monkeypatch):
    files = RunFiles(RunStore(URL), tmp_path)
    name = ("T2_X", objects[0].run_id, "findings/missing.parquet")
    with files.opened(*name) as first, files.opened(*name) as second:
        assert first == second
    with files.opened(*name) as third:
        assert third == first
    assert len(list(tmp_path.glob("*.parquet"))) == 1


def test_a_file_that_was_written_anew_is_copied_anew(objects, tmp_path):
    files = RunFiles(RunStore(URL), tmp_path)
    name = ("T2_X", objects[0].run_id, "summary.json")
    with files.opened(*name) as path:
        before = path.read_bytes()
    fsspec.filesystem("memory").pipe(f"/consistency/store/{'/'.join(name)}", before + b"\n")
    with files.opened(*name) as path:
        assert path.read_bytes() == before + b"\n"


def test_copies_that_find_no_room_go_and_those_in_use_stay(objects, tmp_path):
    files = RunFiles(RunStore(URL), tmp_path, room=0)
    names = [("T2_X", run.run_id, "findings/missing.parquet") for run in objects]
    with files.opened(*names[0]) as first, files.opened(*names[1]) as second:
        assert first.exists()
        assert second.exists()
    assert list(tmp_path.glob("*.parquet")) == []


def test_many_may_want_a_file_at_once(objects, tmp_path):
    files, sizes = RunFiles(RunStore(URL), tmp_path), []

    def read() -> None:
        with files.opened("T2_X", objects[0].run_id, "findings/missing.parquet") as path:
            sizes.append(len(path.read_bytes()))

    threads = [threading.Thread(target=read) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sizes) == 20
    assert len(set(sizes)) == 1
    assert len(list(tmp_path.glob("*.parquet"))) == 1


def test_what_is_not_there_is_none(objects, tmp_path):
    files = RunFiles(RunStore(URL), tmp_path)
    with files.opened("T2_X", objects[0].run_id, "findings/orphan.parquet") as path:
        assert path is None


def test_no_room_for_a_copy_is_said(objects, tmp_path):
    files = RunFiles(RunStore(URL), tmp_path / "not there")
    with (
        pytest.raises(ConsistencyError, match="there is no room for a copy of T2_X/"),
        files.opened("T2_X", objects[0].run_id, "findings/missing.parquet"),
    ):
        pass


def test_a_database_sees_the_folder_of_copies_and_nothing_else(view, tmp_path):
    from dynamo_consistency.web.queries.database import DamagedFileError

    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with view.database.question() as question, pytest.raises(DamagedFileError):
        question.rows("FROM read_csv(?)", [str(other)])
    assert [Path(folder).name.startswith("dynamo-consistency-") for folder in view.files.folders] == [True]
