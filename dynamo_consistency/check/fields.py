"""The types of the values in a check, and the messages for wrong ones."""

import re
import zoneinfo
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from dynamo_consistency import paths
from dynamo_consistency.yamlfile import pattern

CRON_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


_FRACTION = r"0(\.[0-9]+)?|1(\.0+)?"
_LONGEST_FRACTION = 32
_LONGEST_PATH = 512


def _fraction(value: Any) -> Decimal:
    """A number counts as what is written: 0.01 is "0.01"."""
    if isinstance(value, Decimal):
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    text = _plain(Decimal(repr(value + 0))) if is_number else value
    if not isinstance(text, str) or not re.fullmatch(_FRACTION, text) or len(text) > _LONGEST_FRACTION:
        raise ValueError(f'must be a fraction between "0" and "1", such as "0.01" for one per cent; it is "{value}"')
    return Decimal(text)


def _plain(fraction: Decimal) -> str:
    """As `_fraction` reads it: without an exponent, however small."""
    return f"{fraction:f}"


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError(f"must be an absolute path such as /store/mc; it is {path!r}")
    if {".", ".."} & set(path.split("/")):
        raise ValueError(f"must not have . or .. as a component; it is {path!r}")
    return paths.to_text(paths.normalise(paths.to_bytes(path)))


def _relative(path: str) -> str:
    if path.startswith("/"):
        raise ValueError(f"must be relative, such as logs or logs/prod; it is {path!r}")
    return _absolute("/" + path)[1:]


def _prefix(path: str) -> str:
    return "" if path == "" else _absolute(path).rstrip("/")


_OTHER_PATTERN = re.compile(r"[?\[{\\|]|,\s*/|%[0-9A-Fa-f]{2}|^[!^]|\$\Z")


def _pattern(pattern: str) -> str:
    """What is meant in another way than it is read leaves nothing alone, and so is refused."""
    paths.PatternFilter([pattern])
    if _OTHER_PATTERN.search(pattern) or never_met(pattern):
        raise ValueError(
            f"the pattern {pattern!r} would match nothing that it is meant for: * stands for any signs of one "
            "component, and all else for itself; write one pattern an item, and * for a sign that is refused here"
        )
    return pattern


def never_met(path: str) -> bool:
    """Has it a component that no path has: `.` and `..`, or what has blanks around it and so is misspelt?"""
    parts = path.strip("/").split("/")
    return any(part in (".", "..") or part != part.strip() for part in parts)


def _time_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}; write a name such as Europe/Zurich or UTC") from None
    return name


def _schedule(line: str) -> str:
    five = CRON_MACROS.get(line, line)
    try:
        if len(five.split()) == 6:
            raise CronSimError("a sixth field, for seconds, is not taken")
        next(CronSim(five, datetime.now(UTC)))
    except CronSimError as error:
        reason = f"{line!r} is no cron line, or one that never fires ({error})"
        raise ValueError(f'{reason}; five fields such as "0 3 * * 0" are expected') from None
    except StopIteration:
        raise ValueError(f"the cron line {line!r} never fires: there is no such day") from None
    return line


def _date(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"must be a date or time such as 2026-11-22T03:00:00+00:00; it is {text!r}") from None
    return text


# Lengths are bounded so that an API server can afford to check what the operator's rules say of them.
Fraction = Annotated[
    Decimal,
    BeforeValidator(_fraction),
    PlainSerializer(_plain, return_type=str),
    WithJsonSchema(
        {
            "x-kubernetes-preserve-unknown-fields": True,  # the only union of number and text that an API server takes
            "pattern": f"^({_FRACTION})$",
            "maxLength": _LONGEST_FRACTION,
            "minimum": 0,
            "maximum": 1,
        }
    ),
]
LogicalPath = Annotated[str, Field(max_length=_LONGEST_PATH), AfterValidator(_absolute)]
RelativePath = Annotated[str, Field(min_length=1, max_length=_LONGEST_PATH), AfterValidator(_relative)]
Prefix = Annotated[str, Field(max_length=_LONGEST_PATH), AfterValidator(_prefix)]
Pattern = Annotated[str, Field(max_length=256), AfterValidator(_pattern)]
Url = Annotated[str, Field(min_length=1, max_length=2048)]
Name = Annotated[str, Field(min_length=1, max_length=253)]
Date = Annotated[str, Field(max_length=64), AfterValidator(_date)]
Schedule = Annotated[str, Field(max_length=256), AfterValidator(_schedule)]
TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_time_zone)]
_SITE_NAME = pattern(
    r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", "letters, digits, _, . and -, beginning with a letter or digit, such as T2_DE_RWTH"
)
SiteName = Annotated[str, Field(pattern=_SITE_NAME, max_length=64)]
_MOST = 2**31 - 1
Seconds = Annotated[int, Field(ge=0, le=_MOST)]
Count = Annotated[int, Field(ge=0, le=_MOST)]
Positive = Annotated[int, Field(ge=1, le=_MOST)]
Shards = Annotated[int, Field(ge=1, le=1000)]
Mode = Literal["Ignore", "Report", "Enforce"]
