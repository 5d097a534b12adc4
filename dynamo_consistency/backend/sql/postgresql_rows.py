"""Rows of a binary COPY of PostgreSQL, as they come: where each ends, whatever pieces of the stream they come in."""

from array import array
from struct import Struct

import pyarrow as pa

from dynamo_consistency.backend.sql.framed import ALIKE, alike

FRAME = 5
"""Bytes before what a message holds: its kind, and four of its length, in which these four are counted."""

_unpacked_frame = Struct(">BI").unpack_from
_ROW = ord("d")
_FEW = 200
"""Rows for which a call of Arrow takes longer than Python."""

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""Before the first row, in its message."""
_TRAILER = b"\xff\xff"


class CopiedRows:
    """Rows that have come, each behind its frame, and the beginning of the next one.

    `bounds`: where the first begins, and where each ends, in `data`; but for the last `_alike` ones, which are of
    `_length` bytes each, as the one before mostly is.
    """

    def __init__(self) -> None:
        self.data, self.bounds, self._is_begun = bytearray(), array("i", [0]), False
        self._alike, self._length, self._run = 0, FRAME, 0

    def __len__(self) -> int:
        return len(self.bounds) - 1 + self._alike

    def cut(self) -> int:
        """Find where whole rows end in `data`; take the bytes off behind that are of no row, and say how many."""
        self._find_whole_rows()
        at, size = self.bounds[-1] + self._alike * self._length, len(self.data)
        over = size - at if at < size and self.data[at] != _ROW else 0
        if over:
            del self.data[-over:]
        if not self._is_begun:
            self.drop_header()
        return over

    def _find_whole_rows(self) -> None:
        data, bounds, size, before, run = self.data, self.bounds, len(self.data), self._length, self._run
        at = bounds[-1]
        while True:
            if run == ALIKE:
                if self._skip_alike():
                    break
                at, run = bounds[-1], 0
            if at + FRAME > size:
                break
            kind, length = _unpacked_frame(data, at)
            end = at + 1 + length
            if kind != _ROW or end > size:
                break
            bounds.append(end)
            if end - at == before:
                run += 1
            else:
                before = self._length = end - at
                run = 0
            at = end
        self._run = run

    def _skip_alike(self) -> bool:
        """Find the next rows that are as long as the one before. Is nothing whole behind them?"""
        length, frame = self._length, bytes([_ROW]) + (self._length - 1).to_bytes(FRAME - 1)
        at = self.bounds[-1] + self._alike * length
        more = alike(self.data, at, length, frame, len(self.data))
        self._alike += more
        at += more * length
        following = self.data[at : at + FRAME]
        if following == frame or len(following) < FRAME:
            return True
        self._write_bounds()
        return False

    def _write_bounds(self) -> None:
        """Those of the last rows, which are alike."""
        number, each = self._alike, self._length
        first = self.bounds[-1] + each
        if number < _FEW:
            self.bounds.extend(range(first, first + number * each, each))
        else:
            steps = pa.arange(first, first + number * each, each).cast(pa.int32())
            self.bounds.frombytes(memoryview(steps.buffers()[1])[: 4 * number])
        self._alike = 0

    def take(self, number: int) -> pa.BinaryArray:
        """The first rows, which are not among them any more."""
        self._write_bounds()
        data, bounds = self.data, self.bounds
        number = min(number, len(self))
        end = bounds[number]
        self.data, self.bounds = data[end:], array("i", [bound - end for bound in bounds[number:]])
        return pa.Array.from_buffers(pa.binary(), number, [None, pa.py_buffer(bounds), pa.py_buffer(data)])

    def take_trailer(self) -> bool:
        """Takes off what is behind the last row; False where it is not there: then the answer is not whole."""
        self._write_bounds()
        if not len(self) or self.data[self.bounds[-2] + FRAME : self.bounds[-1]] != _TRAILER:
            return False
        self.bounds.pop()
        return True

    def drop_header(self) -> None:
        """Takes off what is before the first row, once that has come."""
        if self._is_begun or not len(self):
            return
        self._is_begun = True
        self._write_bounds()
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
