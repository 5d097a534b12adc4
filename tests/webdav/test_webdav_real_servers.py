"""What real servers show, Apache's mod_dav and XRootD's HTTP door, and what the lister makes of it."""

import os
from collections.abc import Callable

import pytest
from scripted_dav import reply
from webdav_servers import WebServer

from dynamo_consistency.listers.contract import Answer, Failed, Listed
from dynamo_consistency.listers.walk import Limits
from dynamo_consistency.run.action import site_view
from dynamo_consistency.run.action.site_view import SiteView

TIME = 1_700_000_000
ODD = [
    b"plain.root",
    b"a blank",
    b"a%20percent",
    b"100%",
    b"p+q",
    b"h#i",
    b"q?r",
    b"x&y",
    b"s;t=1",
    b"<lt>'\"",
    b"br[a]{c}",
    b"back\\slash",
    b"~tilde@at:colon,comma",
    b" lead",
    b"trail ",
    "zürich-日本".encode(),
]


def make(site, names: list[bytes]) -> None:
    for number, name in enumerate(names):
        path = os.fsencode(site.path) + b"/" + name
        with open(path, "wb") as file:  # noqa: PTH123 (names are bytes)
            file.write(b"x" * number)
        os.utime(path, (TIME + number, TIME + number))


def nothing_in(answer: Answer) -> bool:
    return isinstance(answer, Listed) and not (answer.files or answer.directories or answer.holes)


def test_names_sizes_and_times_are_those_of_the_files(site, listed_from: Callable[..., Answer]) -> None:
    make(site, ODD)
    answer = listed_from()
    assert isinstance(answer, Listed)
    assert sorted(answer.files) == sorted((name, number, TIME + number) for number, name in enumerate(ODD))
    assert not answer.directories
    assert not answer.holes


def test_two_names_that_differ_in_their_encoding_only_are_two_files(site, make_lister, ask) -> None:
    make(site, [b"a b", b"a%20b", b"a%2520b", b"u#v"])
    answer = ask(make_lister(site.server.url), site.lfn)
    assert sorted(file.name for file in answer.files) == [b"a b", b"a%20b", b"a%2520b", b"u#v"]


def test_directories_are_told_from_files_and_have_their_times(site, listed_from) -> None:
    for name in ("one", "two words", "30%"):
        (site.path / name).mkdir()
        os.utime(site.path / name, (TIME, TIME))
    answer = listed_from()
    assert sorted(answer.directories) == [(name, TIME, None) for name in (b"30%", b"one", b"two words")]
    assert nothing_in(listed_from(b"/30%"))


def test_a_directory_with_an_odd_name_is_listed(site, listed_from) -> None:
    for name in ("a b", "a%20b", "c;d+e#f"):
        (site.path / name).mkdir()
        (site.path / name / name).write_bytes(b"12")
    for name in ("a b", "a%20b", "c;d+e#f"):
        assert [file.name for file in listed_from(b"/" + name.encode()).files] == [name.encode()]


def test_an_empty_directory_is_empty(site, listed_from) -> None:
    assert nothing_in(listed_from())


def test_what_is_not_there_and_what_is_a_file_are_failures(site, listed_from) -> None:
    make(site, [b"file"])
    absent, file = listed_from(b"/absent"), listed_from(b"/file")
    assert isinstance(absent, Failed)
    assert "404 Not Found" in absent.reason
    assert not absent.retry
    assert isinstance(file, Failed)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a directory that the server cannot read")
def test_a_directory_that_the_server_may_not_read_is_a_failure(site, listed_from) -> None:
    (site.path / "secret").mkdir(mode=0o700)
    answer = listed_from(b"/secret")
    assert isinstance(answer, Failed)
    assert "403 Forbidden, it does not permit that" in answer.reason


def test_a_walk_finds_every_file_of_a_tree(site, make_lister, walk) -> None:
    made = {}
    for number in range(120):
        file = site.path / f"d{number % 6}" / f"e{number % 5}" / f"f {number}%.root"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * number)
        made[site.lfn + b"/" + str(file.relative_to(site.path)).encode()] = number
    found = {}
    lister = make_lister(site.server.url, concurrency=16)
    lister.prepare()
    for visit in walk(lister, site.lfn):
        assert isinstance(visit.answer, Listed), visit
        assert not visit.answer.holes
        found |= {visit.directory.path + b"/" + file.name: file.size for file in visit.answer.files}
    lister.verify()
    assert found == made


