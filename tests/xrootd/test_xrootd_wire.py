"""What our own client makes of the protocol: parts, redirections, promises, broken connections, and who is let in."""

import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from xrdclient.testing import FakeServer, frame

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.contract import Failed, Listed
from dynamo_consistency.listers.xrootd import XRootDLister
from dynamo_consistency.listers.xrootd.wire.connection import Connection, Question
from dynamo_consistency.listers.xrootd.wire.frames import DIRLIST, OK, OKSOFAR, WAITRESP, Broken, Frames, WholeAnswer
from dynamo_consistency.listers.xrootd.wire.private_copy import private

ATTENTION, REDIRECT, AUTHENTICATE, LOG_IN = 4001, 4004, 3000, 3007
TWO = b".\n0 0 0 0\na\n0 5 16 100\nb\n0 7 16 100\0"


@pytest.fixture
def client() -> str:
    return "wire"


@pytest.fixture
def lister(fake: FakeServer, make_lister: Callable[..., XRootDLister]) -> XRootDLister:
    return make_lister(str(fake.url), timeout=5)


class TestFrames:
    STREAM = b"".join(
        [
            frame(4, OKSOFAR, b"one "),
            frame(5, OK, b"x"),
            frame(4, OKSOFAR, b"two "),
            frame(4, OK, b"three"),
            frame(6, OK),
        ]
    )
    ANSWERS = (WholeAnswer(5, OK, b"x"), WholeAnswer(4, OK, b"one two three"), WholeAnswer(6, OK, b""))

    @pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 1000])
    def test_bytes_that_come_in_pieces_of_any_size_are_the_same_answers(self, size: int) -> None:
        frames = Frames()
        pieces = [self.STREAM[at : at + size] for at in range(0, len(self.STREAM), size)]
        assert tuple(answer for piece in pieces for answer in frames.feed(piece)) == self.ANSWERS

    @pytest.mark.parametrize("cut", range(1, len(STREAM)))
    def test_no_part_of_an_answer_is_ever_shown(self, cut: int) -> None:
        answers = tuple(Frames().feed(self.STREAM[:cut]))
        assert answers == self.ANSWERS[: len(answers)]

    def test_what_cannot_be_xrootd_breaks_the_connection(self) -> None:
        with pytest.raises(Broken):
            list(Frames().feed(b"HTTP/1.1 400 Bad Request\r\n"))

    def test_an_error_after_parts_is_an_error(self) -> None:
        assert list(Frames().feed(frame(4, OKSOFAR, b"part") + frame(4, 4003, b"no"))) == [WholeAnswer(4, 4003, b"no")]


class TestConnection:
    """Over a pair of sockets, so that the test is the server."""

    @pytest.fixture
    def ends(self) -> Iterator[tuple[Connection, socket.socket]]:
        here, there = socket.socketpair()
        here.setblocking(False)
        self.answers: list[tuple[str, bytes]] = []
        self.broken: list[str] = []
        yield Connection(here, self, lambda: 1.0), there
        here.close()
        there.close()

    def answered(self, connection: Connection, question: Question, answer: WholeAnswer) -> None:
        self.answers.append((question.path.decode(), answer.body))

    def broke(self, connection: Connection, reason: str) -> None:
        self.broken.append(reason)

    def ask(self, connection: Connection, path: bytes, deadline: float) -> int:
        """The number under which it went out."""
        connection.ask(Question(DIRLIST, bytes(16), path, deadline, lambda *_: None))
        connection.flush()
        return next(reversed(connection.pending))

    def test_a_late_answer_is_not_taken_for_that_to_a_later_question(self, ends) -> None:
        connection, server = ends
        late = self.ask(connection, b"/late", deadline=1)
        assert [question.path for question in connection.give_up(2)] == [b"/late"]
        numbers = {self.ask(connection, b"/next", deadline=9) for _ in range(3)}
        assert late not in numbers
        server.sendall(frame(late, OK, b"of the late one"))
        connection.readable()
        assert self.answers == []
        assert self.ask(connection, b"/again", deadline=9) == late, "its number is free once its answer has come"

    def test_parts_without_an_end_are_nothing_when_the_connection_breaks(self, ends) -> None:
        connection, server = ends
        stream = self.ask(connection, b"/a", deadline=9)
        server.sendall(frame(stream, OKSOFAR, TWO[:20]) + frame(stream, OK, TWO[20:])[:-1])
        connection.readable()
        server.close()
        connection.readable()
        assert self.answers == []
        assert len(self.broken) == 1
        assert [question.path for question in connection.pending.values()] == [b"/a"]


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
        go.wait(20)
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
    assert answered.acquire(timeout=20)
    assert fake.seen.count(LOG_IN) == 4, asked


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
    assert ask(lister, b"/store/x").files == [(b"a", 5, 100), (b"b", 7, -5), (b"c", 9, None)]


