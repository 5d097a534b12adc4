"""The newest of dated files: `url` with places for a date (`%Y%m%d`) or with `*`."""

import re
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from typing import Any, NamedTuple

import fsspec

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump.dates import date_in
from dynamo_consistency.listers.dump.numbered import refuse_unless_all_parts
from dynamo_consistency.listers.dump.opening import as_listing_error, shown

_DAY = 86400
_PLACES = {"Y": r"\d{4}", "y": r"\d{2}", "s": r"\d{9,10}", "j": r"\d{3}"} | dict.fromkeys("mdHMS", r"\d{2}")
_PLACE = re.compile(f"%[{''.join(_PLACES)}]")
_YEAR = re.compile("%[Yys]")  # no percent-encoded byte of a URL looks like one of these
_NOT_THERE = (403, 404, 410)  # 403: an object store that does not let everybody list it
_OF_DAYS = set("Yymdj")
_UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".filepart", ".incomplete", ".crdownload", ".swp", ".lock", "~")


class Found(NamedTuple):
    """One file or the parts of it, and the date by which they were chosen, in seconds since 1970."""

    urls: list[str]
    date: float | None = None


def newest(url: str, zone: tzinfo, within_days: int) -> Found:
    """The file that `url` means, or the parts of it; `url` itself where it has no places and no `*`.

    Raises ListingError when there is none of the last days, when the parts are not all there, and where it cannot be
    told which file is meant.
    """
    has_places = bool(_YEAR.search(url))
    if not has_places and "*" not in url:
        return Found([url])
    with as_listing_error(url):
        candidates = _dated(url, zone, within_days, has_places=has_places)
    if not candidates:
        raise ListingError(f"there is no dump {shown(url)}; look at its url, and whether it is published")
    dates = sorted((date for date in candidates if date is not None), reverse=True)
    if not dates:
        return Found(refuse_unless_all_parts(candidates[None], [], shown(url)))
    if time.time() - dates[0] > within_days * _DAY:
        day = datetime.fromtimestamp(dates[0], zone).date()
        raise ListingError(
            f"the newest dump {shown(url)} is of {day}, longer ago than newestWithinDays ({within_days}) allows"
        )
    before = candidates[dates[1]] if len(dates) > 1 else []
    return Found(refuse_unless_all_parts(candidates[dates[0]], before, shown(url)), dates[0])


def _dated(url: str, zone: tzinfo, within_days: int, *, has_places: bool) -> dict[float | None, list[str]]:
    """Date → files that fit the pattern; None: without a date."""
    filesystem, path = fsspec.core.url_to_fs(url)
    places = {place[1] for place in _PLACE.findall(url)} if has_places else set()
    if places and places <= _OF_DAYS and "*" not in url and url.startswith(("http://", "https://")):
        return _asked_for(url, filesystem, zone, within_days)
    look = re.compile(_regex(path, places=has_places))
    found: dict[float | None, list[str]] = defaultdict(list)
    for name in filesystem.glob(_glob(path, http=url.startswith("http"), places=has_places)):
        match = None if _is_unfinished(name) else look.fullmatch(name)
        if match:
            date = _of_places(match.groupdict(), zone) if has_places else _of_stars(match.groups(), name, zone)
            found[date].append(name if "://" not in url else filesystem.unstrip_protocol(name))
    return {date: sorted(names) for date, names in found.items()}


def _is_unfinished(name: str) -> bool:
    """Is this what programs call a file that they are still writing?"""
    last = name.rstrip("/").rsplit("/", 1)[-1].lower()
    return last.startswith((".", "~")) or last.endswith(_UNFINISHED) or "_copying_" in last


def _asked_for(url: str, filesystem: Any, zone: tzinfo, within_days: int) -> dict[float | None, list[str]]:
    """A web server need not list its files: it is asked for each day, from tomorrow back, until it has one."""
    day = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    for _ in range(within_days + 2):
        name = _PLACE.sub(lambda place, day=day: day.strftime(place[0]), url)  # type: ignore[misc]
        if _is_there(filesystem, name):
            return {day.timestamp(): [name]}
        day -= timedelta(days=1)
    return {}


def _is_there(filesystem: Any, url: str) -> bool:
    """Raises FileNotFoundError, as this driver does for everything, when the server does not say."""
    try:
        filesystem.info(url)
    except FileNotFoundError as error:
        if getattr(error.__cause__, "status", None) not in _NOT_THERE:
            raise
        return False
    return True


def _glob(path: str, *, http: bool, places: bool) -> str:
    literal = path if http else re.sub(r"[\[?]", lambda magic: f"[{magic[0]}]", path)
    return re.sub(r"\*+", "*", _PLACE.sub("*", literal) if places else literal)


def _regex(path: str, *, places: bool) -> str:
    parts, seen = [], set()
    for part in re.split(r"(\*+|%[a-zA-Z])", path):
        if part.startswith("*"):
            parts.append("([^/]*)" if not places else "[^/]*")
        elif places and _PLACE.fullmatch(part):
            parts.append(f"(?P={part[1]})" if part in seen else f"(?P<{part[1]}>{_PLACES[part[1]]})")
            seen.add(part)
        else:
            parts.append(re.escape(part))
    return "".join(parts)


def _of_places(groups: dict[str, str], zone: tzinfo) -> float | None:
    """The date at the places; None for digits that are no date."""
    keys = [key for key in groups if key != "s"]
    try:
        if "s" in groups:
            return float(groups["s"])
        when = datetime.strptime(" ".join(groups[key] for key in keys), " ".join(f"%{key}" for key in keys))
    except ValueError:
        return None
    return when.replace(tzinfo=zone).timestamp()


def _of_stars(groups: Iterable[str], name: str, zone: tzinfo) -> float | None:
    """The date in the name of the file; else the last one in what the stars stand for."""
    texts = [name.rstrip("/").rsplit("/", 1)[-1], *reversed(list(groups))]
    return next((date for date in (date_in(text, zone, shown(name)) for text in texts) if date is not None), None)
