"""What a real server shows, and what becomes of it."""

import os
import time

import pytest

from dynamo_consistency.listers.contract import Failed, File, Listed
from dynamo_consistency.listers.look import FileStat
from dynamo_consistency.listers.xrootd import XRootDLister
from dynamo_consistency.path_rules import PathRule, PathRules

pytestmark = pytest.mark.xrootd

ASCII = [bytes([code]) for code in range(1, 128) if code not in b"/\n"]
ODD = [
    b"a b",
    b"trail  ",
    b" lead",
    b"q'\"x",
    b"$(touch x)",
    b"${IFS}",
    b"100%41",
    b"-rf",
    b"a,b;c",
    b"a&b=c",
    "é".encode(),
]


def names(entries: list) -> set[bytes]:
    return {entry.name for entry in entries}


def test_files_come_with_size_and_time_and_directories_as_such(site, listing) -> None:
    (site.path / "f").write_bytes(b"12345")
    (site.path / "empty.root").write_bytes(b"")
    (site.path / "d").mkdir()
    os.utime(site.path / "f", (1_500_000_000, 1_500_000_000))
    os.utime(site.path / "d", (1_400_000_000, 1_400_000_000))
    answer = listing()
    assert isinstance(answer, Listed)
    assert File(b"f", 5, 1_500_000_000) in answer.files
    assert sorted((file.name, file.size) for file in answer.files) == [(b"empty.root", 0), (b"f", 5)]
    assert [(entry.name, entry.mtime) for entry in answer.directories] == [(b"d", 1_400_000_000)]
    assert not answer.holes


def test_odd_characters_in_names_of_files_and_directories_are_kept(site, listing) -> None:
    base = os.fsencode(site.path)
    files = {b"F" + odd for odd in ASCII + ODD} | {odd + b"F" for odd in ASCII}
    askable = [odd for odd in ASCII + ODD if odd != b"?"]
    for name in files:
        with open(os.path.join(base, name), "wb"):  # noqa: PTH118, PTH123 (names of bytes)
            pass
    for number, odd in enumerate(askable):
        os.mkdir(os.path.join(base, b"D-" + odd))  # noqa: PTH102, PTH118
        with open(os.path.join(base, b"D-" + odd, b"in%d" % number), "wb"):  # noqa: PTH118, PTH123
            pass
    answer = listing()
    assert isinstance(answer, Listed)
    assert names(answer.files) == files
    assert names(answer.directories) == {b"D-" + odd for odd in askable}
    for number, odd in enumerate(askable):
        assert names(listing(b"/D-" + odd).files) == {b"in%d" % number}


def test_a_directory_with_a_question_mark_is_a_hole_and_never_asked_for(site, listing) -> None:
    (site.path / "data").mkdir()
    (site.path / "data" / "secret").touch()
    (site.path / "data?x=1").mkdir()
    answer = listing()
    assert [hole.name for hole in answer.holes] == [b"data?x=1"]
    assert names(answer.directories) == {b"data"}
    asked = listing(b"/data?x=1")
    assert isinstance(asked, Failed)
    assert "?" in asked.reason
    assert not asked.retry


def test_a_line_end_in_a_name_fails_its_directory_for_good(site, listing) -> None:
    (site.path / "a\nb").touch()
    (site.path / "c").touch()
    answer = listing()
    assert isinstance(answer, Failed)
    assert "line end" in answer.reason
    assert not answer.retry


@pytest.mark.parametrize("client", ["bindings"])
def test_a_name_that_is_not_utf8_is_found_out_long_before_the_time_limit(site, make_lister, ask) -> None:
    with open(os.fsencode(site.path) + b"/bad\xff", "wb"):  # noqa: PTH123
        pass
    began = time.monotonic()
    answer = ask(make_lister(site.server.url, timeout=600), site.lfn)
    assert time.monotonic() - began < 60
    assert isinstance(answer, Failed)
    assert "bad\\xff" in answer.reason
    assert "UTF-8" in answer.reason
    assert not answer.retry


@pytest.mark.parametrize("client", ["bindings"])
def test_many_names_that_are_not_utf8_do_not_hold_up_the_rest(site, make_lister, walk) -> None:
    for number in range(30):
        directory = os.fsencode(site.path) + b"/d%d" % number
        os.mkdir(directory)  # noqa: PTH102
        with open(directory + (b"/\xff" if number % 2 else b"/good"), "wb"):  # noqa: PTH123
            pass
    visits = walk(make_lister(site.server.url), site.lfn)
    assert sum(isinstance(visit.answer, Failed) for visit in visits) == 15
    assert sum(len(visit.answer.files) for visit in visits if isinstance(visit.answer, Listed)) == 15


