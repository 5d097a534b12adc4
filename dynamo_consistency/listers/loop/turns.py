"""So many tasks at a time on one loop; the others wait for their turn."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic

from dynamo_consistency.listers.loop.loop import Loop
from dynamo_consistency.listers.loop.tasks import Steps, Task, Value

Done = Callable[[Value | Exception], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Asked(Generic[Value]):
    key: object
    begin: Callable[[], Steps[Value]]
    done: Done[Value]


class Turns(Generic[Value]):
    """`submit` and `forget` may be called from any thread; the rest happens on the loop's."""

    def __init__(self, loop: Loop, most: int) -> None:
        self._loop, self._most = loop, most
        self._running: dict[_Asked[Value], Task[Value]] = {}
        self._waiting: deque[_Asked[Value]] = deque()

    def submit(self, key: object, begin: Callable[[], Steps[Value]], done: Done[Value]) -> None:
        """Run what `begin` gives; `done` is called with what comes of it, unless `key` is forgotten before."""
        self._loop.call(partial(self._submitted, _Asked(key, begin, done)))

    def forget(self, key: object) -> None:
        """Give up what has this key; it is not told."""
        self._loop.call(partial(self._forgotten, key))

    def _submitted(self, asked: _Asked[Value]) -> None:
        if len(self._running) < self._most:
            self._begin(asked)
        else:
            self._waiting.append(asked)

    def _begin(self, asked: _Asked[Value]) -> None:
        self._running[asked] = task = Task(asked.begin(), partial(self._ended, asked))
        task.step()

    def _ended(self, asked: _Asked[Value], end: Value | Exception) -> None:
        self._over(asked)
        asked.done(end)

    def _over(self, asked: _Asked[Value]) -> None:
        del self._running[asked]
        if self._waiting:  # not from here: each that ends at once would be called from within the one before
            self._loop.call(self._next)

    def _next(self) -> None:
        if self._waiting and len(self._running) < self._most:
            self._begin(self._waiting.popleft())

    def _forgotten(self, key: object) -> None:
        self._waiting = deque(asked for asked in self._waiting if asked.key != key)
        for asked, task in list(self._running.items()):
            if asked.key == key:
                task.cancel()
                self._over(asked)
