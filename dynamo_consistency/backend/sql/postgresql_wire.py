"""The rows of a binary COPY of PostgreSQL, read off the socket of psycopg's connection in bulk.

libpq hands over one row at a time, at 0.2 µs each in Python, whatever is in it. Connection, log-in, statement and the
end of the answer are its work here too: each byte is looked at before it is taken, so that what is no row is still
there for libpq, which says whether the answer is whole. Where the connection is encrypted, rows come by libpq.
"""

import os
import select
import socket
import time
from array import array
from collections.abc import Iterator
from itertools import repeat
from typing import Any

import pyarrow as pa

from dynamo_consistency.backend.sql.framed import ALIKE, alike

READ_AT_ONCE = 1 << 20
FRAME = 5
"""Bytes before what a message holds: its kind, and four of its length, in which these four are counted."""

_ROW, _END_OF_ROWS, _BETWEEN_ROWS = ord("d"), b"c", b"NSA"
_NO_MESSAGE = 0, b""
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""Before the first row, in its message."""
_TRAILER = b"\xff\xff"
_WAIT_FOR_MORE = 0.001
"""Seconds after the first bytes that were waited for, so that many come at once."""


def rows(connection: Any, statement: bytes, columns: int, at_once: int) -> Iterator[pa.BinaryArray]:
    """The rows of `statement`, a binary COPY of so many columns, at most `at_once` at a time, each with a FRAME before.

    `connection`: a PGconn of psycopg that does nothing else. After the last row it can be used again; one that is not
    read to the end can only be closed. Raises what psycopg raises, also for a connection that is cut.
    """
    _send(connection, statement)
    found, taken = _Messages(), 0
    some = _by_socket(connection, found, columns) or _by_libpq(connection, found, at_once)
    for _ in some:
        while len(found) > at_once:
            yield found.take(at_once)
            taken += at_once
    status = _require_success(connection)
    found.take_trailer()
    _require_all(status, taken + len(found))
    while len(found):
        yield found.take(at_once)


class _Messages:
    """Rows that have come, each behind its frame, and the beginning of the next one.

    `bounds`: where the first begins, and where each ends, in `data`.
    """

    def __init__(self) -> None:
        self.data, self.bounds, self._is_begun = bytearray(), array("i", [0]), False

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def cut(self) -> int:
        """Find where whole rows end in `data`; take the bytes off behind that are of no row, and say how many."""
        at, size = self._find_whole_rows(), len(self.data)
        over = size - at if at < size and self.data[at] != _ROW else 0
        del self.data[size - over :]
        self.drop_header()
        return over

    def _find_whole_rows(self) -> int:
        """Where the last of them ends."""
        data, bounds = self.data, self.bounds
        at, last = bounds[-1], len(data) - FRAME
        before, run = (at - bounds[-2], ALIKE) if len(self) else (0, 0)
        while at <= last and data[at] == _ROW:
            length = 1 + (data[at + 1] << 24 | data[at + 2] << 16 | data[at + 3] << 8 | data[at + 4])
            if at + length > len(data):
                break
            at += length
            bounds.append(at)
            if length != before:
                before, run = length, 0
            elif run < ALIKE:
                run += 1
            else:
                more = alike(data, at, length, bytes(data[at - length : at - length + FRAME]), len(data))
                steps = pa.arange(at + length, at + more * length + 1, length).cast(pa.int32())
                bounds.frombytes(memoryview(steps.buffers()[1])[: 4 * more])
                at, run = bounds[-1], 0
        return at

    def take(self, number: int) -> pa.BinaryArray:
        """The first rows, which are not among them any more."""
        data, bounds = self.data, self.bounds
        number = min(number, len(self))
        end = bounds[number]
        self.data, self.bounds = data[end:], array("i", [bound - end for bound in bounds[number:]])
        return pa.Array.from_buffers(pa.binary(), number, [None, pa.py_buffer(bounds), pa.py_buffer(data)])

    def take_trailer(self) -> None:
        """Raises OperationalError where it is not there: then the answer is not whole."""
        if not len(self) or self.data[self.bounds[-2] + FRAME : self.bounds[-1]] != _TRAILER:
            raise _lost()
        self.bounds.pop()

    def drop_header(self) -> None:
        """Takes off what is before the first row, once that has come."""
        if self._is_begun or not len(self):
            return
        self._is_begun = True
        size = len(_HEADER)
        if self.data[FRAME : FRAME + size] != _HEADER:
            return
        if self.bounds[1] == FRAME + size:  # alone in its message
            size, first = FRAME + size, 2
            del self.data[:size]
        else:
            first = 1
            del self.data[FRAME : FRAME + size]
        self.bounds = array("i", [0, *(bound - size for bound in self.bounds[first:])])


def _send(connection: Any, statement: bytes) -> None:
    connection.send_query(statement)
    while connection.flush():
        _wait(connection.socket, select.POLLIN | select.POLLOUT)


def _wait(file: int, event: int = select.POLLIN) -> None:
    poll = select.poll()
    poll.register(file, event)
    poll.poll()


def _by_socket(connection: Any, found: _Messages, columns: int) -> Iterator[None] | None:
    """Reads rows until there are no more, a megabyte at a time at most; None where they must come by libpq."""
    if connection.ssl_in_use:
        return None
    own = socket.socket(fileno=os.dup(connection.socket))
    layout = b"\1" + columns.to_bytes(2) + columns * b"\0\1"  # all in binary
    if _next_message(own, b"H") == (ord("H"), layout):
        return _bulk(own, found)
    own.close()  # it is an error, or the connection is encrypted by GSSAPI
    return None


def _bulk(own: socket.socket, found: _Messages) -> Iterator[None]:
    room = bytearray(READ_AT_ONCE)
    without_copy = 0 if own.family == socket.AF_UNIX else socket.MSG_TRUNC
    with own, memoryview(room) as view:
        while got := _read(own, room, len(room), socket.MSG_PEEK):
            found.data += view[:got]
            over = found.cut()
            left = got - over
            while left and (taken := _read(own, room, left, without_copy)):
                left -= taken
            yield
            if left or (over and _next_message(own, _BETWEEN_ROWS + _END_OF_ROWS)[0] not in _BETWEEN_ROWS):
                return


def _next_message(own: socket.socket, kinds: bytes) -> tuple[int, bytes]:
    """Kind and contents of the next message, which is taken if it is one of these kinds; else it is (0, b"")."""
    if not _read(own, room := bytearray(1), 1, socket.MSG_PEEK) or room[0] not in kinds:
        return _NO_MESSAGE
    frame = _taken(own, FRAME)
    if len(frame) < FRAME:
        return _NO_MESSAGE
    contents = _taken(own, int.from_bytes(frame[1:]) - FRAME + 1)
    return frame[0], contents


def _taken(own: socket.socket, size: int) -> bytes:
    """The next bytes; fewer where no more will come."""
    room, found = bytearray(size), b""
    while len(found) < size and (taken := _read(own, room, size - len(found))):
        found += room[:taken]
    return found


def _read(own: socket.socket, room: bytearray, size: int, flags: int = 0) -> int:
    """How many bytes of the next ones are in `room` now, after a wait for at least one; 0 where none will come."""
    while True:
        try:
            return own.recv_into(room, size, flags)
        except BlockingIOError:
            _wait(own.fileno())
            time.sleep(_WAIT_FOR_MORE)
        except OSError:
            return 0  # libpq says why


def _by_libpq(connection: Any, found: _Messages, at_once: int) -> Iterator[None]:
    from psycopg.pq import ExecStatus

    while connection.is_busy():
        _wait(connection.socket)
        connection.consume_input()
    _require(connection.get_result(), ExecStatus.COPY_OUT)
    size = 0
    while size >= 0:
        data, add_bound, no_frame = found.data, found.bounds.append, bytes(FRAME)
        for size, row in map(connection.get_copy_data, repeat(1, at_once)):
            if size <= 0:
                break
            data += no_frame
            data += row
            add_bound(len(data))
        found.drop_header()
        yield
        if size == 0:
            _wait(connection.socket)
            connection.consume_input()


def _require_success(connection: Any) -> bytes:
    """The rows have ended; was it because there are no more? What the server says it has done."""
    from psycopg.pq import ExecStatus

    results = list(iter(connection.get_result, None))
    for result in results:
        _require(result, ExecStatus.COMMAND_OK)
    if not results:
        raise _lost()
    return bytes(results[-1].command_status or b"")


def _require_all(status: bytes, rows: int) -> None:
    """Raises OperationalError where the server has sent another number of rows."""
    if status != b"COPY %d" % rows:
        raise _lost(f"{rows} rows have come, and the server says {status.decode(errors='replace')}")


def _require(result: Any, status: int) -> None:
    from psycopg.errors import error_from_result

    if result is None:
        raise _lost()
    if result.status != status:
        raise error_from_result(result)


def _lost(reason: str = "the connection is lost") -> Exception:
    from psycopg import OperationalError

    return OperationalError(reason)
