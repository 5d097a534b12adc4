"""What our own client makes of answers: promises, redirections, broken connections, lines that do not fit."""

import os
import struct
import threading
from collections.abc import Iterator

import pytest
from xrdclient.testing import FakeServer, FaultProxy, frame

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.contract import Failed, Files, Listed
from dynamo_consistency.listers.xrootd import XRootDLister
from dynamo_consistency.listers.xrootd.wire.frames import DIRLIST, LOCATE, OK, OKSOFAR, WAITRESP

ATTENTION, REDIRECT, LOG_IN = 4001, 4004, 3007
IS_MANAGER = 2
TWO = b".\n0 0 0 0\na\n0 5 16 100\nb\n0 7 16 100\0"


@pytest.fixture
def client() -> str:
    return "wire"


def test_an_answer_that_is_promised_and_comes_later_is_an_answer(fake, lister, ask) -> None:
    def later(connection: object, stream: int, params: bytes, body: bytes) -> Iterator[bytes]:
        yield frame(stream, WAITRESP, struct.pack(">i", 5))
        yield frame(0, ATTENTION, struct.pack(">ii", 5002, 0) + b"a word from the operator\0")
        yield frame(0, ATTENTION, struct.pack(">ii", 5008, 0) + frame(stream, OK, TWO))

    fake.handlers[DIRLIST] = later
    assert len(ask(lister, b"/store/x").files) == 2


def test_a_redirection_is_followed_with_its_parameters(fake, lister, ask) -> None:
    with FakeServer(dirs=["/store/x"]) as other:
        asked: list[bytes] = []

        def answer(connection: object, stream: int, params: bytes, body: bytes) -> Iterator[bytes]:
            asked.append(body)
            yield frame(stream, OK, TWO)

        other.handlers[DIRLIST] = answer
        fake.redirects[DIRLIST] = ("127.0.0.1", other.address[1], "&cap.sym=secret")
        assert len(ask(lister, b"/store/x").files) == 2
    assert asked == [b"/store/x?cap.sym=secret"]


@pytest.mark.parametrize("port", ["its own", -1, 1])
def test_a_redirection_that_leads_nowhere_is_a_failure_and_the_door_stays(fake, lister, ask, port: object) -> None:
    def redirect(connection: object, stream: int, params: bytes, body: bytes) -> Iterator[bytes]:
        target = fake.address[1] if port == "its own" else port
        yield frame(stream, REDIRECT, struct.pack(">i", target) + b"127.0.0.1\0")

    fake.handlers[DIRLIST] = redirect
    failed = ask(lister, b"/store/x")
    assert isinstance(failed, Failed)
    assert failed.retry
    assert "no XRootD door answers" not in failed.reason


def test_a_connection_that_breaks_in_an_answer_is_made_again_and_the_answer_is_whole(fake, lister, ask) -> None:
    turns = iter(range(10))

    def break_twice(connection: object, stream: int, params: bytes, body: bytes) -> Iterator[bytes]:
        yield frame(stream, OKSOFAR, TWO[:40])
        if next(turns) < 2:
            fake.disconnect()
        yield frame(stream, OK, TWO[40:])

    fake.handlers[DIRLIST] = break_twice
    assert len(ask(lister, b"/store/x").files) == 2
    assert fake.seen.count(DIRLIST) == 3


def test_a_directory_that_always_breaks_the_connection_fails_and_the_door_stays(fake, lister, ask) -> None:
    def always(connection: object, stream: int, params: bytes, body: bytes) -> Iterator[bytes]:
        if body.startswith(b"/store/x"):
            fake.disconnect()
        yield frame(stream, OK, TWO)

    fake.handlers[DIRLIST] = always
    failed = ask(lister, b"/store/x")
    assert isinstance(failed, Failed)
    assert failed.retry
    assert "5 times" in failed.reason
    assert len(ask(lister, b"/store/y").files) == 2


def test_a_crowd_of_questions_is_shared_by_four_connections(fake, lister) -> None:
    go = threading.Event()

    def slowly(connection: object, stream: int, params: bytes, body: bytes) -> Iterator[bytes]:
        go.wait(60)
        yield frame(stream, OK, TWO)

    fake.handlers[DIRLIST] = slowly
    lister.prepare()
    answers: list[object] = []
    answered = threading.Semaphore(0)

    def done(answer: object) -> None:
        answers.append(answer)
        answered.release()

    deadline = threading.Event()
    while fake.seen.count(LOG_IN) < 4 and not deadline.wait(0.05):
        lister.submit(b"/store/x", done)
    asked = len(fake.seen)
    go.set()
    assert answered.acquire(timeout=60)
    assert fake.seen.count(LOG_IN) == 4, asked


