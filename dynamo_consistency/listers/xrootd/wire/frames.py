"""The bytes of the protocol: requests, and the frames of answers put together to whole answers.

Every number is in network order. A request is 24 bytes and a path, an answer 8 bytes and a body; both carry the number
of the question, its stream id.
"""

import struct
from typing import NamedTuple

DIRLIST, RMDIR, STAT, LOCATE = 3004, 3015, 3017, 3027
OK, OKSOFAR, ATTN, ERROR, REDIRECT, WAIT, WAITRESP = 0, 4000, 4001, 4003, 4004, 4005, 4006
ASYNCHRONOUS_ANSWER = 5008  # the kind of attention that holds a whole answer, after WAITRESP

FIRST_STREAM, STREAMS = 4, 65_000  # the numbers below are those of the log-in
LONGEST_FRAME, LONGEST_ANSWER = 1 << 29, 1 << 31  # beyond that it is no XRootD server

_request = struct.Struct(">HH16sI").pack
_head = struct.Struct(">HHI").unpack_from

NO_PARAMETERS = bytes(16)


class Broken(Exception):  # noqa: N818 (a state, not a mistake)
    """The connection can no longer be used, and so nothing that was under way on it will be answered."""


class WholeAnswer(NamedTuple):
    """A final answer: all parts that came before it are in its body. For `WAITRESP` it is yet to come."""

    stream: int
    status: int
    body: bytes


def request(stream: int, kind: int, parameters: bytes, path: bytes) -> bytes:
    """The bytes of a question. `parameters` are the 16 bytes between its kind and its length."""
    return _request(stream, kind, parameters, len(path)) + path


def listing_parameters(flags: int) -> bytes:
    """Those of DIRLIST; `flags` is 2 for names with their facts, 0 for bare names."""
    return bytes(15) + bytes([flags])


def locate_parameters(flags: int) -> bytes:
    """Those of LOCATE."""
    return flags.to_bytes(2, "big") + bytes(14)


def number(body: bytes) -> int:
    """The signed number that the bodies of ERROR, WAIT and REDIRECT begin with."""
    return int.from_bytes(body[:4], "big", signed=True)


class Frames:
    """Cuts the bytes of one connection into whole answers.

    A part of an answer is kept until the last one is there, and lost with the connection: none is ever shown.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._held, self._needed = 0, 8
        self._parts: dict[int, list[bytes]] = {}
        self._lengths: dict[int, int] = {}

    def feed(self, data: bytes) -> list[WholeAnswer]:
        """What `data` completes. Raises Broken, and gives nothing, when it cannot be of an XRootD server."""
        self._pieces.append(data)
        self._held += len(data)
        if self._held < self._needed:
            return []
        data = b"".join(self._pieces)
        answers: list[WholeAnswer] = []
        at, end, needed = 0, len(data), 8
        while end - at >= 8:
            stream, status, length = _head(data, at)
            if length > LONGEST_FRAME:
                raise Broken("what it sends is not XRootD")
            stop = at + 8 + length
            if stop > end:
                needed = 8 + length
                break
            answer = self._add(stream, status, data[at + 8 : stop])
            at = stop
            if answer is not None:
                answers.append(answer)
        rest = data[at:]
        self._pieces, self._held, self._needed = [rest] if rest else [], len(rest), needed
        return answers

    def drop(self, stream: int) -> None:
        """Keep nothing of an answer that nobody awaits any more."""
        self._parts.pop(stream, None)
        self._lengths.pop(stream, None)

    def _add(self, stream: int, status: int, body: bytes) -> WholeAnswer | None:
        if status == ATTN:
            if len(body) < 16 or number(body) != ASYNCHRONOUS_ANSWER:
                return None
            stream, status, _ = _head(body, 8)
            body = body[16:]
        if status == OKSOFAR:
            self._keep(stream, body)
            return None
        if status == WAITRESP:
            return WholeAnswer(stream, status, body)
        parts = self._parts.pop(stream, None)
        if parts is not None:
            del self._lengths[stream]
            if status == OK:
                body = b"".join((*parts, body))
        return WholeAnswer(stream, status, body)

    def _keep(self, stream: int, body: bytes) -> None:
        self._parts.setdefault(stream, []).append(body)
        self._lengths[stream] = length = self._lengths.get(stream, 0) + len(body)
        if length > LONGEST_ANSWER:
            raise Broken(f"an answer has more than {LONGEST_ANSWER} bytes")
