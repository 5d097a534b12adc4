"""Watches over requests that are not answered: a thread that wakes four times a second."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from dynamo_consistency.listers.contract import Failed
from dynamo_consistency.listers.xrootd.request import Attempt, Request

log = logging.getLogger(__name__)

TICK_SECONDS = 0.25
PROBE_AFTER_SECONDS = 2.0  # an answer that takes longer may be one that never comes
PROBES = 4
LIBRARY_GRACE_SECONDS = 2.0  # the library knows the deadline too, to the second


class Watchdog:
    """The attempts that are not answered yet, and the requests that wait for a door.

    `every_tick` is called with the time (monotonic seconds) at each tick, on the watchdog's thread; it must not block.
    """

    def __init__(self, every_tick: Callable[[float], None]) -> None:
        self._awaited: dict[Attempt, None] = {}  # in the order of sending
        self._parked: deque[Request] = deque()
        self._probing = threading.BoundedSemaphore(PROBES)
        self._every_tick = every_tick
        self._stop = threading.Event()
        threading.Thread(target=self._run, name="xrootd-watch", daemon=True).start()

    def expect(self, attempt: Attempt) -> None:
        """Keep `attempt` until somebody takes it."""
        self._awaited[attempt] = None

    def take(self, attempt: Attempt) -> bool:
        """True for the first caller, who must answer it. (One dictionary operation, hence safe between threads.)"""
        return self._awaited.pop(attempt, self) is None

    def park(self, request: Request) -> None:
        """Ask again at the next tick."""
        self._parked.append(request)

    def forget(self, path: str) -> None:
        """Drop all attempts and waiting requests for `path`, a path at the site: nobody answers them any more."""
        for attempt in list(self._awaited):
            if attempt.request.path == path:
                self.take(attempt)
        for request in list(self._parked):
            if request.path == path:
                self._parked.remove(request)

    def close(self) -> None:
        """End the thread, and drop everything."""
        self._stop.set()
        self._awaited.clear()
        self._parked.clear()

    def _run(self) -> None:
        while not self._stop.wait(TICK_SECONDS):
            try:
                now = time.monotonic()
                for _ in range(len(self._parked)):
                    self._parked.popleft().ask()
                self._inspect(now)
                self._every_tick(now)
            except Exception:
                log.exception("the watch over unanswered XRootD requests met an error and goes on")

    def _inspect(self, now: float) -> None:
        for attempt in list(self._awaited):
            if now - attempt.sent < PROBE_AFTER_SECONDS:
                return
            if now > attempt.request.deadline + LIBRARY_GRACE_SECONDS:
                if self.take(attempt):
                    attempt.request.done(Failed(f"{attempt.server} did not answer in time", retry=True, slow=True))
            elif not (attempt.probed or attempt.server.proves_whole) and self._probing.acquire(blocking=False):
                attempt.probed = True
                threading.Thread(target=self._probe, args=(attempt,), name="xrootd-probe", daemon=True).start()

    def _probe(self, attempt: Attempt) -> None:
        """Ask once more, waiting for the answer.

        The library cannot make a Python string of a name that is not UTF-8. Its asynchronous call then never answers;
        the synchronous one raises SystemError, and says why.
        """
        try:
            request, timeout = attempt.request, attempt.timeout(time.monotonic())
            status, response = attempt.server.file_system.dirlist(request.path, attempt.flags, timeout)
        except (SystemError, UnicodeDecodeError) as error:
            if self.take(attempt):
                request.done(Failed(_undecodable(error)))
        else:
            attempt(status, response)
        finally:
            self._probing.release()


def _undecodable(error: BaseException) -> str:
    cause = error if isinstance(error, UnicodeDecodeError) else error.__cause__
    if isinstance(cause, UnicodeDecodeError):
        return f"the name {cause.object!r} in it is not UTF-8: the XRootD library cannot list the directory"
    return f"the XRootD library cannot list the directory: {error!r}"