def test_the_further_connections_of_a_door_are_made_at_the_same_time(fake, lister) -> None:
    lister.prepare()
    together, asked, answered = threading.Barrier(4), threading.Event(), threading.Semaphore(0)

    def log_in(connection: object, stream: int, params: bytes, body: bytes) -> Iterator[bytes]:
        together.wait(60)
        yield frame(stream, OK, bytes(16))

    def slowly(connection: object, stream: int, params: bytes, body: bytes) -> Iterator[bytes]:
        asked.wait(60)
        yield frame(stream, OK, TWO)

    fake.handlers[LOG_IN], fake.handlers[DIRLIST] = log_in, slowly
    for _ in range(20):
        lister.submit(b"/store/x", lambda answer: answered.release())
    together.wait(60)  # three log-ins are under way, and this thread
    asked.set()
    assert all(answered.acquire(timeout=60) for _ in range(20)), "and what was asked meanwhile is answered"


@pytest.mark.parametrize(
    "stats",
    [
        b"a\n0 5 16 100 7\nb\n0 7 16",
        b"a\n\nb\n0 7 16 100",
        b"a\nb\n0 7 16 100",
        b"a\n0 x 16 100",
        b"a\n0 5 -16 100",
        b"a\n0 5 16 100\nb",
        b"a\n0 5 16 ",
        b"\n0 5 16 100",
    ],
)
def test_lines_that_do_not_fit_are_a_failure_for_good(fake, lister, ask, stats: bytes) -> None:
    fake.handlers[DIRLIST] = lambda _, stream, *__: iter([frame(stream, OK, b".\n0 0 0 0\n" + stats + b"\0")])
    failed = ask(lister, b"/store/x")
    assert isinstance(failed, Failed)
    assert not failed.retry
    assert "line end" in failed.reason


def test_lines_of_different_widths_are_read_by_their_first_four_words(fake, lister, ask) -> None:
    lines = b"a\n0 5 16 100 1 2 0644 root two words\nb\n0 7 16 -5\nc\n0 9 16 99999999999999999999"
    fake.handlers[DIRLIST] = lambda _, stream, *__: iter([frame(stream, OK, b".\n0 0 0 0\n" + lines + b"\0")])
    assert ask(lister, b"/store/x").files == Files([b"a", b"b", b"c"], [5, 7, 9], [100, -5, None])


@pytest.mark.xrootd
class TestOnARealServer:
    @pytest.mark.parametrize("name", [b"end\n", b"\nstart", b"\n", b"n" * 254, b"n" * 255])
    def test_a_name_that_the_protocol_cannot_show_fails_its_directory(self, site, listing, name: bytes) -> None:
        for each in (name, b"other"):
            with open(os.fsencode(site.path) + b"/" + each, "wb"):  # noqa: PTH123
                pass
        failed = listing()
        assert isinstance(failed, Failed)
        assert not failed.retry

    def test_both_clients_show_the_same(self, site) -> None:
        for number in range(3000):
            (site.path / f"file {number} of % many").touch()
        for number in range(40):
            (site.path / f"d{number}").mkdir()
        os.mkfifo(site.path / "fifo")
        seen = []
        for client in ("wire", "bindings"):
            lister = XRootDLister([site.server.url], client=client, timeout=20)
            answers: list[Listed] = []
            done = threading.Event()
            lister.submit(site.lfn, lambda answer, answers=answers, done=done: (answers.append(answer), done.set()))
            assert done.wait(60)
            lister.close()
            seen.append([sorted(part) for part in (answers[0].files, answers[0].directories, answers[0].holes)])
        assert seen[0] == seen[1]
        assert [len(part) for part in seen[0]] == [3000, 40, 1]


def test_a_connection_on_which_nothing_is_heard_is_left_for_a_new_one(fake, make_lister, ask) -> None:
    fake.handlers[DIRLIST] = lambda _, stream, *__: iter([frame(stream, OK, TWO)])
    with FaultProxy(fake.address) as proxy:
        lister = make_lister(str(proxy.url), timeout=2)
        assert len(ask(lister, b"/store/x").files) == 2
        proxy.stall_after(0)
        failed = ask(lister, b"/store/x")
        assert isinstance(failed, Failed)
        assert failed.retry
        assert failed.slow
        proxy.heal()
        before = proxy.connections
        assert len(ask(lister, b"/store/x").files) == 2
        assert proxy.connections > before


def test_redirectors_below_a_redirector_are_asked_for_their_data_servers(fake, make_lister, ask) -> None:
    with FakeServer(flags=IS_MANAGER) as below, FakeServer(dirs=["/store/x"]) as data:
        fake.flags = IS_MANAGER
        below_at, data_at = (f"[::ffff:127.0.0.1]:{server.address[1]}" for server in (below, data))
        fake.handlers[LOCATE] = lambda _, stream, *__: iter([frame(stream, OK, f"Mr{below_at}\0".encode())])
        below.handlers[LOCATE] = lambda _, stream, *__: iter([frame(stream, OK, f"Sw{data_at}\0".encode())])
        data.handlers[DIRLIST] = lambda _, stream, *__: iter([frame(stream, OK, TWO)])
        lister = make_lister(str(fake.url), timeout=5)
        lister.prepare()
        assert lister.behind == [str(data.url).rstrip("/")]
        assert len(ask(lister, b"/store/x").files) == 2
        below.handlers[LOCATE] = lambda *_: iter(())
        with pytest.raises(ListingError, match="does not say which data servers it has"):
            make_lister(str(fake.url), timeout=2).prepare()
