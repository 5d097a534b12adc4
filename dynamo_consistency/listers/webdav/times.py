"""The times of files, as HTTP writes them."""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache

_TIME = re.compile(r"[A-Z][a-z]{2}, ([0-9]{2} [A-Z][a-z]{2} [0-9]{4}) ([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]) GMT")
_SHORT_YEAR = re.compile(r"[0-9]{2}-[A-Z][a-z]{2}-[0-9]{2} ")


def seconds(text: str) -> int | None:
    """A `getlastmodified` in seconds since 1970; None for one that is no time."""
    match = _TIME.fullmatch(text)
    try:
        if match is None:
            return _of_any_form(text)
        return _midnight(match[1]) + int(match[2]) * 3600 + int(match[3]) * 60 + int(match[4])
    except (ValueError, OverflowError, TypeError):
        return None


@lru_cache(maxsize=4096)
def _midnight(day: str) -> int:
    return _of_any_form(f"Mon, {day} 00:00:00 GMT")


def _of_any_form(text: str) -> int:
    """The older forms that HTTP knows, too. A time without a zone is UTC. Raises ValueError for no time.

    The library takes the year 0001 for 2001: only the year that stands there counts.
    """
    time = parsedate_to_datetime(text)
    if str(time.year) not in text and not _SHORT_YEAR.search(text):
        raise ValueError(text)
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
