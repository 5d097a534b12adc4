"""Cron lines: when a run is due, in any time zone, each check at its own constant distance from the written time."""

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from dynamo_consistency.check import CRON_MACROS, SiteConsistencyCheck

_LONGER_THAN_A_CHANGE = timedelta(hours=3)
"""Of the clock: around one, times are only looked for from well before it, forwards."""
_LOOKED_AT = 13


@dataclass(frozen=True)
class CronSchedule:
    """A valid cron line in a time zone. `jitter`: how much later than written every run of this check starts.

    Through the changes of the clock it does as cron does: a time that is skipped in spring runs at the moment of the
    change, one that comes twice in autumn runs at the first, and lines with `*` or `*/n` hours run in both. All times
    given are in UTC.
    """

    line: str
    zone: str
    jitter: timedelta = timedelta()

    @property
    def text(self) -> str:
        """As `status.observedSchedule` shows it."""
        return f"CRON_TZ={self.zone} {self.line}"

    def next_after(self, moment: datetime) -> datetime | None:
        """The first written time after `moment`, without jitter; None when there is none for decades."""
        return next(self._times(moment), None)

    def last_due(self, after: datetime, now: datetime) -> datetime | None:
        """The last written time after `after` whose run is due by `now`; None when none is."""
        latest = now - self.jitter
        settled = latest - _LONGER_THAN_A_CHANGE
        before = next((time for time in self._times(latest, backwards=True) if time <= settled), settled)
        times = itertools.takewhile(lambda time: time <= latest, self._times(before - _LONGER_THAN_A_CHANGE))
        last = max(times, default=None)
        return last if last is not None and last > after else None

    def due_time(self, written: datetime) -> datetime:
        """When the run of the written time starts."""
        return written + self.jitter

    def longest_interval(self, now: datetime) -> timedelta | None:
        """The longest time between two of the next runs: a success that is older means that one was missed."""
        times = list(itertools.islice(self._times(now), _LOOKED_AT))
        return max((later - earlier for earlier, later in itertools.pairwise(times)), default=None)

    def _times(self, moment: datetime, backwards: bool = False) -> Iterator[datetime]:
        """Written times after `moment`, or before it, from the nearest on."""
        try:
            local = moment.astimezone(ZoneInfo(self.zone))
            for time in CronSim(CRON_MACROS.get(self.line, self.line), local, reverse=backwards):
                written = time.astimezone(UTC)
                if (written < moment) if backwards else (written > moment):  # not so in an hour that comes twice
                    yield written
        except OverflowError:  # there is no year 10000
            return


def schedule_of(check: SiteConsistencyCheck, uid: str) -> CronSchedule | None:
    """The schedule of a check; None for one that is only run by hand. The jitter depends on `uid` alone."""
    spec = check.spec
    if spec.schedule is None:
        return None
    share = int.from_bytes(hashlib.sha256(uid.encode()).digest()[:8])
    return CronSchedule(spec.schedule, spec.time_zone or "UTC", timedelta(seconds=share % (spec.jitter_seconds + 1)))
