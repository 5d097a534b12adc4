"""The gfal lister over gfal2's own plug-in for files."""

import os
import time

import pytest

from dynamo_consistency.listers.contract import Failed, Hole, Listed
from dynamo_consistency.listers.look import FileStat, NotThere, Unsure
from dynamo_consistency.listers.posix import LINK

pytestmark = pytest.mark.usefixtures("gfal2")


@pytest.fixture
def store(tmp_path):
    (tmp_path / "site" / "store").mkdir(parents=True)
    return tmp_path / "site" / "store"


@pytest.fixture
def lister(store, make_lister):
    lister = make_lister(f"file://{store.parent}")
    lister.prepare()
    return lister


def test_files_and_directories_are_told_with_their_sizes_and_times(store, lister, ask):
    (store / "f").write_bytes(b"abc")
    os.utime(store / "f", (1_600_000_000, 1_600_000_000))
    (store / "d").mkdir()
    answer = ask(lister, b"/store")
    assert isinstance(answer, Listed), answer
    assert list(answer.files) == [(b"f", 3, 1_600_000_000)]
    assert [each.name for each in answer.directories] == [b"d"]
    assert answer.directories[0].mtime >= time.time() - 60
    assert answer.holes == []


def test_odd_names_come_through_and_can_be_asked_for(store, lister, ask):
    odd = ["a b", "per%41cent", "q?x#y", "new\nline", "uml\u00e4ut", "-dash", "'\"$(x)", "n" * 255]
    for name in odd:
        (store / name).mkdir()
        (store / name / "f").write_bytes(b"")
    assert {each.name for each in ask(lister, b"/store").directories} == {os.fsencode(name) for name in odd}
    for name in odd:
        assert [each.name for each in ask(lister, b"/store/" + os.fsencode(name)).files] == [b"f"]


def test_a_directory_with_a_name_that_is_not_utf8_is_a_hole_and_what_is_in_it_can_be_listed(store, lister, ask):
    (store / "d" / os.fsdecode(b"bad\xff")).mkdir(parents=True)
    answer = ask(lister, b"/store/d")
    assert isinstance(answer, Failed)
    assert "not UTF-8" in answer.reason
    assert not answer.retry
    assert ask(lister, b"/store/d/bad\xff") == Listed()


def test_links_and_what_is_neither_file_nor_directory_are_holes(store, lister, ask):
    (store / "d").mkdir()
    (store / "link").symlink_to(store / "d")
    os.mkfifo(store / "pipe")
    answer = ask(lister, b"/store")
    assert [each.name for each in answer.directories] == [b"d"]
    assert sorted(answer.holes) == [Hole(b"link", LINK), Hole(b"pipe", "neither file nor directory")]


def test_a_link_to_nowhere_leaves_the_directory_half_told_and_so_a_hole(store, lister, ask):
    (store / "f").touch()
    (store / "link").symlink_to("nowhere")
    assert isinstance(ask(lister, b"/store"), Failed)


def test_a_directory_of_many_entries_is_listed_to_its_end(store, lister, ask):
    for number in range(2500):
        (store / f"f{number}").touch()
    assert len(ask(lister, b"/store").files) == 2500


def test_what_is_not_there_is_said_so_and_not_asked_for_again(lister, ask):
    answer = ask(lister, b"/none")
    assert isinstance(answer, Failed)
    assert "No such file" in answer.reason
    assert not answer.retry


def test_only_an_empty_directory_is_removed(store, lister):
    (store / "empty").mkdir()
    (store / "full" / "below").mkdir(parents=True)
    (store / "file").touch()
    (store / "link").symlink_to(store / "empty")
    assert "not empty" in lister.remove_directory(b"/store/full")
    assert "Not a directory" in lister.remove_directory(b"/store/file")
    assert "Not a directory" in lister.remove_directory(b"/store/link")
    assert lister.remove_directory(b"/store/empty") is None
    assert sorted(path.name for path in store.iterdir()) == ["file", "full", "link"]


def test_the_public_form(store, lister):
    (store / "f").write_bytes(b"abc")
    ok, directories, files = lister.list("/store/")
    assert (ok, directories, files[0][:2]) == (True, [], (b"f", 3))
    (store / "link").symlink_to(store / "f")
    assert lister.list("/store") == (False, [], [])


def test_a_single_file_is_there_or_clearly_not_there(store, lister):
    (store / "f").write_bytes(b"abc")
    os.utime(store / "f", (1_600_000_000, 1_600_000_000))
    assert lister.look(b"/store/f") == FileStat(3, 1_600_000_000)
    assert lister.look(b"/store/none") == NotThere()


def test_a_directory_a_link_and_a_file_on_the_way_leave_a_single_file_in_doubt(store, lister):
    (store / "d").mkdir()
    (store / "f").write_bytes(b"abc")
    (store / "link").symlink_to("f")
    (store / "dangling").symlink_to("none")
    for name in (b"d", b"link", b"dangling", b"f/below", b"n" * 300):
        assert isinstance(lister.look(b"/store/" + name), Unsure), name