@pytest.mark.parametrize("client", ["wire"])
def test_names_that_are_not_utf8_are_names_for_the_wire(site, make_lister, walk) -> None:
    directory = os.fsencode(site.path) + b"/d\xff"
    os.mkdir(directory)  # noqa: PTH102
    with open(directory + b"/f\xfe\xff", "wb"):  # noqa: PTH123
        pass
    visits = walk(make_lister(site.server.url), site.lfn)
    assert {visit.directory.path: names(visit.answer.files) for visit in visits} == {
        site.lfn: set(),
        site.lfn + b"/d\xff": {b"f\xfe\xff"},
    }


def test_a_directory_whose_own_path_is_not_utf8_is_a_failure(listing) -> None:
    answer = listing(b"/\xff")
    assert isinstance(answer, Failed)
    assert not answer.retry


def test_a_fifo_is_a_hole_and_a_dangling_link_is_not_shown(site, listing) -> None:
    os.mkfifo(site.path / "fifo")
    (site.path / "dangling").symlink_to("/nowhere")
    (site.path / "file").touch()
    answer = listing()
    assert [hole.name for hole in answer.holes] == [b"fifo"]
    assert names(answer.files) == {b"file"}


def test_a_directory_with_nothing_but_a_dangling_link_is_not_empty(site, listing) -> None:
    (site.path / "dangling").symlink_to("/nowhere")
    answer = listing()
    assert isinstance(answer, Failed)
    assert "answered empty" in answer.reason


def test_a_loop_of_links_ends_at_its_second_turn(site, make_lister, walk) -> None:
    (site.path / "a" / "b").mkdir(parents=True)
    (site.path / "a" / "b" / "up").symlink_to(site.path / "a")
    visits = walk(make_lister(site.server.url), site.lfn)
    assert len(visits) == 3
    assert [hole.name for visit in visits for hole in visit.answer.holes] == [b"up"]


def test_times_before_1970_and_after_2106_are_kept(site, listing) -> None:
    for name, mtime in (("old", -86_400), ("future", 1 << 33)):
        (site.path / name).touch()
        os.utime(site.path / name, (mtime, mtime))
    assert sorted((file.name, file.mtime) for file in listing().files) == [(b"future", 1 << 33), (b"old", -86_400)]


def test_an_empty_directory_is_listed_and_empty(listing) -> None:
    assert listing() == Listed()


@pytest.mark.parametrize(("below", "reason"), [(b"/none", "3011"), (b"/file", "not a directory"), (b"/shut", "3010")])
def test_what_cannot_be_listed_fails_without_a_second_attempt(site, listing, below: bytes, reason: str) -> None:
    (site.path / "file").touch()
    (site.path / "shut").mkdir(mode=0)
    answer = listing(below)
    (site.path / "shut").rmdir()
    assert isinstance(answer, Failed)
    assert reason in answer.reason
    assert not answer.retry


def test_a_prefix_is_put_before_what_is_asked(site, make_lister, ask) -> None:
    (site.path / "store" / "mc").mkdir(parents=True)
    (site.path / "store" / "mc" / "f").touch()
    lister = make_lister(site.server.url, prefix=site.lfn.decode())
    assert names(ask(lister, b"/store/mc").files) == {b"f"}


def test_an_ipv6_address_works_as_a_door(site, make_lister, ask) -> None:
    (site.path / "f").touch()
    lister = make_lister(f"root://[::ffff:127.0.0.1]:{site.server.port}//")
    assert names(ask(lister, site.lfn).files) == {b"f"}


def test_the_contract_of_get_listers_is_answered_too(site, make_lister) -> None:
    (site.path / "f").write_bytes(b"123")
    (site.path / "d").mkdir()
    os.utime(site.path / "f", (5, 5))
    os.utime(site.path / "d", (7, 7))
    lister = make_lister(site.server.url)
    assert lister.list(site.lfn) == (True, [(b"d", 7)], [(b"f", 3, 5)])
    assert lister.list(site.lfn.decode() + "//d/") == (True, [], [])
    assert lister.list(site.lfn + b"/none") == (False, [], [])
    os.mkfifo(site.path / "fifo")
    assert lister.list(site.lfn) == (False, [], [])


def test_directories_and_files_are_where_the_rules_say(site, ask) -> None:
    (site.path / "d").mkdir()
    (site.path / "d" / "f").write_bytes(b"12345")
    lister = XRootDLister([site.server.url], "", PathRules([PathRule(b"/store/temp", site.lfn)]))
    answer = ask(lister, b"/store/temp/d")
    assert isinstance(answer, Listed)
    assert [file.name for file in answer.files] == [b"f"]
    assert isinstance(lister.look(b"/store/temp/d/f"), FileStat)
    lister.close()


def test_a_link_to_a_file_has_the_identity_of_the_file(site, listing) -> None:
    for name in ("f", "g"):
        (site.path / name).write_bytes(b"12345")
    (site.path / "link").symlink_to("f")
    answer = listing()
    assert isinstance(answer, Listed)
    assert len(answer.files.identities) == 3, "removing the link at the server would remove the file"
    identity = dict(zip(answer.files.names, answer.files.identities, strict=True))
    assert 0 != identity[b"f"] == identity[b"link"] != identity[b"g"] != 0
