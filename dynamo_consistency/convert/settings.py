"""The settings of one site, from which values are taken; those that are left over are reported."""

import math
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from dynamo_consistency.convert.conversion import Note

DAY = 86400

_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0", "")


class Settings:
    """Values by dotted names: `scanner.server`. What is noted here goes into `notes`, with the site's name.

    A value of the wrong kind is noted and counts as absent: a default of ours is never less safe.
    """

    def __init__(self, values: Mapping[str, Any], notes: list[Note], site: str | None = None) -> None:
        self._values = dict(_flat(values))
        self._notes, self._site = notes, site

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
        """A number that is not negative; it may be written as text, as in RSE attributes."""
        value = self.take(key)
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite() and number >= 0:
            return number
        self._wrong(key, value, "a number")
        return None

    def flag(self, key: str) -> bool | None:
        """The value of `key` as true or false, which may be written as text; None where there is none."""
        value = self.take(key)
        text = str(value).strip().lower()
        if text in _YES or text in _NO:
            return text in _YES
        self._wrong(key, value, "true or false")
        return None

    def texts(self, key: str) -> list[str]:
        """A list of texts; it may be written as one text with commas or blanks between them, as in RSE attributes."""
        value = self.take(key)
        if isinstance(value, str):
            return [part for part in re.split(r"[,\s]+", value) if part]
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return [part for part in value if part]
        self._wrong(key, value, "a list of texts")
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
    """Days as seconds, rounded up."""
    return math.ceil(days * DAY)