def test_single_files_are_seen_again_at_the_moment_of_acting(site, make_lister) -> None:
    make(site, [b"other", b"a%20b"])
    (site.path / "d").mkdir()
    view = SiteView(make_lister(site.server.url), Limits(), [b"/store"])
    wanted = [site.lfn + name for name in (b"/a%20b", b"/gone", b"/d", b"/nowhere/f")]
    there, gone, directory, nowhere = view.files(wanted).values()
    assert there == site_view.SeenFile(1, TIME + 1)
    assert isinstance(gone, site_view.Absent)
    assert isinstance(directory, site_view.Unknown)
    assert not isinstance(nowhere, site_view.SeenFile)


def test_no_directory_is_known_to_be_empty_since_these_servers_leave_things_out(site, make_lister) -> None:
    (site.path / "d").mkdir()
    (site.path / "d/link").symlink_to("nowhere")
    lister = make_lister(site.server.url)
    assert not lister.answer(site.lfn + b"/d").directories
    (sight,) = SiteView(lister, Limits(), [b"/store"]).directories([site.lfn + b"/d"]).values()
    assert isinstance(sight, site_view.Unknown)
    assert sight.reason.startswith("its server leaves out ")


def test_the_prefix_stands_before_the_lfn(site, make_lister, ask) -> None:
    make(site, [b"f"])
    lister = make_lister(site.server.url, prefix="/store//")
    assert [file.name for file in ask(lister, site.lfn.removeprefix(b"/store")).files] == [b"f"]


def test_the_public_form_is_that_of_the_backend_contract(site, make_lister) -> None:
    make(site, [b"a", b"b"])
    (site.path / "d").mkdir()
    os.utime(site.path / "d", (TIME, TIME))
    lister = make_lister(site.server.url)
    ok, directories, files = lister.list(site.lfn.decode() + "/")
    assert (ok, directories, sorted(files)) == (True, [(b"d", TIME)], [(b"a", 0, TIME), (b"b", 1, TIME + 1)])
    assert lister.list(site.lfn + b"/absent") == (False, [], [])


class TestApache:
    """Its own ways."""

    @pytest.fixture
    def server(self, shared_servers) -> WebServer:
        return shared_servers("apache")

    def test_names_may_be_any_bytes(self, site, listed_from) -> None:
        names = [b"not \xff\xfe utf-8", b"line\nend", b"tail\n", b"bell\x07", bytes(range(1, 47)), b"\xc3"]
        make(site, names)
        assert sorted(file.name for file in listed_from().files) == sorted(names)

    def test_it_shows_no_links(self, site, listed_from) -> None:
        make(site, [b"f"])
        (site.path / "link").symlink_to("f")
        assert [file.name for file in listed_from().files] == [b"f"]


class TestXRootD:
    """Its own ways."""

    @pytest.fixture
    def server(self, shared_servers) -> WebServer:
        return shared_servers("xrootd")

    def test_a_line_end_in_a_name_makes_it_mix_up_its_entries_and_that_is_noticed(self, site, listed_from) -> None:
        make(site, [b"line\nend", b"zz"])
        answer = listed_from()
        assert isinstance(answer, Failed)
        assert "a line end in the name" in answer.reason

    def test_a_name_that_is_not_utf_8_is_a_failure(self, site, listed_from) -> None:
        make(site, [b"ok", b"bad\xff"])
        assert isinstance(listed_from(), Failed)

    def test_names_that_only_its_own_reading_can_tell_apart_are_a_failure(self, site, listed_from) -> None:
        make(site, [b"a b", b"a%20b"])  # a server that encodes names could be speaking of another file here
        answer = listed_from()
        assert isinstance(answer, Failed)
        assert "it cannot be told what is encoded" in answer.reason

    def test_it_follows_links(self, site, listed_from) -> None:
        make(site, [b"f", b"ff"])
        (site.path / "link").symlink_to("ff")
        (site.path / "dangling").symlink_to("nowhere")
        assert sorted(file.name for file in listed_from().files) == [b"f", b"ff", b"link"]

    def test_a_redirector_is_refused_since_it_shows_one_data_server_only(self, ask, make_lister, scripted) -> None:
        headers = {"Server": "XrootD/v5.5.3", "Location": "http://localhost:1094/store/mc/"}
        answer = ask(make_lister(scripted(reply(307, headers=headers)).url), b"/store/mc")
        assert "is an XRootD redirector, and over HTTP it shows the files of one data server only" in answer.reason
        assert not answer.retry
