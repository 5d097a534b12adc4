"""The files of a list, and when it was made: the newest of dated ones, and all parts of it."""

import contextlib
import time
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import fsspec

from dynamo_consistency.check import ListFile
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump.dates import date_in, is_date, written
from dynamo_consistency.listers.dump.newest import newest
from dynamo_consistency.listers.dump.opening import as_listing_error, shown, without_query
from dynamo_consistency.listers.dump.told_dates import told_date
from dynamo_consistency.listers.dump.whole_file import version_of
from dynamo_consistency.listers.times import MOST_SECONDS_AHEAD

_DAY = 86400
_WRITTEN_WITHIN = _DAY / 2
"""Seconds between the modifications of parts without a date: one that is a day older is left from the day before."""


class Parts(NamedTuple):
    """`urls` together are the list; `date` is when it was made, in seconds since 1970."""

    urls: list[str]
    date: float

    @property
    def name(self) -> str:
        """For people."""
        more = f" and {len(self.urls) - 1} more" if len(self.urls) > 1 else ""
        return shown(self.urls[0]) + more


def parts_of(source: ListFile) -> Parts:
    """What `source.url` means now.

    A list is of `source.date`, else of the earliest date in its names and first lines, else of its modification time. A
    date without an offset is in `timeZone`, and a date without a time means the day's beginning; a modification on the
    day before it counts instead: the earlier a list is believed to be, the more it leaves alone.

    Raises ListingError when it is not there, when its parts are not all there or not of one date, where nothing tells
    the date, and for a date in the future, by which every file would look old.
    """
    zone = ZoneInfo(source.time_zone)
    dates = {
        url: _said(url, found.date, zone, source.format)
        for found in (newest(url, zone, source.newest_within_days) for url in source.urls)
        for url in found.urls
    }
    urls = list(dates)
    _refuse_different_dates({url: date for url, date in dates.items() if date is not None}, _DAY)
    if source.date:
        date = written(source.date, zone)
    else:
        known = {
            url: _modified(url) if date is None else _no_later_than_written(url, date) for url, date in dates.items()
        }
        _refuse_different_dates(known, _WRITTEN_WITHIN if None in dates.values() else _DAY)
        date = min(known.values())
    parts = Parts(urls, date)
    if date > time.time() + MOST_SECONDS_AHEAD:
        raise ListingError(f"the dump {parts.name} is dated {_day(date)}, which is in the future; set its date")
    return parts


def versions(urls: list[str]) -> list[str]:
    """What tells one version of each file from another, on whatever host; that is not its inode number.

    Raises ListingError when one is not there any more.
    """
    told = []
    for url in urls:
        with as_listing_error(url):
            version = version_of(url, f"the dump {shown(url)}")
            told.append(str(sorted((key, str(value)) for key, value in version.items() if key != "ino")))
    return told


def refuse_if_old(parts: Parts, most_seconds: int | None) -> None:
    """Raises ListingError for a list that is older than that."""
    age = time.time() - parts.date
    if most_seconds is not None and age > most_seconds:
        raise ListingError(
            f"the dump {parts.name} is {age / 3600:.0f} hours old, more than maxAgeSeconds allows; publish a new one"
        )


def refuse_empty_part(parts: Parts, url: str) -> None:
    """Raises ListingError for one of several parts without a byte: a copy that failed leaves just that."""
    with as_listing_error(url):
        filesystem, path = fsspec.core.url_to_fs(url)
        if len(parts.urls) > 1 and filesystem.size(path) == 0:
            raise ListingError(f"a part of the dump, {shown(url)}, is empty; if it is meant so, have it packed")


def _refuse_different_dates(dates: dict[str, float], within: float) -> None:
    if dates and max(dates.values()) - min(dates.values()) >= within:
        first, last = min(dates, key=dates.__getitem__), max(dates, key=dates.__getitem__)
        raise ListingError(
            f"the parts of the dump are not of one date: {shown(first)} is of {_minute(dates[first])}, "
            f"{shown(last)} of {_minute(dates[last])}"
        )


def _day(date: float) -> str:
    return _minute(date).partition(" ")[0]


def _minute(date: float) -> str:
    try:
        return datetime.fromtimestamp(date, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError):
        return str(date)


def _said(url: str, chosen_by: float | None, zone: ZoneInfo, format_: str) -> float | None:
    """The earlier of what its name and its first line say; `chosen_by` is the date by which it was chosen."""
    in_name = _in_name(url, zone) if chosen_by is None else chosen_by
    return min((date for date in (in_name, told_date(url, format_)) if date is not None), default=None)


def _in_name(url: str, zone: ZoneInfo) -> float | None:
    """The earliest date in the file's name; else that of a directory which is called by nothing but a date."""
    *above, name = without_query(url).rstrip("/").split("/")
    date = date_in(name, zone, shown(url))
    if date is not None:
        return date
    return next((date_in(part, zone, shown(url)) for part in reversed(above) if is_date(part, zone)), None)


def _no_later_than_written(url: str, said: float) -> float:
    """What the name says, which may be the date of another time zone: no list is of after it was written."""
    with contextlib.suppress(ListingError):
        modified = _modified(url)
        if said - _DAY < modified < said:
            return modified
    return said


def _modified(url: str) -> float:
    with as_listing_error(url):
        filesystem, path = fsspec.core.url_to_fs(url)
        with contextlib.suppress(NotImplementedError, KeyError):
            return float(filesystem.modified(path).timestamp())
        raise ListingError(
            f"nothing tells when the dump {shown(url)} was taken; set its date, or put YYYYMMDD into its name"
        )
