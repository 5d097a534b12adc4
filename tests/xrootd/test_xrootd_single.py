"""Single files at XRootD servers, what servers call their directories, and which servers there are."""

import os
import time

import pytest
from xrdclient.testing import error, frame

from dynamo_consistency.check import Source
from dynamo_consistency.listers.look import FileStat, NotThere, Unsure
from dynamo_consistency.listers.protocols import protocol_of
from dynamo_consistency.listers.shards import Share
from dynamo_consistency.listers.walk import Limits, Walk

STAT, OK, NOT_FOUND, NOT_AUTHORIZED, OVERLOADED = 3017, 0, 3011, 3010, 3024
OLD = 1_600_000_000


def prepared(lister):
    lister.prepare()
    return lister


def says(stat: str):
    """A handler for stat that answers `id size flags mtime`."""
    return lambda _, stream, *__: iter([frame(stream, OK, stat.encode() + b"\0")])


@pytest.mark.xrootd
class TestOnARealServer:
    @pytest.fixture
    def look(self, site, make_lister):
        lister = prepared(make_lister(site.server.url))
        return lambda name: lister.look(site.lfn + b"/" + name)

    def test_a_file_has_its_size_and_time(self, site, look) -> None:
        (site.path / "f").write_bytes(b"abc")
        os.utime(site.path / "f", (OLD, OLD))
        assert look(b"f") == FileStat(3, OLD)

    def test_what_is_not_there_is_clearly_not_there(self, look) -> None:
        assert look(b"none") == NotThere()
        assert look(b"no/directory") == NotThere()

    def test_a_link_whose_end_is_away_is_doubt(self, site, look) -> None:
        (site.path / "f").symlink_to("/disk/that/is/away")
        assert look(b"f") == Unsure("the server has its name, and not what is behind it")
        assert look(b"none") == NotThere()

    @pytest.mark.parametrize(("client", "kind"), [("bindings", Unsure), ("wire", NotThere)])
    def test_a_directory_whose_names_cannot_be_read_is_doubt(self, site, look, kind: type) -> None:
        os.mkdir(os.fsencode(site.path) + b"/\xff")  # noqa: PTH102 (names are bytes)
        assert isinstance(look(b"none"), kind)

    def test_a_directory_is_not_the_file(self, site, look) -> None:
        (site.path / "d").mkdir()
        assert look(b"d") == Unsure("it is a directory")

    def test_a_directory_that_may_not_be_entered_is_doubt(self, site, look) -> None:
        (site.path / "closed").mkdir(mode=0o700)
        (site.path / "closed/f").touch()
        if os.geteuid():
            pytest.skip("the server runs as the same user")
        assert isinstance(look(b"closed/f"), Unsure)
        assert isinstance(look(b"closed/none"), Unsure)

    def test_outside_of_what_the_server_exports_is_doubt(self, site, make_lister) -> None:
        assert isinstance(prepared(make_lister(site.server.url)).look(b"/elsewhere/f"), Unsure)

    @pytest.mark.parametrize("name", [b"a?b", b"a\nb", b"n" * 254])
    def test_a_name_that_cannot_be_asked_for_is_doubt(self, look, name: bytes) -> None:
        assert isinstance(look(name), Unsure)

    @pytest.mark.parametrize(("client", "kind"), [("bindings", Unsure), ("wire", NotThere)])
    def test_a_name_that_is_not_utf8_is_doubt_for_the_library_alone(self, look, kind: type) -> None:
        assert isinstance(look(b"a\xff"), kind)

    def test_a_server_that_dies_is_doubt(self, daemons, make_lister) -> None:
        server = daemons.server()
        lister = prepared(make_lister(server.url, timeout=3))
        assert lister.look(b"/store/none") == NotThere()
        server.stop()
        assert isinstance(lister.look(b"/store/none"), Unsure)

    def test_behind_a_redirector_every_data_server_is_asked(self, daemons, make_lister) -> None:
        cluster = daemons.cluster("one", "two")
        cluster.wait_for(2)
        one, two = cluster.servers["one"], cluster.servers["two"]
        (one.store / "f").write_bytes(b"1")
        for server, content in ((one, b"1"), (two, b"22")):
            (server.store / "torn").write_bytes(content)
        lister = prepared(make_lister(cluster.redirector.url, timeout=3))
        assert lister.behind == sorted([one.url, two.url])
        assert lister.look(b"/store/f").size == 1
        assert lister.look(b"/store/none") == NotThere()
        assert "do not agree" in lister.look(b"/store/torn").reason
        two.stop()
        assert isinstance(lister.look(b"/store/none"), Unsure)
        assert isinstance(lister.look(b"/store/f"), Unsure)

    def test_a_door_that_fails_leaves_the_answer_to_the_others(self, site, make_lister, closed_door) -> None:
        (site.path / "f").write_bytes(b"abc")
        lister = prepared(make_lister(closed_door, site.server.url, timeout=5))
        assert [lister.look(site.lfn + b"/f").size for _ in range(3)] == [3] * 3
        assert lister.look(site.lfn + b"/none") == NotThere()


