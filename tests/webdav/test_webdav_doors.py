"""Several doors, dead doors, and doors in trouble."""

import socket
import threading
import time

import pytest
from scripted_dav import FILE, FILES, Scripted, here, listing, of, reply

from dynamo_consistency.check import Source, WebDavSource
from dynamo_consistency.errors import ConfigurationError, ListingError
from dynamo_consistency.listers import doors
from dynamo_consistency.listers.contract import Failed, Listed
from dynamo_consistency.listers.endpoint import SitePrefix
from dynamo_consistency.listers.protocols import listers_of
from dynamo_consistency.listers.webdav import WebDavLister
from dynamo_consistency.listers.webdav.url import WebDavDoor, WebDavUrl


class TestServers:
    @pytest.mark.parametrize(
        ("text", "door"),
        [
            ("davs://door", "https://door:443"),
            ("https://door.example.org:2880/", "https://door.example.org:2880"),
            ("dav://Door//", "http://door:80"),
            ("http://door:8080", "http://door:8080"),
            ("door", "https://door:443"),
            ("door:1094", "https://door:1094"),
            ("davs://[2001:DB8::1]:1094", "https://[2001:db8::1]:1094"),
        ],
    )
    def test_a_server_may_be_written_in_several_ways(self, text: str, door: str) -> None:
        assert str(WebDavDoor.parse(text)) == door

    @pytest.mark.parametrize(
        "text",
        ["", "root://door", "davs://door/path", "davs://", "door:0", "door:65536", "a b", "davs://door?x", "[::1"],
    )
    def test_what_is_no_server_is_one_sentence(self, text: str) -> None:
        with pytest.raises(ConfigurationError, match="is not understood: write davs://host:port"):
            WebDavDoor.parse(text)

    def test_a_credential_in_a_server_is_not_shown(self) -> None:
        with pytest.raises(ConfigurationError, match=r"davs://\*\*\*@door") as caught:
            WebDavDoor.parse("davs://me:secret@door")
        assert "secret" not in str(caught.value)

    def test_there_must_be_one_and_the_prefix_must_be_absolute(self) -> None:
        with pytest.raises(ConfigurationError, match="no WebDAV server is named"):
            WebDavLister([])
        with pytest.raises(ConfigurationError, match="'pnfs' is relative; it must start with /"):
            SitePrefix("pnfs")

    @pytest.mark.parametrize(
        ("prefix", "lfn", "path"),
        [
            ("", b"/a", b"/a"),
            ("/", b"/a", b"/a"),
            ("/p//q/", b"/a", b"/p/q/a"),
            ("/p", b"/", b"/p"),
            ("/p q", b"/a", b"/p q/a"),
        ],
    )
    def test_prefix_and_lfn_make_the_path(self, prefix: str, lfn: bytes, path: bytes) -> None:
        assert SitePrefix(prefix).path(lfn) == path

    def test_a_backend_may_name_the_doors_of_a_site(self, scripted) -> None:
        server = scripted(here)
        source = Source(webdav=WebDavSource(servers=[server.url], prefix="/pnfs"))
        constructor, [arguments] = listers_of("T2_X", source)
        lister = constructor(*arguments)
        assert lister.list("/d") == (True, [], [tuple(FILE)])
        assert server.seen[0].target == "/pnfs/d/"
        lister.close()

    def test_every_byte_but_the_plainest_is_encoded(self) -> None:
        address = WebDavUrl.of(
            WebDavDoor.parse("door"), b"/a-b._~/" + bytes(range(1, 47)) + b":;<=>?@[\\]^`{|}\x7f\x80\xff+"
        )
        assert set(address.target) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-._~%")
        assert address.target.startswith("/a-b._~/%01%02")
        assert address.target.endswith("%80%FF%2B/")
        assert address.path == b"/a-b._~/" + bytes(range(1, 47)) + b":;<=>?@[\\]^`{|}\x7f\x80\xff+"


