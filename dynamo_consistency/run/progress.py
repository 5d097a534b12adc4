"""How a stage says on stderr how far it is: a bar on a terminal, a log line a minute elsewhere."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Self, TextIO, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

log = logging.getLogger(__name__)

TERMINAL_SECONDS = 0.2
LOG_SECONDS = 60.0
Item = TypeVar("Item")


def takes_bars(stream: TextIO) -> bool:
    """Is it a terminal on which a line can be written anew?"""
    return stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


class Bar:
    """A bar on a terminal, in one line that is gone when it is over: the result tells what it told.

    `refreshing`: by a thread, so that time is seen to pass; not where processes are forked meanwhile.
    """

    def __init__(self, label: str, stream: TextIO, refreshing: bool) -> None:
        self._label, self._stream, self._refreshing = label, stream, refreshing
        self._progress: Progress | None = None

    def start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, Task, TextColumn, TimeElapsedColumn
        from rich.text import Text

        class SoFar(TimeElapsedColumn):
            def render(self, task: Task) -> Text:
                return Text() if task.total else super().render(task)

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[said]}", markup=False),
            SoFar(),  # where the time left is not known
            console=Console(file=self._stream, emoji=False),
            auto_refresh=self._refreshing,
            refresh_per_second=1 / TERMINAL_SECONDS,
            transient=True,
            redirect_stdout=False,
            expand=True,
        )
        self._progress.add_task(self._label, total=None, said="")
        self._progress.start()

    def show(self, done: int, total: int | None, said: str) -> None:
        """`total` is an estimate: where more than that is done, nobody knows how far it is."""
        if self._progress is not None:
            known = total if total and done <= total else None
            self._progress.update(self._progress.task_ids[0], completed=done, total=known, said=said)
            if not self._refreshing:
                self._progress.refresh()

    def stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()


class StageProgress:
    """Tells how many of `total` things (`unit`: their plural) a stage has done; None: nobody knows how many there are.

    Used as a context, in which it may be told of progress as often as one likes.
    """

    def __init__(
        self,
        label: str,
        unit: str,
        total: int | None = None,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._label, self._unit, self._total, self._clock = label, unit, total, clock
        stream = sys.stderr if stream is None else stream
        self._bar = Bar(label, stream, refreshing=True) if takes_bars(stream) else None
        self._done, self._began, self._over = 0, clock(), threading.Event()
        self._next = self._began
        self._thread = threading.Thread(target=self._log, daemon=True)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        else:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._bar is not None:
            self._bar.stop()
        else:
            self._thread.join()  # processes may be forked next

    def advance(self, number: int = 1) -> None:
        """So many more are done."""
        self._done += number
        if self._bar is not None and (now := self._clock()) >= self._next:
            self._next = now + TERMINAL_SECONDS
            self._bar.show(self._done, self._total, self.said())

    def counted(self, items: Iterable[Item], number: Callable[[Item], int]) -> Iterator[Item]:
        """`items`, each of which counts as `number` things when the next one is asked for."""
        for item in items:
            yield item
            self.advance(number(item))

    def said(self) -> str:
        """How many, how fast, and how long it will take."""
        rate = self._done / elapsed if (elapsed := self._clock() - self._began) > 0 else 0.0
        known = self._total if self._total and self._done <= self._total else None
        return f"{self._done:,} {self._unit}, {rate:,.0f}/s{time_left(self._done, known, rate)}"

    def _log(self) -> None:
        while not self._over.wait(LOG_SECONDS):
            log.info("%s: %s, %s elapsed", self._label, self.said(), clock_time(self._clock() - self._began))


def time_left(done: int, total: int | None, rate: float) -> str:
    """`, 0:32:20 left`, where that can be said."""
    if not total or not rate or done >= total:
        return ""
    return f", {clock_time((total - done) / rate)} left"


def clock_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
