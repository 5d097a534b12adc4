"""Which texts a regular expression may be the whole of, once the texts of some of its groups are known.

Python's own parser takes the pattern apart, so that it is read here as it is where it is matched. Repeated slashes are
one (paths are compared so), all else is exact; texts too many are allowed, because who asks tries each of them out.
"""

import re
from collections.abc import Iterable, Mapping, Set
from re import _constants, _parser  # type: ignore[attr-defined]  # no other module knows how a pattern is read
from typing import Any

MOST_TEXTS = 200
MOST_REPEATS = 8

_DIGITS = frozenset(b"0123456789")
_NO_TEXT = (_constants.AT, _constants.ASSERT, _constants.ASSERT_NOT)
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)
_SLASH = [(_constants.LITERAL, ord("/"))]


class TooManyError(Exception):
    """There is no end of texts, or none within reason."""


def fold(text: bytes) -> bytes:
    """Repeated slashes become one; one at the end stays."""
    return re.sub(b"/{2,}", b"/", text)


class PatternTexts:
    """The texts of one pattern. Raises re.error for one that cannot be read."""

    def __init__(self, pattern: bytes) -> None:
        self._tree = _parser.parse(pattern)
        self._exact = not self._tree.state.flags & re.IGNORECASE
        self.takes_all = _takes_all(list(self._tree))
        """Does a match always reach the end of the text? (Names with a line end are not reckoned with.)"""

    def texts(self, groups: Mapping[int, bytes]) -> set[bytes]:
        """Every text that the pattern may match completely with these texts of its groups, numbered from 1.

        Raises TooManyError.
        """
        if not self._exact:
            raise TooManyError
        return {fold(text) for text in self._of_all(self._tree, groups)}

    def _of_all(self, items: Iterable[tuple[Any, Any]], groups: Mapping[int, bytes]) -> set[bytes]:
        """Of the items in a row."""
        found = {b""}
        for kind, value in items:
            found = _joined(found, self._of(kind, value, groups))
        return found

    def _of(self, kind: Any, value: Any, groups: Mapping[int, bytes]) -> Set[bytes]:
        if kind in _NO_TEXT:
            return {b""}
        if kind in (_constants.LITERAL, _constants.IN):
            return {bytes([code]) for code in _characters([(kind, value)])}
        if kind is _constants.BRANCH:
            return {text for branch in value[1] for text in self._of_all(branch, groups)}
        if kind in _REPEATS:
            least, most, inside = value
            return self._repeated(least, most, inside, groups)
        return self._of_group(kind, value, groups)

    def _of_group(self, kind: Any, value: Any, groups: Mapping[int, bytes]) -> Set[bytes]:
        if kind is _constants.GROUPREF and value in groups:
            return {groups[value]}
        if kind is _constants.ATOMIC_GROUP:
            return self._of_all(value, groups)
        if kind is _constants.SUBPATTERN and not value[1] & re.IGNORECASE:
            number, _, _, inside = value
            return {groups[number]} if number in groups else self._of_all(inside, groups)
        raise TooManyError

    def _repeated(self, least: int, most: int, inside: Any, groups: Mapping[int, bytes]) -> set[bytes]:
        if list(inside) == _SLASH:
            return {text for text in (b"", b"/") if len(text) >= min(least, 1)}
        if most > MOST_REPEATS:
            raise TooManyError
        once = self._of_all(inside, groups)
        found, so_far = set[bytes](), {b""}
        for number in range(most + 1):
            found |= so_far if number >= least else set()
            so_far = _joined(so_far, once)
        return found


def _joined(starts: Set[bytes], ends: Set[bytes]) -> set[bytes]:
    if len(starts) * len(ends) > MOST_TEXTS:
        raise TooManyError
    return {start + end for start in starts for end in ends}


def _characters(members: Iterable[tuple[Any, Any]]) -> Set[int]:
    """Of a character, or a class such as `[a-c0]`; raises TooManyError for one that is not written out."""
    found: set[int] = set()
    for kind, value in members:
        if kind is _constants.LITERAL:
            found.add(value)
        elif kind is _constants.IN:
            found |= _characters(value)
        elif kind is _constants.RANGE:
            found.update(range(value[0], value[1] + 1))
        elif kind is _constants.CATEGORY and value is _constants.CATEGORY_DIGIT:
            found |= _DIGITS
        else:
            raise TooManyError
    return found


def _takes_all(items: list[tuple[Any, Any]]) -> bool:
    if not items:
        return False
    kind, value = items[-1]
    if kind is _constants.AT:
        return value in (_constants.AT_END, _constants.AT_END_STRING)
    if kind is _constants.SUBPATTERN:
        return _takes_all(list(value[3]))
    if kind is _constants.BRANCH:
        return all(_takes_all(list(branch)) for branch in value[1])
    greedy = kind in (_constants.MAX_REPEAT, _constants.POSSESSIVE_REPEAT) and value[1] is _constants.MAXREPEAT
    return greedy and [inside for inside, _ in value[2]] == [_constants.ANY]
