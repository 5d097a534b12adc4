"""One thread that waits for all connections at once, and does what others ask it to do."""

import heapq
import itertools
import logging
import math
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sized
from contextlib import suppress
from typing import Protocol

log = logging.getLogger(__name__)

TICK_SECONDS = 0.25
CLOSING_SECONDS = 2.0
HANDOVER_SECONDS = 0.01
STAND_BACK_SECONDS = 0.05  # so long after somebody else has led it, the loop's own thread leads it again

Call = Callable[[], object]


class Watched(Protocol):
    """What has a socket that the loop waits for. All of it is called on the loop's thread."""

    socket: socket.socket

    def readable(self) -> None:
        """Something has come, or the connection has ended."""

    def flush(self) -> bool:
        """Send what is to be sent, as far as it goes; True when all is sent."""
        ...


class Loop:
    """Runs calls and watches sockets, on a thread that begins with the first call. Any thread may `call` and `lead` it.

    Who waits for answers may lead the loop meanwhile. Two threads that hand each other every answer would wait for each
    other's turn to run Python. `every_tick` is called four times a second with the time (monotonic seconds).
    """

    def __init__(self, every_tick: Callable[[float], None]) -> None:
        self.now = time.monotonic()
        self._every_tick, self._next_tick = every_tick, self.now
        self._inbox: deque[Call] = deque()
        self._timers: list[tuple[float, int, Call]] = []
        self._order = itertools.count()
        self._unsent: set[Watched] = set()
        self._waiting_to_send: set[Watched] = set()
        self._asleep = self._stopped = False
        self._start, self._leading = threading.Lock(), threading.Lock()
        self._led_until, self._closed = 0.0, threading.Event()
        self._thread: threading.Thread | None = None

    def call(self, function: Call) -> None:
        """Have `function` called on the loop's thread, soon; from any thread."""
        self._inbox.append(function)
        if self._thread is None:
            self._begin()
        self.wake()

    def wake(self) -> None:
        """Let the loop look for something to do, if it waits; from any thread."""
        if self._asleep:
            self._asleep = False
            with suppress(OSError):  # full of calls to wake up, or closed
                self._bell.send(b"!")

    def lead(self, seconds: float, awaited: Sized) -> None:
        """Run it on this thread until something has happened, for so many seconds at most; from any thread.

        It does not wait when there is something in `awaited`.
        """
        if self._thread is None:
            self._begin()
        self._led_until = math.inf
        try:
            self.wake()
            while not self._leading.acquire(timeout=HANDOVER_SECONDS):
                self.wake()
            try:
                self._turn_safely(seconds, awaited)
            finally:
                self._leading.release()
        finally:
            self._led_until = time.monotonic() + STAND_BACK_SECONDS

    def after(self, seconds: float, function: Call) -> None:
        """Have `function` called when so many seconds have passed."""
        heapq.heappush(self._timers, (self.now + seconds, next(self._order), function))

    def watch(self, watched: Watched) -> None:
        """Wait for its socket from now on."""
        self._selector.register(watched.socket, selectors.EVENT_READ, watched)

    def leave(self, watched: Watched) -> None:
        """Wait for it no longer."""
        self._unsent.discard(watched)
        self._waiting_to_send.discard(watched)
        with suppress(KeyError, ValueError):
            self._selector.unregister(watched.socket)

    def has_to_send(self, watched: Watched) -> None:
        """Call its `flush` before the loop waits again."""
        self._unsent.add(watched)

    def close(self) -> None:
        """End the thread after what it is at; from any thread."""
        if self._thread is None:
            self._stopped = True
        else:
            self._led_until = 0.0
            self._closed.set()
            self.call(self._stop)
            if threading.current_thread() is not self._thread:
                self._thread.join(CLOSING_SECONDS)

    def _stop(self) -> None:
        self._stopped = True

    def _begin(self) -> None:
        with self._start:
            if self._thread is None and not self._stopped:
                self._selector = selectors.DefaultSelector()
                self._ear, self._bell = socket.socketpair()
                self._ear.setblocking(False)
                self._bell.setblocking(False)
                self._selector.register(self._ear, selectors.EVENT_READ)
                self._thread = threading.Thread(target=self._run, name="connections", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stopped:
            if time.monotonic() < self._led_until:
                self._closed.wait(STAND_BACK_SECONDS)
                continue
            with self._leading:
                self._turn_safely(TICK_SECONDS, ())
        self._selector.close()
        self._ear.close()
        self._bell.close()

    def _turn_safely(self, seconds: float, awaited: Sized) -> None:
        if self._stopped:
            return
        try:
            self._turn(seconds, awaited)
        except Exception:
            log.exception("the thread of the connections met an error and goes on")

    def _turn(self, seconds: float, awaited: Sized) -> None:
        self._asleep = True  # before the inbox is emptied: who comes later rings
        while self._inbox:
            self._inbox.popleft()()
        self._flush()
        if self._stopped:
            return
        due = min([self._next_tick, *(timer[0] for timer in self._timers[:1])])
        ready = self._selector.select(
            0.0 if awaited or self._unsent else max(0.0, min(seconds, due - time.monotonic()))
        )
        self._asleep = False
        self.now = now = time.monotonic()
        for key, events in ready:
            if key.data is None:
                self._ear.recv(4096)
                continue
            if events & selectors.EVENT_WRITE:
                self._unsent.add(key.data)
            if events & selectors.EVENT_READ:
                key.data.readable()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()
        if now >= self._next_tick:
            self._next_tick = now + TICK_SECONDS
            self._every_tick(now)

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, set()
        for watched in unsent:
            waits = not watched.flush()
            if waits == (watched in self._waiting_to_send):
                continue
            (self._waiting_to_send.add if waits else self._waiting_to_send.discard)(watched)
            events = selectors.EVENT_READ | selectors.EVENT_WRITE if waits else selectors.EVENT_READ
            with suppress(KeyError, ValueError):  # it broke, and nobody waits for it any more
                self._selector.modify(watched.socket, events, watched)
