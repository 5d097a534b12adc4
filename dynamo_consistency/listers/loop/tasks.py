"""Tasks on the loop: coroutines that wait for what comes later, without a thread for each."""

import queue
import time
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

from dynamo_consistency.listers.loop.loop import Loop

Value = TypeVar("Value")

GRACE_SECONDS = 10.0  # tasks keep their time themselves; who waits for one on another thread gives it this long


class Later(Generic[Value]):
    """A value, or an error, that comes later, and which one task awaits. Used on the loop's thread."""

    def __init__(self) -> None:
        self.done = False
        self._value: Value | None = None
        self._error: Exception | None = None
        self._then: Callable[[], None] | None = None

    def resolve(self, value: Value) -> None:
        """It is there, and the task goes on at once. Only what comes first counts."""
        if not self.done:
            self._value = value
            self._settle()

    def fail(self, error: Exception) -> None:
        """As `resolve`, with what the task is to raise."""
        if not self.done:
            self._error = error
            self._settle()

    def _settle(self) -> None:
        self.done = True
        then, self._then = self._then, None  # else the two would keep each other until Python looks for such
        if then is not None:
            then()

    def abandon(self) -> None:
        """Nobody awaits it any more: what comes is dropped."""
        self.done, self._then = True, None

    def when_done(self, then: Callable[[], None]) -> None:
        """Have `then` called when it is there."""
        self._then = then

    def __await__(self) -> Generator["Later[Any]", None, Value]:
        if not self.done:
            yield self
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]


Steps = Coroutine[Later[Any], None, Value]


class Task(Generic[Value]):
    """Runs `steps` on the loop's thread; `done` gets what they return, or the exception that they raise."""

    def __init__(self, steps: Steps[Value], done: Callable[[Value | Exception], None]) -> None:
        self._steps, self._done = steps, done
        self._awaited: Later[Any] | None = None

    def step(self) -> None:
        """Go on, as far as it goes."""
        try:
            self._awaited = awaited = self._steps.send(None)
        except StopIteration as end:
            self._done(end.value)
        except Exception as error:  # noqa: BLE001 (whatever it is, who waits must be told)
            self._done(error)
        else:
            awaited.when_done(self.step)

    def cancel(self) -> None:
        """End it where it waits; `done` is not called."""
        self._steps.close()
        if self._awaited is not None:
            self._awaited.abandon()


def pause(loop: Loop, seconds: float) -> Later[None]:
    """Comes after so many seconds."""
    later = Later[None]()
    loop.after(seconds, lambda: later.resolve(None))
    return later


def run(loop: Loop, steps: Steps[Value], deadline: float) -> Value:
    """Wait on another thread for what `steps` return, or raise what they raise; they end by `deadline` (monotonic).

    Raises TimeoutError when they do not.
    """
    ends: queue.SimpleQueue[Value | Exception] = queue.SimpleQueue()
    loop.call(Task(steps, ends.put).step)
    try:
        end = ends.get(timeout=max(0.0, deadline - time.monotonic()) + GRACE_SECONDS)
    except queue.Empty:
        raise TimeoutError("no answer in time") from None
    if isinstance(end, Exception):
        raise end
    return end
