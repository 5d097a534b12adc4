"""The bytes of the protocol: whole answers from parts, and questions under numbers on one connection."""

import socket
from collections.abc import Iterator

import pytest
from xrdclient.testing import frame

from dynamo_consistency.listers.xrootd.wire.connection import Connection, Question
from dynamo_consistency.listers.xrootd.wire.frames import DIRLIST, OK, OKSOFAR, Broken, Frames, WholeAnswer

TWO = b".\n0 0 0 0\na\n0 5 16 100\nb\n0 7 16 100\0"


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
