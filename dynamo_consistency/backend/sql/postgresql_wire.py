"""The rows of a binary COPY of PostgreSQL, read in bulk ahead of libpq.

libpq hands over one row at a time, at 0.2 µs each in Python, whatever is in it. Connection, log-in, statement and the
end of the answer are its work here too: each byte is looked at before it is taken, so that what is no row is still
there for libpq, which says whether the answer is whole. Where only libpq can read (GSSAPI, or a libpq that is not of
psycopg's wheel and encrypts), rows come by it.
"""

import contextlib
import select
from collections.abc import Iterator
from itertools import repeat
from typing import Any

import pyarrow as pa

from dynamo_consistency.backend.sql.postgresql_received import Received, received, wait
from dynamo_consistency.backend.sql.postgresql_rows import FRAME, CopiedRows

_END_OF_ROWS, _BETWEEN_ROWS = b"c", b"NSA"
_NO_MESSAGE = 0, b""


def rows(connection: Any, statement: bytes, columns: int, at_once: int) -> Iterator[pa.BinaryArray]:
    """The rows of `statement`, a binary COPY of so many columns, at most `at_once` at a time, each with a FRAME before.

    `connection`: a PGconn of psycopg that does nothing else. After the last row it can be used again; one that is not
    read to the end can only be closed. Raises what psycopg raises, also for a connection that is cut.
    """
    _send(connection, statement)
    found, taken = CopiedRows(), 0
    some = _ahead_of_libpq(connection, found, columns) or _by_libpq(connection, found, at_once)
    for _ in some:
        while len(found) > at_once:
            yield found.take(at_once)
            taken += at_once
    status = _require_success(connection)
    if not found.take_trailer():
        raise _lost()
    _require_all(status, taken + len(found))
    while len(found):
        yield found.take(at_once)


def _send(connection: Any, statement: bytes) -> None:
    connection.send_query(statement)
    while connection.flush():
        wait(connection.socket, select.POLLIN | select.POLLOUT)


def _ahead_of_libpq(connection: Any, found: CopiedRows, columns: int) -> Iterator[None] | None:
    """Reads rows until there are no more; None where they must come by libpq."""
    some = received(connection)
    if some is None:
        return None
    layout = b"\1" + columns.to_bytes(2) + columns * b"\0\1"  # all in binary
    if _next_message(some, b"H") == (ord("H"), layout):
        return _bulk(some, found)
    some.close()  # it is an error, or the connection is encrypted by GSSAPI
    return None


def _bulk(some: Received, found: CopiedRows) -> Iterator[None]:
    with contextlib.closing(some):
        while got := some.peek():
            found.data += got
            over = found.cut()
            left = len(got) - over
            while left and (dropped := some.drop(left)):
                left -= dropped
            yield
            if left or (over and _next_message(some, _BETWEEN_ROWS + _END_OF_ROWS)[0] not in _BETWEEN_ROWS):
                return


def _next_message(some: Received, kinds: bytes) -> tuple[int, bytes]:
    """Kind and contents of the next message, which is taken if it is one of these kinds; else it is (0, b"")."""
    kind = bytes(some.peek()[:1])
    if not kind or kind not in kinds:
        return _NO_MESSAGE
    frame = _taken(some, FRAME)
    if len(frame) < FRAME:
        return _NO_MESSAGE
    contents = _taken(some, int.from_bytes(frame[1:]) - FRAME + 1)
    return frame[0], contents


def _taken(some: Received, size: int) -> bytes:
    """The next bytes; fewer where no more will come."""
    found = b""
    while len(found) < size and (taken := some.take(size - len(found))):
        found += taken
    return found


def _by_libpq(connection: Any, found: CopiedRows, at_once: int) -> Iterator[None]:
    from psycopg.pq import ExecStatus

    while connection.is_busy():
        wait(connection.socket)
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
            wait(connection.socket)
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
