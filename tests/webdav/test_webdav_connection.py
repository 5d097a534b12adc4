"""What a connection takes for an answer, however its bytes are cut: all of it, or none."""

import socket
import ssl
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_dav import WHOLE, chunked, reply

from dynamo_consistency.listers.webdav.connection import Head, HttpConnection
from dynamo_consistency.listers.webdav.errors import WebDavError
from dynamo_consistency.listers.webdav.exchange import Exchange
from dynamo_consistency.listers.webdav.url import WebDavDoor, WebDavUrl

DOOR = WebDavDoor("http", "localhost", 80)


class Heard:
    """Owner and asker of a connection: what they were told."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.pieces: list[bytes] = []
        self.breaks = 0
        self.kept = self.is_gone = False

    def heard(self, head: Head, pieces: list[bytes], whole: bool) -> bool:
        assert head.status == 207
        self.pieces += pieces
        if whole:
            self.bodies.append(b"".join(self.pieces))
        return True

    def broke(self, error: Exception) -> None:
        self.breaks += 1

    def free(self, connection: HttpConnection) -> None:
        self.kept = True

    def gone(self, connection: HttpConnection) -> None:
        self.is_gone = True


def hear(data: bytes, cuts: tuple[int, ...] = (), ends: OSError | None = None) -> Heard:
    """What comes of bytes that come in pieces, after which the connection ends."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        told = Heard()
        connection = HttpConnection(ours, DOOR, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), told)
        connection.ask(b"", told)
        for first, last in pairwise(sorted({0, *cuts, len(data)})):
            if not told.is_gone:
                connection.received(data[first:last])
        if not told.is_gone:
            connection._lose(ends)
    assert len(told.bodies) + told.breaks == 1, "whoever asks is told once"
    return told


BEFORE = [
    "",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: x\r\nContent-Length: 7\r\n\r\n",
    "\r\n",
]
AFTER = [b"", b"rubbish", b"\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", reply(207, b"another"), b"HTTP/1.1 207", b"\0"]
WHOLE_ANSWERS = {
    "of a length": reply(207, WHOLE),
    "and closes": reply(207, WHOLE, {"Connection": "close"}),
    "in chunks": chunked(WHOLE[:100], WHOLE[100:101], WHOLE[101:]),
    "in chunks, and more in the end": chunked(WHOLE, end=b"0;x=y\r\nX-Sum: 5\r\n\r\n"),
}
CUTS = st.lists(st.integers(1, 900), max_size=6).map(tuple)


@pytest.mark.parametrize("kind", WHOLE_ANSWERS)
@given(before=st.lists(st.sampled_from(BEFORE), max_size=2), after=st.sampled_from(AFTER), cuts=CUTS)
def test_an_answer_is_whole_whatever_stands_around_it(
    kind: str, before: list[str], after: bytes, cuts: tuple[int, ...]
) -> None:
    told = hear("".join(before).encode() + WHOLE_ANSWERS[kind] + after, cuts)
    assert told.bodies == [WHOLE]


@pytest.mark.parametrize("kind", WHOLE_ANSWERS)
@given(before=st.sampled_from(BEFORE), data=st.data(), cuts=CUTS)
def test_an_answer_of_which_the_end_is_missing_is_none(
    kind: str, before: str, data: st.DataObject, cuts: tuple[int, ...]
) -> None:
    whole = before.encode() + WHOLE_ANSWERS[kind]
    part = whole[: data.draw(st.integers(0, len(whole) - 1))]
    assert hear(part, tuple(cut for cut in cuts if cut < len(part))).breaks


@pytest.mark.parametrize("after", AFTER[1:2] + AFTER[3:])
def test_a_connection_with_more_than_the_answer_is_not_kept(after: bytes) -> None:
    assert hear(reply(207, WHOLE)).kept
    assert not hear(reply(207, WHOLE) + after).kept


def test_without_a_length_it_ends_with_the_connection_if_that_does_not_break() -> None:
    answer = reply(207, WHOLE).replace(b"Content-Length", b"X-Length")
    assert hear(answer).bodies == [WHOLE]
    assert hear(answer, ends=ConnectionResetError()).breaks


@pytest.mark.parametrize(
    "headers",
    [
        {"Transfer-Encoding": "chunked"},
        {"content-length": "5"},
        {"Content-Length": "-1"},
        {"Content-Length": "18446744073709551999"},
        {"Content-Length": f"{len(WHOLE)}, {len(WHOLE)}"},
    ],
)
def test_a_length_that_is_not_clear_is_no_answer(headers: dict[str, str]) -> None:
    assert hear(reply(207, WHOLE, headers)).breaks


@given(cuts=CUTS)
def test_a_server_that_changes_the_protocol_gives_no_answer(cuts: tuple[int, ...]) -> None:
    change = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
    assert hear(change + reply(207, WHOLE), cuts).breaks


def test_who_offers_another_protocol_may_answer_in_this_one() -> None:
    told = hear(reply(207, WHOLE, {"Upgrade": "h2,h2c", "Connection": "Upgrade, Keep-Alive"}))
    assert told.bodies == [WHOLE]
    assert told.kept


class Stumbling:
    """A reader that meets what nobody has foreseen."""

    def feed(self, piece: bytes) -> None:
        raise ArithmeticError("of the moon")

    def end(self) -> None:
        raise AssertionError

    def close(self) -> None:
        pass


def test_whatever_goes_wrong_in_reading_who_waits_is_told() -> None:
    exchange = Exchange(WebDavUrl.of(DOOR, b"/d"), lambda *_: Stumbling())
    assert not exchange.heard(Head(207, {}), [b"x"], whole=True)

    def awaits() -> Iterator[object]:
        return (yield from exchange.later.__await__())

    with pytest.raises(WebDavError, match="of the moon"):
        next(awaits())