class TestRotation:
    def test_doors_are_asked_in_turn(self, scripted, make_lister, ask) -> None:
        servers = [scripted(here) for _ in range(3)]
        lister = make_lister(*(server.url for server in servers))
        for number in range(9):
            assert ask(lister, f"/d{number}".encode()) == Listed(files=FILES)
        assert [len(server.seen) for server in servers] == [3, 3, 3]

    def test_a_dead_door_is_left_out(self, scripted, make_lister, ask, closed_door) -> None:
        lister = make_lister(closed_door, scripted(here).url)
        lister.prepare()
        for number in range(5):
            assert ask(lister, f"/d{number}".encode()) == Listed(files=FILES)

    def test_a_door_that_comes_back_is_asked_again(self, scripted, make_lister, ask, monkeypatch) -> None:
        monkeypatch.setattr(doors, "FIRST_REST_SECONDS", 0.2)
        first, second = scripted(here), Scripted(here)
        with second:
            port = second.port
            lister = make_lister(first.url, second.url, concurrency=1)
            ask(lister, b"/a")
        for _ in range(3):
            assert isinstance(ask(lister, b"/b"), Listed)
        before = len(first.seen)
        with Scripted(here, port=port) as again:
            time.sleep(0.3)
            for _ in range(4):
                ask(lister, b"/c")
            assert again.seen
        assert len(first.seen) > before

    def test_a_door_in_trouble_does_not_speak_for_the_others(self, scripted, make_lister, ask) -> None:
        for status in (429, 500, 502, 503, 504):
            bad, good = scripted(reply(status)), scripted(here)
            lister = make_lister(bad.url, good.url)
            assert [ask(lister, b"/d") for _ in range(4)] == [Listed(files=FILES)] * 4

    def test_a_door_that_refuses_speaks_for_all(self, scripted, make_lister, ask) -> None:
        refusing, other = scripted(reply(403)), scripted(here)
        lister = make_lister(refusing.url, other.url)
        answers = {isinstance(ask(lister, b"/d"), Failed) for _ in range(2)}
        assert answers == {True, False}

    def test_with_all_doors_in_trouble_the_trouble_is_told(self, scripted, make_lister, ask) -> None:
        servers = [scripted(reply(503, headers={"Retry-After": "9"})) for _ in range(2)]
        answer = ask(make_lister(*(server.url for server in servers)), b"/d")
        assert (answer.retry, answer.slow, answer.after) == (True, True, 9)
        assert [len(server.seen) for server in servers] == [1, 1]

    def test_the_only_door_that_lives_is_not_asked_at_once_again(self, scripted, make_lister, ask, closed_door) -> None:
        server = scripted(reply(503))
        lister = make_lister(server.url, closed_door)
        lister.prepare()
        before = len(server.seen)
        assert "503" in ask(lister, b"/d").reason
        assert len(server.seen) == before + 1

    def test_an_empty_answer_is_doubted_at_another_door(self, scripted, make_lister, ask) -> None:
        empty, full = scripted(lambda request: listing(request.target)), scripted(here)
        lister = make_lister(empty.url, full.url)
        answers = [ask(lister, b"/d") for _ in range(4)]
        assert Listed() not in answers
        assert all(isinstance(answer, Failed) == (answer != Listed(files=FILES)) for answer in answers)

    def test_no_door_alive_is_one_sentence_before_the_listing(self, make_lister, closed_door) -> None:
        with pytest.raises(ListingError, match=r"^no WebDAV door answers: http://127\.0\.0\.1:\d+: .*refused$"):
            make_lister(closed_door).prepare()

    def test_a_host_that_does_not_exist_is_one_sentence(self, make_lister) -> None:
        with pytest.raises(ListingError, match=r"no WebDAV door answers: https://no-such-host\.invalid:443: .*resolve"):
            make_lister("davs://no-such-host.invalid").prepare()

    def test_a_silent_door_is_given_up_in_time(self, make_lister, ask, black_hole) -> None:
        lister = make_lister(black_hole, timeout=1)
        began = time.monotonic()
        with pytest.raises(ListingError, match="did not answer in time"):
            lister.prepare()
        answer = ask(lister, b"/d")
        assert time.monotonic() - began < 60
        assert isinstance(answer, Failed)
        assert answer.retry
        assert answer.slow

    def test_a_door_that_stays_silent_is_left_out(self, scripted, make_lister, ask, black_hole) -> None:
        lister = make_lister(black_hole, scripted(here).url, timeout=1)
        answers = [ask(lister, b"/d") for _ in range(10)]
        assert sum(isinstance(answer, Failed) for answer in answers) == doors.SILENT_LIMIT

    def test_the_walk_waits_for_a_door_that_is_away_for_a_moment(self, scripted, make_lister, walk) -> None:
        with Scripted(here) as server:
            port = server.port
        later = Scripted(here, port=port)
        started = threading.Timer(0.8, later.__enter__)
        started.start()
        try:
            [visit] = walk(make_lister(f"http://localhost:{port}"), b"/d", retries=0)
        finally:
            started.join()
            later.__exit__(None, None, None)
        assert visit.answer == Listed(files=FILES)

    def test_the_walk_waits_as_long_as_the_server_asks_for(self, scripted, make_lister, walk) -> None:
        answers = iter([reply(503, headers={"Retry-After": "2"}), of("/d/")])
        server = scripted(lambda _: next(answers))
        began = time.monotonic()
        [visit] = walk(make_lister(server.url), b"/d")
        assert visit.answer == Listed(files=FILES)
        assert time.monotonic() - began >= 2

    def test_connections_are_kept_and_as_many_as_there_are_requests_at_a_time(self, scripted, make_lister, ask) -> None:
        server = scripted(here)
        lister = make_lister(server.url, concurrency=1)
        for number in range(20):
            ask(lister, f"/d{number}".encode())
        assert server.connections == 1
        eight = threading.Barrier(8)
        slow = scripted(lambda request: (eight.wait(60) and None) or here(request))
        lister = make_lister(slow.url, concurrency=8)
        done = threading.Semaphore(0)
        for number in range(16):
            lister.submit(f"/d{number}".encode(), lambda _: done.release())
        for _ in range(16):
            assert done.acquire(timeout=60)
        assert slow.connections == 8

    def test_a_door_may_have_an_ipv6_address(self, scripted, make_lister, ask) -> None:
        if not socket.has_dualstack_ipv6():
            pytest.skip("this machine has no IPv6")
        server = scripted(here, host="::1")
        assert ask(make_lister(f"http://[::1]:{server.port}"), b"/d") == Listed(files=FILES)
        assert server.seen[0].headers["host"] == f"[::1]:{server.port}"

    def test_capacity_is_bounded(self, make_lister, closed_door) -> None:
        assert make_lister(closed_door, concurrency=3).capacity == 3
        assert make_lister(closed_door, concurrency=5000).capacity == 64

    def test_it_cannot_remove_anything(self) -> None:
        assert not hasattr(WebDavLister, "remove_directory")