class TestOnServersThatAnswerAsTheyAreTold:
    @pytest.fixture
    def look(self, fake, make_lister):
        def look(handler, name: bytes = b"f"):
            fake.handlers[STAT] = handler
            return prepared(make_lister(str(fake.url), timeout=3)).look(b"/store/x/" + name)

        return look

    @pytest.mark.parametrize("code", [NOT_AUTHORIZED, OVERLOADED, 3005, 3007, 3012, 3018])
    def test_any_error_but_not_found_is_doubt(self, look, code: int) -> None:
        assert isinstance(look(lambda _, stream, *__: iter([error(stream, code, "no")])), Unsure)

    def test_a_size_of_an_offline_file_may_be_unknown_and_a_pending_one_is_young(self, look) -> None:
        assert look(says(f"0 0 {16 | 8} 100")) == FileStat(None, 100)
        assert look(says(f"0 7 {16 | 64} 100")).mtime >= time.time() - 5

    def test_what_is_neither_file_nor_directory_is_doubt(self, look) -> None:
        assert look(says("0 0 4 100")) == Unsure("it is neither a file nor a directory")

    def test_silence_is_doubt(self, look) -> None:
        began = time.monotonic()
        assert isinstance(look(lambda *_: iter([])), Unsure)
        assert time.monotonic() - began < 60

    @pytest.mark.xrootd
    def test_doors_that_contradict_each_other_are_doubt(self, site, fake, make_lister) -> None:
        (site.path / "f").write_bytes(b"abc")
        fake.handlers[STAT] = lambda _, stream, *__: iter([error(stream, NOT_FOUND, "no such file")])
        lister = prepared(make_lister(str(fake.url), site.server.url, timeout=5))
        looks = {type(lister.look(site.lfn + b"/f")) for _ in range(4)}
        assert looks == {FileStat, Unsure}, "whichever door is asked first, it is not missing"


@pytest.mark.xrootd
class TestDirectoriesWithTwoNames:
    def walk(self, lister, *roots: bytes) -> dict[bytes, object]:
        lister.prepare()
        visits = Walk(lister, roots, Share(0, 1, 3), Limits(), identify=lister.identify)
        return {visit.directory.path: visit.directory.identity for visit in visits}

    def test_a_link_and_what_it_leads_to_are_one_and_the_roots_have_identities(self, site, make_lister) -> None:
        for name in ("mc/v1", "data/v1"):
            (site.path / name).mkdir(parents=True)
        (site.path / "data/again").symlink_to("../mc/v1")
        found = self.walk(make_lister(site.server.url), site.lfn + b"/mc", site.lfn + b"/data")
        assert None not in found.values()
        assert found[site.lfn + b"/data/again"] == found[site.lfn + b"/mc/v1"]
        assert len(set(found.values())) == len(found) - 1 == 4

    def test_a_root_that_is_a_link_to_another_is_the_same(self, site, make_lister) -> None:
        (site.path / "mc/v1").mkdir(parents=True)
        (site.path / "other").symlink_to("mc")
        found = self.walk(make_lister(site.server.url), site.lfn + b"/mc", site.lfn + b"/other")
        assert found[site.lfn + b"/mc"] == found[site.lfn + b"/other"]

    def test_a_link_to_the_root_is_a_loop_at_once(self, site, make_lister) -> None:
        (site.path / "d").mkdir()
        (site.path / "d/up").symlink_to("..")
        found = self.walk(make_lister(site.server.url), site.lfn)
        assert found.keys() == {site.lfn, site.lfn + b"/d"}

    def test_doors_that_number_alike_speak_of_the_same_directories(self, site, make_lister) -> None:
        (site.path / "d").mkdir()
        one = site.server.url
        lister = make_lister(one, one.replace("127.0.0.1", "localhost"))
        found = self.walk(lister, site.lfn)
        names = {server.numbering.name for doors in lister._groups for server in doors.servers}
        assert len(names) == 1
        assert found[site.lfn][0] in names

    def test_equal_numbers_of_different_data_servers_are_different_directories(self, daemons, make_lister) -> None:
        cluster = daemons.cluster("one", "two")
        cluster.wait_for(2)
        for name, server in cluster.servers.items():
            (server.store / f"of-{name}").mkdir()
        found = self.walk(make_lister(cluster.redirector.url), b"/store")
        servers = {path: identity[0] for path, identity in found.items()}
        assert servers[b"/store/of-one"] == cluster.servers["one"].url
        assert servers[b"/store/of-two"] == cluster.servers["two"].url


def test_every_protocol_but_the_dump_looks_at_single_files() -> None:
    sources = {
        "xrootd": {"servers": ["root://a"]},
        "posix": {"prefix": "/a"},
        "webdav": {"servers": ["davs://a"]},
        "s3": {"url": "s3://bucket"},
        "gfal": {"url": "gsiftp://a/"},
    }
    for key, model in sources.items():
        assert protocol_of(Source.model_validate({key: model})).looks, key
