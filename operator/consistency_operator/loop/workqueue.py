"""What is to be reconciled when: new keys, due times and failures, one key at a time.

The methods have the names and the meaning that they have in client-go's workqueue. A key is never given out twice at
once; a key that is added while it is being processed becomes due again afterwards. After a failure a key waits, longer
each time, and `add` does not shorten that; `forget` does.
"""

import asyncio
import heapq
import time
from collections.abc import Callable
from contextlib import suppress

from consistency_operator.names import CheckKey

FIRST_BACKOFF = 1.0
LONGEST_BACKOFF = 300.0
LONGEST_SLEEP = 30.0
"""Seconds; the wall clock may jump while we sleep."""
A_STEP_BACK = 5.0
"""Seconds; a clock that is set back by less keeps its due times."""


class WorkQueue:
    """Times are seconds of `clock`, since 1970; all else is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._due: dict[CheckKey, float] = {}
        self._heap: list[tuple[float, CheckKey]] = []  # what is due and not processed, and what was due before
        self._processing: dict[CheckKey, float] = {}
        self._failures: dict[CheckKey, int] = {}
        self._backoff_ends: dict[CheckKey, float] = {}
        self._forgotten: set[CheckKey] = set()  # while they were being processed
        self._changed = asyncio.Event()
        self._last_look = clock()

    def add(self, key: CheckKey) -> None:
        """Make `key` due now, or when its backoff is over."""
        self.add_after(key, 0)

    def add_after(self, key: CheckKey, seconds: float) -> None:
        """Make `key` due after so many seconds, or when its backoff is over, unless it is due earlier."""
        due = max(self._clock() + seconds, self._backoff_ends.get(key, 0))
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            self._push(key)

    def forget(self, key: CheckKey) -> None:
        """Forget the failures of `key`, also one that its processing is about to have: their cause may be gone."""
        self._failures.pop(key, None)
        self._backoff_ends.pop(key, None)
        if key in self._processing:
            self._forgotten.add(key)

    async def get(self) -> CheckKey:
        """The key that has been due for longest: waits until there is one. Call `done` or `failed` afterwards."""
        while True:
            self._changed.clear()
            now = self._now()
            while self._heap and self._is_stale(*self._heap[0]):
                heapq.heappop(self._heap)
            if self._heap and self._heap[0][0] <= now:
                _, key = heapq.heappop(self._heap)
                del self._due[key]
                self._processing[key] = now
                return key
            seconds = self._heap[0][0] - now if self._heap else LONGEST_SLEEP
            with suppress(TimeoutError):
                async with asyncio.timeout(min(seconds, LONGEST_SLEEP)):
                    await self._changed.wait()

    def done(self, key: CheckKey) -> None:
        """The key was processed, and its failures are forgotten."""
        self._return(key)
        self.forget(key)

    def failed(self, key: CheckKey, *, least: float = 0) -> float:
        """The key was not processed: it waits for a backoff of at least `least` seconds, which is returned."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        least = 0 if key in self._forgotten else least
        backoff: float = max(least, min(FIRST_BACKOFF * 2 ** min(failures - 1, 16), LONGEST_BACKOFF))
        self._backoff_ends[key] = self._due[key] = self._clock() + backoff
        self._return(key)
        return backoff

    def overdue(self) -> float:
        """For how many seconds the most neglected key has been due, or in processing."""
        now = self._clock()
        waiting = [due for key, due in self._due.items() if key not in self._processing]
        return max(0.0, *(now - since for since in (*waiting, *self._processing.values(), now)))

    def shortest_processing(self, workers: int) -> float:
        """For how many seconds all `workers` have been at their keys; 0 while one of them has none."""
        busy = list(self._processing.values())
        return max(0.0, self._clock() - max(busy)) if len(busy) >= workers else 0.0

    def _now(self) -> float:
        """The time. Where the clock was set back, all due times are of another clock: everything is due at once."""
        now = self._clock()
        if now < self._last_look - A_STEP_BACK:
            self._backoff_ends.clear()
            for key in self._due:
                self.add(key)
        self._last_look = now
        return now

    def _return(self, key: CheckKey) -> None:
        self._processing.pop(key, None)
        self._forgotten.discard(key)
        self._push(key)

    def _push(self, key: CheckKey) -> None:
        if key in self._due and key not in self._processing:
            heapq.heappush(self._heap, (self._due[key], key))
        self._changed.set()

    def _is_stale(self, due: float, key: CheckKey) -> bool:
        return self._due.get(key) != due or key in self._processing