class TestCredentialsThatOthersMayRead:
    def test_they_are_copied_for_this_user_alone_and_once(self, tmp_path) -> None:
        secret = tmp_path / "proxy"
        secret.write_bytes(b"secret")
        secret.chmod(0o640)
        copy = private(secret)
        assert copy != str(secret)
        with open(copy, "rb") as file:  # noqa: PTH123 (a descriptor's path)
            assert file.read() == b"secret"
            assert os.fstat(file.fileno()).st_mode & 0o777 == 0o600
        assert private(secret) == copy
        secret.write_bytes(b"renewed")
        assert private(secret) != copy

    def test_one_that_is_private_already_stays_where_it_is(self, tmp_path) -> None:
        (tmp_path / "proxy").write_bytes(b"secret")
        (tmp_path / "proxy").chmod(0o600)
        assert private(tmp_path / "proxy") == str(tmp_path / "proxy")


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
            assert done.wait(20)
            lister.close()
            seen.append([sorted(part) for part in (answers[0].files, answers[0].directories, answers[0].holes)])
        assert seen[0] == seen[1]
        assert [len(part) for part in seen[0]] == [3000, 40, 1]


def test_a_token_that_a_group_may_read_is_sent_to_a_door_that_asks_for_one(fake, lister, monkeypatch, tmp_path) -> None:
    sent: list[bytes] = []

    def accept(connection: object, stream: int, params: bytes, body: bytes) -> Iterator[bytes]:
        sent.append(body)
        yield frame(stream, OK)

    fake.sec, fake.handlers[AUTHENTICATE] = "&P=ztn,0:4096:", accept
    (tmp_path / "token").write_text("an-opaque-token\n")
    (tmp_path / "token").chmod(0o440)
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(ListingError, match="ztn: not offered on a cleartext connection"):
        lister.prepare()
    assert sent == []
    monkeypatch.setenv("XRD_ZTNCLEARTEXT", "1")
    lister.prepare()
    assert len(sent) == 1
    assert b"an-opaque-token\0" in sent[0]


LOG_IN_AND_LIST = """
import logging, sys
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.xrootd import XRootDLister
logging.basicConfig()
lister = XRootDLister([sys.argv[1]], timeout=5)
try:
    lister.prepare()
    print(lister.list(b"/store"))
except ListingError as error:
    print(error)
"""


@pytest.mark.xrootd
class TestWaysToLogIn:
    """Each in a process of its own, since the library remembers how it logged in."""

    def guarded(self, daemons, lines: str):
        server = daemons.server(name=f"server{len(lines)}", lines=f"xrootd.seclib libXrdSec.so\n{lines}")
        (server.store / "f").write_bytes(b"123")
        return server

    def listed(self, server, **environment: str) -> str:
        command = [sys.executable, "-c", LOG_IN_AND_LIST, server.url]
        done = subprocess.run(
            command, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout + done.stderr

    def test_a_user_name_is_enough_where_the_server_trusts_it(self, daemons) -> None:
        said = self.listed(self.guarded(daemons, "sec.protocol unix\n"))
        assert "(True, [], [(b'f', 3, " in said
        assert "library" not in said

    def test_shared_secrets_are_left_to_the_library_and_the_log_says_so(self, daemons) -> None:
        if shutil.which("xrdsssadmin") is None:
            pytest.skip("apt-get install xrootd-server")
        keys = daemons.directory("keys") / "keytab"
        add = ["xrdsssadmin", "-k", "test", "-u", "anybody", "-g", "usrgroup", "add", str(keys)]
        subprocess.run(add, check=True, capture_output=True, input=b"y\n")
        theirs = keys.with_name("server")
        shutil.copy(keys, theirs)
        if os.geteuid() == 0:
            shutil.chown(theirs, "xrootd", "xrootd")
            shutil.chown(keys.parent, "xrootd", "xrootd")
        theirs.chmod(0o600)
        for others in ("", "sec.protocol unix\n"):
            server = self.guarded(daemons, f"sec.protocol sss -s {theirs}\n{others}")
            said = self.listed(server, XrdSecSSSKT=str(keys))
            assert "(True, [], [(b'f', 3, " in said
            assert "asks for sss: it is listed with the XRootD library" in said
            server.stop()

    def test_signed_requests_are_left_to_the_library_and_the_log_says_so(self, daemons) -> None:
        said = self.listed(self.guarded(daemons, "sec.protocol unix\nsec.level all intense\n"))
        assert "(True, [], [(b'f', 3, " in said
        assert "it wants requests to be signed: it is listed with the XRootD library" in said
