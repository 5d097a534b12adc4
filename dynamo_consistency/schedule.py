"""Cron lines: when a run is due, in any time zone, each check at its own constant distance from the written time.

The problem has three parts. A cron line is local time, and local time has hours that do not exist and hours that come
twice. A thousand checks with the line `0 3 * * 0` must not all begin in the same second. And an operator that was away
must find out what was due meanwhile without going through every time that it has missed.

The way: cronsim only counts times as a clock on the wall shows them, of which a change of the clock is no part; what
moment each of them is, is decided here, as cron decides it. A line that names its hours and minutes runs once for each:
where the time is skipped, at the change, and where it comes twice, the first time. A line with `*` or `*/n` in them is
about intervals, and runs whenever the clock shows such a time: never where it is skipped, twice where it comes twice.
Forwards and backwards the same moments come out. The jitter is a hash of the check's uid: the same for every run, so
that the distance between runs is that of the line, and the same after a restart, so that nothing needs to be stored. To
catch up, one looks backwards: only the last time that is due counts, and a run serves all those before it.

Not chosen: a random jitter for each run, since the next run could then come before the last one is due; computing in
UTC from the start, since `0 3` would move by an hour twice a year; walking forwards from the last run, since a line of
every minute and an absence of a month are 43,000 steps; to give cronsim the zone, since it then counts hours in UTC,
skips times on a day whose clock changes by half an hour (Australia/Lord_Howe), and gives others backwards.
"""

import hashlib
import heapq
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from dynamo_consistency.check import CRON_MACROS, SiteConsistencyCheck

_LONGER_THAN_A_CHANGE = timedelta(hours=3)
"""So much around a time on the wall lie all moments that it can mean."""
_A_MINUTE = timedelta(minutes=1)
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
        return next(self._moments(time), None)

    def last_due(self, after: datetime, now: datetime) -> datetime | None:
        """The last written time after `after` whose run is due by `now`; None when none is."""
        last = next(self._moments(now - self.jitter, backwards=True), None)
        return last if last is not None and last > after else None

    def due_time(self, written: datetime) -> datetime:
        """When the run of the written time starts."""
        return written + self.jitter

    def longest_interval(self, now: datetime) -> timedelta | None:
        """The longest time between two of the next runs: a success that is older means that one was missed."""
        times = list(itertools.islice(self._moments(now), _INTERVALS + 1))
        return max((later - earlier for earlier, later in itertools.pairwise(times)), default=None)

    def _moments(self, time: datetime, backwards: bool = False) -> Iterator[datetime]:
        """Written times after `time`, or (backwards) until then, from the nearest on, each once."""
        try:
            for moment, _ in itertools.groupby(self._all_moments(time, ZoneInfo(self.zone), backwards)):
                if (moment <= time) is backwards:
                    yield moment
        except OverflowError:  # there is no year 10000
            return

    def _all_moments(self, time: datetime, zone: ZoneInfo, backwards: bool) -> Iterator[datetime]:
        """The moments of all times on the wall in their order, beginning safely before `time`."""
        margin = _LONGER_THAN_A_CHANGE if backwards else -_LONGER_THAN_A_CHANGE
        begin = time.astimezone(zone).replace(tzinfo=None) + margin
        line = CRON_MACROS.get(self.line, self.line)
        first, second = (CronSim(line, begin, reverse=backwards) for _ in range(2))
        if any(field.startswith("*") for field in line.split()[:2]):
            shown = _when_shown(first, zone, fold=0), _when_shown(second, zone, fold=1)
            return heapq.merge(*shown, reverse=backwards)
        return (_when_named(wall, zone) for wall in first)


def _when_named(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment of a time that a line names: the first where it comes twice, the change where it is skipped."""
    while (moment := _shown(wall, zone)) is None:
        wall += _A_MINUTE
    return moment


def _when_shown(walls: Iterable[datetime], zone: ZoneInfo, fold: int) -> Iterator[datetime]:
    """When the clock shows these times; of those that come twice, the first or (fold 1) the second moment."""
    return (moment for wall in walls if (moment := _shown(wall, zone, fold)))


def _shown(wall: datetime, zone: ZoneInfo, fold: int = 0) -> datetime | None:
    """The moment at which the clock shows this time; None where a change of the clock skips it."""
    moment = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == wall.replace(fold=0) else None


def schedule_of(check: SiteConsistencyCheck, uid: str) -> CronSchedule | None:
    """The schedule of a check; None for one that is only run by hand. The jitter depends on `uid` alone."""
    spec = check.spec
    if spec.schedule is None:
        return None
    number = int.from_bytes(hashlib.sha256(uid.encode()).digest()[:8])
    return CronSchedule(spec.schedule, spec.time_zone or "UTC", timedelta(seconds=number % (spec.jitter_seconds + 1)))
