"""From values to places in a picture, and the values that an axis names."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

_MOST_TICKS = 5
_DAY = 86400.0


@dataclass(frozen=True)
class Scale:
    """Values between `low` and `high` lie between the pixels `start` and `end`; others lie at the nearer end.

    `compressed`: by their logarithm, so that 12 findings and a limit of 10,000 can be seen together; 0 has a place too.
    """

    low: float
    high: float
    start: float
    end: float
    compressed: bool = False

    def at(self, value: float) -> float:
        low, high, value = self._bent(self.low), self._bent(self.high), self._bent(value)
        share = (value - low) / (high - low) if high > low else 0.0
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def _bent(self, value: float) -> float:
        return math.log10(1 + max(0.0, value)) if self.compressed else value


def known(values: Iterable[float | None]) -> list[float]:
    """Those that are numbers with a place on an axis that begins at 0."""
    return [value for value in values if value is not None and math.isfinite(value) and value >= 0]


def count_ticks(highest: float) -> list[float]:
    """0 and powers of ten up to `highest`, at least 1 and of many only some; for compressed scales."""
    powers = math.floor(math.log10(highest)) if highest > 1 else 0
    step = max(1, math.ceil((powers + 1) / _MOST_TICKS))
    return [0.0, *(10.0**power for power in range(powers % step, powers + 1, step))]


def even_ticks(low: float, high: float, base: int = 10) -> list[float]:
    """Round numbers at even distances that enclose `low` and `high`; `base` 1024: round in KiB, MiB, …"""
    span = max(high - low, high * 1e-6, 1.0)
    unit = float(base) ** max(0, math.floor(math.log(max(high, 1.0), base))) if base == 1024 else 1.0
    step = max(1.0, _round_up(span / (_MOST_TICKS - 1) / unit) * unit)
    first = math.floor(low / step)
    last = max(first + 1, math.ceil(high / step))
    return [number * step for number in range(first, last + 1)]


def duration_ticks(highest: float) -> list[float]:
    """Seconds at even distances that people count in: seconds, minutes, hours, days."""
    wanted = max(highest, 1.0) / (_MOST_TICKS - 1)
    step = next((step for step in _DURATIONS if step >= wanted), None) or math.ceil(wanted / _DAY) * _DAY
    return [number * step for number in range(max(1, math.ceil(highest / step)) + 1)]


_DURATIONS = (1, 5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400)


def _round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, …, or of 0.1, 0.2, 0.5, …"""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * 0.999999)


def time_ticks(start: float, end: float, most: int) -> list[tuple[float, str]]:
    """At most about `most` times between `start` and `end` (seconds since 1970), with names that fit their distance."""
    if not start < end or end - start < 2 * 3600:
        return [(start, f"{_utc(start):%-d %b %H:%M}")]
    steps = (3600, 6 * 3600, _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY)
    step = next((step for step in steps if (end - start) / step <= most), None)
    if step is None:
        return _months(start, end, most)
    form = "%-d %b" if step >= _DAY else "%-d %b %H:%M"
    first = math.ceil(start / step)
    return [(number * step, f"{_utc(number * step):{form}}") for number in range(first, int(end // step) + 1)]


def _months(start: float, end: float, most: int) -> list[tuple[float, str]]:
    first, last = _utc(start), _utc(end)
    number = (last.year - first.year) * 12 + last.month - first.month + 1
    step = next((step for step in (1, 2, 3, 6) if number / step <= most), 12 * math.ceil(number / 12 / most))
    months = range(first.year * 12, last.year * 12 + last.month, step)
    dates = [datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in months]
    return [
        (at.timestamp(), f"{at:%Y}" if at.month == 1 else f"{at:%b}") for at in dates if start <= at.timestamp() <= end
    ]


def _utc(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=min(max(seconds, -6e10), 2.5e11))


def middles(places: Sequence[float], start: float, end: float) -> list[tuple[float, float]]:
    """For each of the ascending `places` the stretch that is nearer to it than to its neighbours."""
    borders = [start, *((one + other) / 2 for one, other in pairwise(places)), end]
    return list(pairwise(borders))
