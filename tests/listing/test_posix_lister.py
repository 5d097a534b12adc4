"""A mounted site, as it really is: odd names, links, sockets, permissions, other file systems."""

import math
import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from listing_runs import touch

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.contract import Failed, Listed
from dynamo_consistency.listers.posix import PosixLister

ODD = [
    b"with space", b" leading", b"trailing ", b"tab\there", b"new\nline", b'quo"te', b"apo'strophe", b"$(touch PWNED)",
    b"${IFS}", b"100%", b"%2F", b"a+b", b"a,b", b"-rf", b"--", b"\xff\xfe", b"caf\xe9", "日本".encode(), b"a;b", b"a|b",
    b"a?b", b"a#b", b"a\\b", b"*", b"...", b"~", b"\x01\x7f",
]  # fmt: skip


def test_names_are_bytes_whatever_they_hold(site: Path):
    touch(site / "store", *ODD, size=3)
    for name in ODD:
        touch(os.fsencode(site / "store" / "dirs") + b"/" + name)
    lister = PosixLister(str(site))
    answer = lister.answer(b"/store")
    assert sorted(file.name for file in answer.files) == sorted(ODD)
    assert {file.size for file in answer.files} == {3}
    below = lister.answer(b"/store/dirs")
    assert sorted(entry.name for entry in below.directories) == sorted(ODD)
    for name in ODD:
        inside = lister.answer(b"/store/dirs/" + name)
        assert inside == Listed(identity=inside.identity)


def test_the_whole_stage_lists_odd_names(site: Path, list_site):
    for name in ODD:
        touch(os.fsencode(site / "store") + b"/" + name, *ODD)
    result, rows = list_site({"posix": {"prefix": str(site)}})
    assert result["counts"]["files"] == len(ODD) ** 2
    expected = {b"/store/" + outer + b"/" + inner for outer in ODD for inner in ODD}
    assert {path for path, kind, *_ in rows if kind == "file"} == expected
    assert {path for path, kind, *_ in rows if kind == "directory"} == {b"/store"} | {b"/store/" + name for name in ODD}
    assert not Path("PWNED").exists()


def test_a_link_is_a_hole_and_is_never_followed(site: Path):
    store = site / "store"
    touch(store / "real", b"f")
    (store / "to_directory").symlink_to("real")
    (store / "to_file").symlink_to("real/f")
    (store / "dangling").symlink_to("nowhere")
    (store / "to_itself").symlink_to("to_itself")
    (store / "real" / "loop").symlink_to("..")
    lister = PosixLister(str(site))
    answer = lister.answer(b"/store")
    assert [entry.name for entry in answer.directories] == [b"real"]
    assert {hole.name for hole in answer.holes} == {b"to_directory", b"to_file", b"dangling", b"to_itself"}
    assert {hole.reason for hole in answer.holes} == {"a symbolic link; links are not followed"}
    assert lister.answer(b"/store/to_directory") == Failed("a symbolic link; links are not followed")


def test_what_is_neither_file_nor_directory_is_a_hole(site: Path, monkeypatch: pytest.MonkeyPatch):
    os.mkfifo(site / "store" / "pipe")
    monkeypatch.chdir(site / "store")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("socket")
        answer = PosixLister(str(site)).answer(b"/store")
    assert {hole.name: hole.reason for hole in answer.holes} == {b"pipe": "a named pipe", b"socket": "a socket"}
    assert not answer.files


def test_a_time_is_rounded_up_so_that_a_file_is_never_older_than_it_is(site: Path):
    touch(site / "store", b"f", b"g")
    os.utime(site / "store" / "f", ns=(1, 1_700_000_000_000_000_001))
    os.utime(site / "store" / "g", ns=(1, 1_700_000_000_000_000_000))
    times = {file.name: file.mtime for file in PosixLister(str(site)).answer(b"/store").files}
    assert times == {b"f": 1_700_000_001, b"g": 1_700_000_000}


@pytest.fixture
def nobody():
    """Runs as an ordinary user: root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


@pytest.fixture
def guarded():
    """A mount in which a directory cannot be read, and one can be read but not entered."""
    with tempfile.TemporaryDirectory() as folder:
        mount = Path(folder)
        mount.chmod(0o755)
        touch(mount / "store" / "shut", b"f")
        touch(mount / "store" / "names_only", b"f", b"g")
        touch(mount / "store" / "open", b"f")
        (mount / "store" / "shut").chmod(0)
        (mount / "store" / "names_only").chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
        yield mount
        for directory in (mount / "store").iterdir():
            directory.chmod(0o755)


def test_a_directory_that_may_not_be_read_is_a_hole(guarded: Path, nobody):
    lister = PosixLister(str(guarded))
    assert lister.answer(b"/store/shut") == Failed("Permission denied")
    assert [file.name for file in lister.answer(b"/store/open").files] == [b"f"]


def test_entries_that_may_not_be_looked_at_are_holes(guarded: Path, nobody):
    answer = PosixLister(str(guarded)).answer(b"/store/names_only")
    assert {hole.name for hole in answer.holes} == {b"f", b"g"}
    assert not answer.files


def test_the_simple_form_is_not_ok_when_anything_is_in_doubt(site: Path):
    touch(site / "store" / "a", b"f", size=5)
    lister = PosixLister(str(site))
    ok, directories, files = lister.list("/store/a")
    assert (ok, directories) == (True, [])
    assert files == [(b"f", 5, math.ceil((site / "store/a/f").stat().st_mtime_ns / 1e9))]
    (site / "store" / "a" / "link").symlink_to("f")
    assert lister.list("/store/a") == (False, [], [])
    assert lister.list("/store/none") == (False, [], [])


def test_a_file_where_a_directory_is_expected_is_a_failure(site: Path):
    touch(site / "store", b"f")
    assert PosixLister(str(site)).answer(b"/store/f") == Failed("not a directory")


def test_errors_that_may_pass_are_asked_again(site: Path, monkeypatch: pytest.MonkeyPatch):
    def stale(*_):
        raise OSError(116, "Stale file handle")

    lister = PosixLister(str(site))
    monkeypatch.setattr(os, "open", stale)
    assert lister.answer(b"/store") == Failed("Stale file handle", retry=True)


@pytest.mark.parametrize("what", ["nothing", "a file"])
def test_a_prefix_that_is_not_mounted_ends_the_listing_before_it_begins(tmp_path: Path, what):
    if what == "a file":
        (tmp_path / "mnt").write_text("")
    with pytest.raises(ListingError, match=f"the site is not mounted at {tmp_path}/mnt"):
        PosixLister(str(tmp_path / "mnt"))


def test_a_mount_point_is_noted():
    if not os.path.ismount("/proc"):
        pytest.skip("needs a mount point: /proc is not mounted here")
    assert "/proc is a mount point" in PosixLister("/").answer(b"/").notes
