"""How a listing says on stderr how far it is: a bar on a terminal, a log line a minute elsewhere."""

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Protocol, Self, TextIO

from dynamo_consistency.run.progress import LOG_SECONDS, TERMINAL_SECONDS, Bar, clock_time, takes_bars, time_left

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ListingCounts:
    """What a listing has found so far."""

    files: int = 0
    directories: int = 0
    holes: int = 0
    bytes: int = 0


class Watcher(Protocol):
    """What a listing reports its progress to, as often as it likes; `window` is the number of requests in flight.

    `list_shard` enters and leaves its context.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def __call__(self, counts: ListingCounts, window: int) -> None: ...


class Progress:
    """A watcher that speaks seldom.

    `label` says what is listed; `expected` is the number of directories of the last run, when there was one.
    """

    def __init__(
        self,
        label: str,
        expected: int | None = None,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._label, self._expected, self._clock = label, expected, clock
        self._stream = sys.stderr if stream is None else stream
        self._bar = Bar(label, self._stream, refreshing=False) if takes_bars(self._stream) else None
        self._interval = LOG_SECONDS if self._bar is None else TERMINAL_SECONDS
        self._began = clock()
        self._next = self._began + self._interval

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, counts: ListingCounts, window: int) -> None:
        now = self._clock()
        if now < self._next:
            return
        self._next = now + self._interval
        elapsed = now - self._began
        if self._bar is None:
            log.info("%s", self.line(counts, window, elapsed))
            return
        rate = counts.directories / elapsed if elapsed > 0 else 0.0
        holes = f", {counts.holes:,} holes" if counts.holes else ""
        left = time_left(counts.directories, self._expected, rate)
        said = f"{counts.files:,} files{holes}, {rate:,.0f} dirs/s{left}"
        self._bar.show(counts.directories, self._expected, said)

    def line(self, counts: ListingCounts, window: int, elapsed: float) -> str:
        """The state in one line."""
        rate = counts.directories / elapsed if elapsed > 0 else 0.0
        parts = [
            f"{counts.directories:,} directories{self._percent(counts.directories)}",
            f"{counts.files:,} files",
            f"{rate:,.0f} directories/s",
            f"{counts.holes:,} holes",
            f"{window} in flight",
            f"{clock_time(elapsed)} elapsed{time_left(counts.directories, self._expected, rate)}",
        ]
        return f"{self._label}: " + ", ".join(parts)

    def _percent(self, directories: int) -> str:
        return f" ({min(99, 100 * directories // self._expected)} % of the last run's)" if self._expected else ""


class Relay:
    """A watcher that sends what is reported to it to another process, as often as a terminal would show it."""

    def __init__(
        self, send: Callable[[tuple[ListingCounts, int]], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._send, self._clock = send, clock
        self._next = clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, counts: ListingCounts, window: int) -> None:
        now = self._clock()
        if now >= self._next:
            self._next = now + TERMINAL_SECONDS
            self._send((counts, window))


class Sum:
    """Receives from the relays of several listings of one site, and reports their sum to a watcher."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._latest: dict[int, tuple[ListingCounts, int]] = {}

    def receive(self, part: int, message: tuple[ListingCounts, int]) -> None:
        self._latest[part] = message
        columns = zip(*(astuple(counts) for counts, _ in self._latest.values()), strict=True)
        self._watcher(ListingCounts(*map(sum, columns)), sum(window for _, window in self._latest.values()))
