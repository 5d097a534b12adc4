"""Days between two runs, as a schedule of a check."""

from decimal import Decimal
from typing import Any

from dynamo_consistency.convert.settings import DAY, Settings

_WEEKLY = 7
_LINES: tuple[tuple[int, str, int], ...] = (
    (1, "0 0 * * *", 1),
    (2, "0 0 * * 1,3,5", 2),
    (3, "0 0 * * 0,3", 3),
    (7, "0 0 * * 0", 7),
    (14, "0 0 1,15 * *", 14),
)
_MONTHS = (1, 2, 3, 4, 6, 12)
_SHORTEST_MONTH = 28


def schedule(settings: Settings) -> dict[str, Any]:
    """`schedule` and `jitterSeconds` for the key `interval`, in days: not more often than that."""
    days = settings.number("interval")
    if days is None:
        return {}
    if days <= 0:
        settings.note("interval", f"{days}: it was never run by itself; without a schedule, runs are started by hand")
        return {}
    line, jitter = _line(int(min(days, Decimal(12 * _SHORTEST_MONTH))))
    if days not in (1, _WEEKLY):
        settings.note("interval", f"{days} days cannot be said in a cron line; {line!r} comes next to it")
    return {"schedule": line, "jitterSeconds": jitter * DAY}


def _line(days: int) -> tuple[str, int]:
    """(cron line, days over which the sites are spread)"""
    for longest, line, jitter in _LINES:
        if days <= longest:
            return line, jitter
    months = next(months for months in _MONTHS if days <= max(months * _SHORTEST_MONTH, 31 if months == 1 else 0))
    return "0 0 1 * *" if months == 1 else f"0 0 1 */{months} *", _SHORTEST_MONTH
