"""Cron lines: when a run is due, in any time zone, each check at its own constant distance from the written time.

The problem has three parts. A cron line is local time, and local time has hours that do not exist and hours that come
twice. A thousand checks with the line `0 3 * * 0` must not all begin in the same second. And an operator that was away
must find out what was due meanwhile without going through every time that it has missed.

The way: all results are in UTC, and the local zone is only used to read the line. Through a change of the clock we do
what cron does (cronsim does it for us, forwards); a result in an hour that comes twice may lie before the time that was
asked from, and is dropped. The jitter is a hash of the check's uid: the same for every run, so that the distance
between runs is that of the line, and the same after a restart, so that nothing needs to be stored. To catch up, one
looks backwards for a time that is safely before any change of the clock, and from there forwards: only the last time
that is due counts, and a run serves all those before it.

Not chosen: a random jitter for each run, since the next run could then come before the last one is due; computing in
UTC from the start, since `0 3` would move by an hour twice a year; walking forwards from the last run, since a line of
every minute and an absence of a month are 43,000 steps; looking backwards alone, since cronsim gives other times around
a change of the clock in that direction than forwards.
"""

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from dynamo_consistency.check import CRON_MACROS, SiteConsistencyCheck

_LONGER_THAN_A_CHANGE = timedelta(hours=3)
"""Around a change of the clock, times are only looked for forwards, beginning well before it."""
_INTERVALS = 12


@dataclass(frozen=True)
class CronSchedule:
    """A valid cron line in a time zone. `jitter`: how much later than written every run of this check starts.

    Through the changes of the clock it does as cron does: a time that is skipped in spring runs at the time of the
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

    def next_after(self, time: datetime) -> datetime | None:
        """The first written time after `time`, without jitter; None when there is none for decades."""
        return next(self._times(time), None)

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
        times = list(itertools.islice(self._times(now), _INTERVALS + 1))
        return max((later - earlier for earlier, later in itertools.pairwise(times)), default=None)

    def _times(self, time: datetime, backwards: bool = False) -> Iterator[datetime]:
        """Written times after `time`, or before it, from the nearest on."""
        try:
            local = time.astimezone(ZoneInfo(self.zone))
            for local_time in CronSim(CRON_MACROS.get(self.line, self.line), local, reverse=backwards):
                written = local_time.astimezone(UTC)
                if (written < time) if backwards else (written > time):  # not so in an hour that comes twice
                    yield written
        except OverflowError:  # there is no year 10000
            return


def schedule_of(check: SiteConsistencyCheck, uid: str) -> CronSchedule | None:
    """The schedule of a check; None for one that is only run by hand. The jitter depends on `uid` alone."""
    spec = check.spec
    if spec.schedule is None:
        return None
    number = int.from_bytes(hashlib.sha256(uid.encode()).digest()[:8])
    return CronSchedule(spec.schedule, spec.time_zone or "UTC", timedelta(seconds=number % (spec.jitter_seconds + 1)))
