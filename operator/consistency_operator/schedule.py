"""Cron lines: when a run is due, in any time zone, each check at its own constant distance from the written time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dynamo_consistency.check import SiteConsistencyCheck


@dataclass(frozen=True)
class Schedule:
    """A cron line in a time zone. `jitter`: how much later than written every run of this check starts."""

    line: str
    zone: str
    jitter: timedelta

    @property
    def text(self) -> str:
        """As `status.observedSchedule` shows it."""
        return f"CRON_TZ={self.zone} {self.line}"

    def next_after(self, moment: datetime) -> datetime | None:
        """The first written time after `moment`, without jitter; None when there is none for decades."""
        raise NotImplementedError

    def last_due(self, after: datetime, now: datetime) -> datetime | None:
        """The last written time after `after` whose run is due by `now`; None when none is."""
        raise NotImplementedError


def schedule_of(check: SiteConsistencyCheck, uid: str) -> Schedule | None:
    """The schedule of a check; None for one that is only run by hand. The jitter depends on `uid` alone."""
    raise NotImplementedError


def expected_interval(schedule: Schedule, now: datetime) -> timedelta | None:
    """The longest time between two of the next runs: when a last success is older, something is wrong."""
    raise NotImplementedError
