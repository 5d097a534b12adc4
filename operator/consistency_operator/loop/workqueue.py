"""What is to be reconciled when: pokes, due times and failures, a key at a time.

A key is never given out twice at once; a poke that comes while it is out makes it due again. After failures it rests,
longer each time, and pokes do not shorten that; `relax` does.
"""

import asyncio
import heapq
import time
from collections.abc import Callable
from contextlib import suppress

from consistency_operator.names import CheckKey

FIRST_REST = 1.0
LONGEST_REST = 300.0
LONGEST_SLEEP = 30.0
"""Seconds; the wall clock may jump while we sleep."""


class WorkQueue:
    """Times are seconds of `clock`, since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._due: dict[CheckKey, float] = {}
        self._heap: list[tuple[float, CheckKey]] = []  # what is due and not out, and what was due before
        self._out: dict[CheckKey, float] = {}
        self._failures: dict[CheckKey, int] = {}
        self._resting: dict[CheckKey, float] = {}
        self._mended: set[CheckKey] = set()  # while they were out
        self._news = asyncio.Event()

    def poke(self, key: CheckKey) -> None:
        """Make `key` due now, or when its rest is over."""
        self.wake_at(key, self._clock())

    def wake_at(self, key: CheckKey, moment: float) -> None:
        """Make `key` due at `moment`, unless it is due earlier."""
        moment = max(moment, self._resting.get(key, 0))
        if moment < self._due.get(key, float("inf")):
            self._due[key] = moment
            self._push(key)

    def relax(self, key: CheckKey) -> None:
        """What made `key` fail may be mended, or what would have made it fail, if it is out: let it begin anew."""
        self._failures.pop(key, None)
        self._resting.pop(key, None)
        if key in self._out:
            self._mended.add(key)

    def forget(self, key: CheckKey) -> None:
        """There is no such key any more."""
        self.relax(key)
        self._due.pop(key, None)

    async def take(self) -> CheckKey:
        """The key that has been due for longest: waits until there is one. It is out until `put_back` or `failed`."""
        while True:
            self._news.clear()
            now = self._clock()
            while self._heap and self._is_stale(*self._heap[0]):
                heapq.heappop(self._heap)
            if self._heap and self._heap[0][0] <= now:
                _, key = heapq.heappop(self._heap)
                del self._due[key]
                self._out[key] = now
                return key
            rest = self._heap[0][0] - now if self._heap else LONGEST_SLEEP
            with suppress(TimeoutError):
                async with asyncio.timeout(min(rest, LONGEST_SLEEP)):
                    await self._news.wait()

    def put_back(self, key: CheckKey) -> None:
        """The key was dealt with."""
        self._return(key)
        self.relax(key)

    def failed(self, key: CheckKey, *, least: float = 0) -> float:
        """The key was not dealt with: it rests. The seconds, at least `least`, are the answer."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        least = 0 if key in self._mended else least
        rest: float = max(least, min(FIRST_REST * 2 ** min(failures - 1, 16), LONGEST_REST))
        self._resting[key] = self._due[key] = self._clock() + rest
        self._return(key)
        return rest

    def overdue(self) -> float:
        """For how many seconds the most neglected key has been due, or out."""
        now = self._clock()
        waiting = [moment for key, moment in self._due.items() if key not in self._out]
        return max(0.0, *(now - moment for moment in (*waiting, *self._out.values(), now)))

    def _return(self, key: CheckKey) -> None:
        self._out.pop(key, None)
        self._mended.discard(key)
        self._push(key)

    def _push(self, key: CheckKey) -> None:
        if key in self._due and key not in self._out:
            heapq.heappush(self._heap, (self._due[key], key))
        self._news.set()

    def _is_stale(self, moment: float, key: CheckKey) -> bool:
        return self._due.get(key) != moment or key in self._out
