"""Shapes of answers: once an answer was read and understood, others of the same shape are read in a few steps.

A shape is the text of an answer without its values. A text is of that shape if it begins and ends like it, and what is
between values is always the same: cut there, nothing but values is left. Whatever is not exactly so has another shape.
"""

import re
from collections.abc import Sequence
from functools import cache

from dynamo_consistency.listers.webdav.multistatus import LONGEST_TEXT

_VALUE = "[^<>&\x00-\x08\x0b-\x1f\ufffe\uffff]*"
"""What means in XML simply what stands there. Line ends and tabs may be in it, a carriage return may not."""
_MARKS = "\x01\x02\x03\x04"
MOST_COLUMNS = len(_MARKS)


class Shape:
    """`own` is the text of the response about the directory, from the start of the answer, cut at its values; `entry`
    is that of one of the others, and `end` is what follows after the last one.
    """

    def __init__(self, own: Sequence[str], entry: Sequence[str], end: str) -> None:
        """Raises ValueError where there are no values, or more than `MOST_COLUMNS`."""
        self.columns = len(entry) - 1
        if len(own) < 2 or not 0 < self.columns <= MOST_COLUMNS:
            raise ValueError
        self._start, self._end = own[0], entry[-1] + end
        self._own = [*own[1:-1], own[-1] + entry[0]]
        self._between = [*entry[1:-1], entry[-1] + entry[0]]

    def values(self, text: str) -> tuple[list[str], list[str]] | None:
        """The values of the response about the directory, and those of all others in turn; None for another shape."""
        if not text.startswith(self._start) or not text.endswith(self._end):
            return None
        own, at = [], len(self._start)
        for after in self._own:
            stop = text.find(after, at)
            if stop < 0:
                return None
            own.append(text[at:stop])
            at = stop + len(after)
        inside = text[at : -len(self._end)]
        if at > len(text) - len(self._end) or any(mark in inside for mark in _MARKS):
            return None
        for mark, between in zip(_MARKS, self._between, strict=False):
            inside = inside.replace(between, mark)
        if not _rows(self.columns).fullmatch(inside) or not _values().fullmatch("".join(own)):
            return None
        for mark in _MARKS[1 : self.columns]:
            inside = inside.replace(mark, _MARKS[0])
        values = inside.split(_MARKS[0])
        return (own, values) if len(text) <= LONGEST_TEXT or (_short(own) and _short(values)) else None


def _short(values: list[str]) -> bool:
    return max(map(len, values)) <= LONGEST_TEXT


@cache
def _rows(columns: int) -> re.Pattern[str]:
    """Rows of so many values, with the marks of their columns between them."""
    row = "".join(_VALUE + mark for mark in _MARKS[: columns - 1]) + _VALUE
    return re.compile(f"{row}(?:{_MARKS[columns - 1]}{row})*")


@cache
def _values() -> re.Pattern[str]:
    return re.compile(_VALUE)
