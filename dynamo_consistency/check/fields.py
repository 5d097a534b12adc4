"""The kinds of values that a check is written with, and what is said of wrong ones."""

import re
import zoneinfo
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from dynamo_consistency import paths

CRON_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


def _fraction(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str):
        raise ValueError(f'must be a fraction between 0 and 1 in quotes, such as "{value if value else 0.01}"')
    if not re.fullmatch(r"0(\.\d+)?|1(\.0+)?", value):
        raise ValueError(f'must be a fraction between "0" and "1", such as "0.01" for one per cent; it is "{value}"')
    return Decimal(value)


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


def _pattern(pattern: str) -> str:
    paths.PatternFilter([pattern])
    return pattern


def _time_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}; write a name such as Europe/Zurich or UTC") from None
    return name


def _schedule(line: str) -> str:
    try:
        next(CronSim(CRON_MACROS.get(line, line), datetime.now(UTC)))
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


Fraction = Annotated[Decimal, BeforeValidator(_fraction), PlainSerializer(_plain, return_type=str)]
LogicalPath = Annotated[str, AfterValidator(_absolute)]
RelativePath = Annotated[str, Field(min_length=1), AfterValidator(_relative)]
Prefix = Annotated[str, AfterValidator(_prefix)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Date = Annotated[str, AfterValidator(_date)]
Schedule = Annotated[str, AfterValidator(_schedule)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
SiteName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]
_MOST = 2**31 - 1
Seconds = Annotated[int, Field(ge=0, le=_MOST)]
Count = Annotated[int, Field(ge=0, le=_MOST)]
Positive = Annotated[int, Field(ge=1, le=_MOST)]
Mode = Literal["Ignore", "Report", "Enforce"]
