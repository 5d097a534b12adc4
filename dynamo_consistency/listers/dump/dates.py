"""When a list was made, as people write it into its name."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo

from dynamo_consistency.errors import ListingError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES = "|".join(_MONTHS)
_CLOCK = r"(?:(?P<gap>[-_T. ]?)(?P<H>\d{2})[-_.:h]?(?P<M>\d{2})(?:[-_.:m]?(?P<S>\d{2}))?)?"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        # 20261122, 202611220430, 20261122043000, 2026112204, 2026-11-22, 2026.11.22, 2026_11_22_04_30
        rf"(?<!\d)(?P<Y>\d{{4}})(?P<m>\d{{2}})(?P<d>\d{{2}}){_CLOCK}(?!\d)",
        r"(?<!\d)(?P<Y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?P<H>\d{2})(?!\d)",
        rf"(?<!\d)(?P<Y>\d{{4}})(?P<sep>[-_.])(?P<m>\d{{1,2}})(?P=sep)(?P<d>\d{{1,2}}){_CLOCK}(?!\d)",
        r"(?<!\d)(?P<d>\d{1,2})(?P<sep>[-_.])(?P<m>\d{1,2})(?P=sep)(?P<Y>\d{4})(?:[-_T ](?P<H>\d{2})[-_.:h]?"
        r"(?P<M>\d{2}))?(?!\d)",
        rf"(?<!\d)(?P<d>\d{{1,2}})[-_. ]?(?P<b>{_NAMES})[a-z]*[-_. ]?(?P<Y>\d{{4}})(?!\d)",
        rf"(?<!\d)(?P<Y>\d{{4}})[-_. ]?(?P<b>{_NAMES})[a-z]*[-_. ]?(?P<d>\d{{1,2}})(?!\d)",
        r"(?<!\d)(?P<s>1\d{9})(?:\d{3})?(?!\d)",
    )
)
# What somebody may have meant as a date: a year of this century or the last beside a month and a day, in digits
_LIKE_A_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d{6}(?:\d{2}){0,3}|(?:19|20)\d{2}([-_.])\d{1,2}\1\d{1,2}|\d{1,2}([-_.])\d{1,2}\2(?:19|20)\d{2})(?!\d)"
)
_FIRST_YEAR = 1990


def date_in(name: str, zone: tzinfo, whole: str) -> float | None:
    """The earliest date in the name of a file, in seconds since 1970; None where there is none.

    A date without a time means the day's beginning. Raises ListingError, in which the file is called `whole`, for
    digits that look like a date and are none.
    """
    found = dict(_dates(name, zone))
    for match in _LIKE_A_DATE.finditer(name):
        if not any(start < match.end() and match.start() < end for start, end in found):
            raise ListingError(
                f"the name of the dump {whole} has {match[0]}, which looks like a date and is none; set its date"
            )
    if not found and (short := _short_date(name)):
        raise ListingError(f"the name of the dump {whole} has {short}, which may be a date of two digits; set its date")
    return min(found.values(), default=None)


def _short_date(name: str) -> str | None:
    """Six digits that are a day of this year or the last, with two digits for the year."""
    this_year = datetime.now(UTC).year
    for digits in re.findall(r"(?<!\d)\d{6}(?!\d)", name):
        year = 2000 + int(digits[:2])
        if year in (this_year, this_year - 1) and _seconds([year, int(digits[2:4]), int(digits[4:]), 0, 0, 0], UTC):
            return str(digits)
    return None


def written(text: str, zone: tzinfo) -> float:
    """Seconds since 1970 of a date in ISO 8601; `zone` counts where it says none. Raises ValueError."""
    when = datetime.fromisoformat(text)
    return (when if when.tzinfo else when.replace(tzinfo=zone)).timestamp()


def is_date(name: str, zone: tzinfo) -> bool:
    """Is this a date and nothing else?"""
    return any(span == (0, len(name)) for span, _ in _dates(name, zone))


def _dates(name: str, zone: tzinfo) -> Iterator[tuple[tuple[int, int], float]]:
    """Where dates stand in a name, and what they are."""
    for form in _FORMS:
        for match in form.finditer(name):
            of = UTC if name[match.end() : match.end() + 1] == "Z" else zone
            moment = _moment({key: value for key, value in match.groupdict().items() if value}, of)
            if moment is not None:
                yield match.span(), moment


def _moment(parts: dict[str, str], zone: tzinfo) -> float | None:
    if "s" in parts:
        return float(parts["s"])
    month = _MONTHS.index(parts["b"].lower()) + 1 if "b" in parts else int(parts["m"])
    day = [int(parts["Y"]), month, int(parts["d"])]
    clock = [int(parts.get(key, 0)) for key in "HMS"]
    moment = _seconds([*day, *clock], zone)
    # digits that are set apart, and no time of day, are the number of a part
    return _seconds([*day, 0, 0, 0], zone) if moment is None and "gap" in parts else moment


def _seconds(numbers: list[int], zone: tzinfo) -> float | None:
    try:
        year, month, day, hour, minute, second = numbers
        when = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        return when.timestamp() if year >= _FIRST_YEAR else None
    except ValueError:
        return None
