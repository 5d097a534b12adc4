"""The settings of one site, from which values are taken; those that are left over are reported."""

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from dynamo_consistency.convert.conversion import Note

DAY = 86400
MOST = 2**31 - 1
"""The largest number that a check can have."""

_YES, _NO = ("true", "yes", "on", "1", "y"), ("false", "no", "off", "0", "n", "0.0")


class Settings:
    """Values by dotted names: `scanner.server`. What is noted here goes into `notes`, with the site's name.

    A value of the wrong kind is noted and counts as absent: a default of ours is never less safe. `in_doubt` says then
    whether one of them protected files, so that the check must not run before a person has looked.
    """

    def __init__(self, values: Mapping[str, Any], notes: list[Note], site: str | None = None) -> None:
        self._values = dict(_flat(values))
        self._notes, self._site = notes, site
        self.in_doubt = False

    def note(self, key: str, why: str) -> None:
        """Note `why` the check does not have what `key` says."""
        self._notes.append(Note(key, why, self._site))

    def has(self, key: str) -> bool:
        """Is there a value of `key` that was not taken yet?"""
        return key in self._values

    def take(self, key: str) -> Any:
        """The value of `key`, which is then no longer among the settings; None where there is none."""
        return self._values.pop(key, None)

    def text(self, key: str) -> str | None:
        """The value of `key` as text; None where there is none, or an empty one."""
        value = self.take(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str):
            return value or None
        self._wrong(key, value, "text")
        return None

    def number(self, key: str) -> Decimal | None:
        """A number, less than 0 or without end as well; it may be written as text, as in RSE attributes."""
        value = self.take(key)
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_nan():
            return number
        self._wrong(key, value, "a number")
        return None

    def flag(self, key: str, *, in_doubt: bool | None = None) -> bool | None:
        """The value of `key` as true or false, which may be written as text; None where there is none.

        `in_doubt` is returned, with a note, for what is neither; it is the side that protects.
        """
        value = self.tree(key)
        text = str(value).strip().lower()
        if text in _YES or text in _NO:
            return text in _YES
        if value is not None:
            what = "left out" if in_doubt is None else f"taken for {str(in_doubt).lower()}, which protects"
            self.note(key, f"{value!r} is not true or false: {what}")
        return None if value is None else in_doubt

    def tree(self, key: str) -> Any:
        """The value of `key`, which may be a mapping; with all that is below it, it is no longer among the settings."""
        below = [each for each in self._values if each.startswith(f"{key}.")]
        return {each.removeprefix(f"{key}."): self.take(each) for each in below} or self.take(key)

    def texts(self, key: str, *, protects: bool = False) -> list[str]:
        """A list of texts; it may be written as one text with commas or blanks between them, as in RSE attributes.

        `protects`: the texts say which files are left alone; where they cannot be read, the settings are `in_doubt`.
        """
        value = self.tree(key) if protects else self.take(key)
        if isinstance(value, str):
            return words(value)
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return [part for part in value if part or protects]
        self._wrong(key, value, "a list of texts")
        self.in_doubt |= protects and value not in (None, {})
        return []

    def left(self) -> list[str]:
        """The keys that nobody has taken."""
        return list(self._values)

    def _wrong(self, key: str, value: Any, kind: str) -> None:
        if value is not None:
            self.note(key, f"{value!r} is not {kind}: left out")


def _flat(values: Mapping[str, Any], start: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{start}{key}.")
        else:
            yield f"{start}{key}", value


def seconds(days: Decimal) -> int:
    """Days as seconds, rounded up; never more than a check can say."""
    return whole(days * DAY)


def whole(number: Decimal) -> int:
    """A number rounded up; not less than 0, nor more than a check can say."""
    return math.ceil(max(min(number, Decimal(MOST)), Decimal(0)))


def words(text: str) -> list[str]:
    """What stands in a text with commas or blanks between."""
    return text.replace(",", " ").split()
