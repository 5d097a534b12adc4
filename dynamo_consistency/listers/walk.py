"""The walk: what is asked for, when it is asked for again, and what becomes a hole.

One thread, no event loop: a lister answers from whatever threads it has, and the answers meet in one queue. The walk
is linear in the directories, and its memory is bounded by the window and the frontier, not by the tree.
"""

import heapq
import queue
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from dynamo_consistency import paths
from dynamo_consistency.listers.concurrency_window import Window
from dynamo_consistency.listers.contract import Answer, Failed, Hole, Listed, Lister, Subdirectory
from dynamo_consistency.listers.frontier import Directory, Frontier
from dynamo_consistency.listers.shards import Share, ancestor

MAX_DEPTH = 64
MAX_WAITING = 1000  # with so many directories waiting for their retry the site is in trouble: no new ones
FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 1.0, 60.0
LONGEST_WISH_SECONDS = 600.0  # a server that wants to be left alone for longer is asked then all the same
SWEEP_SECONDS = 1.0
GRACE_SECONDS = 5.0  # a lister that knows the time limit itself has this long to say so
OVERDUE_FRACTION = 0.25  # of the time limit; from then on a request holds no place in the window


class Visit(NamedTuple):
    """What the walk found out about one directory. `elsewhere`: subdirectories that another shard must list."""

    directory: Directory
    answer: Answer
    elsewhere: list[bytes]


class Answers(Protocol):
    """A queue of (token, time of arrival, answer)."""

    def put(self, item: tuple[int, float, Answer]) -> None: ...

    def get(self, block: bool = True, timeout: float | None = None) -> tuple[int, float, Answer]: ...


@dataclass(frozen=True)
class Limits:
    """How a site may be asked; the fields are those of `check.Listing`."""

    concurrency: int = 256
    directory_timeout_seconds: float = 60
    retries: int = 3
    max_requests_per_second: float = 0


@dataclass(slots=True)
class _Request:
    directory: Directory
    attempt: int
    sent: float = 0.0
    overdue: bool = False


class Walk:
    """An iterable, once, of a `Visit` for every directory of a shard: listed wholly, or failed and hence a hole.

    A hole inside a listed directory (a loop, a tree that is too deep) stands in its answer's `holes`.
    """

    def __init__(
        self,
        lister: Lister,
        roots: Iterable[bytes],
        share: Share,
        limits: Limits,
        exclude: Iterable[bytes] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
        answers: Answers | None = None,
    ) -> None:
        self._lister, self._share, self._limits = lister, share, limits
        self._exclude = frozenset(exclude)
        self.excluded: set[bytes] = set()
        """Excluded directories that the walk has met."""
        self._clock = clock
        self._answers: Answers = queue.SimpleQueue() if answers is None else answers
        self._limit = max(1, min(limits.concurrency, lister.capacity))
        self.window = Window(self._limit)
        self.requests = self.retries = 0
        self._frontier = Frontier()
        for root in reversed(list(roots)):
            self._frontier.push(Directory(root, root))
        self._pending: dict[int, _Request] = {}
        self._waiting: list[tuple[float, int, _Request]] = []  # heap by the time of the next attempt
        self._overdue = 0
        self._not_before = self._next_sweep = clock()

    def __iter__(self) -> Iterator[Visit]:
        try:
            while self._pending or self._waiting or len(self._frontier):
                now = self._clock()
                if now >= self._next_sweep:
                    self._sweep(now)
                self._send(now)
                visit = self._receive(now)
                if visit is not None:
                    yield visit
        finally:
            self._frontier.close()

    def _send(self, now: float) -> None:
        while (
            len(self._pending) < self._limit
            and len(self._pending) - self._overdue < self.window.size
            and now >= self._not_before
            and (request := self._next(now)) is not None
        ):
            if self._limits.max_requests_per_second:
                self._not_before = max(self._not_before, now - 0.1) + 1 / self._limits.max_requests_per_second
            self.requests += 1
            request.sent, request.overdue = now, False
            self._pending[self.requests] = request
            self._lister.submit(request.directory.path, self._receiver(self.requests))

    def _next(self, now: float) -> _Request | None:
        if self._waiting and self._waiting[0][0] <= now:
            return heapq.heappop(self._waiting)[2]
        if len(self._frontier) and len(self._waiting) < MAX_WAITING:
            return _Request(self._frontier.pop(), attempt=1)
        return None

    def _receiver(self, token: int) -> Callable[[Answer], None]:
        put, clock = self._answers.put, self._clock
        return lambda answer: put((token, clock(), answer))

    def _receive(self, now: float) -> Visit | None:
        """Wait for one answer, at most until there is something else to do."""
        due = [self._next_sweep, self._not_before] + [wait[0] for wait in self._waiting[:1]]
        try:
            token, arrived, answer = self._answers.get(True, min(time for time in due if time > now) - now)
        except queue.Empty:
            return None
        request = self._pending.pop(token, None)
        if request is None:  # it was given up
            return None
        self._overdue -= request.overdue
        if isinstance(answer, Listed):
            answer = _plausible(answer)
        if isinstance(answer, Failed):
            return self._failed(request, answer, arrived)
        if not answer.from_memory:
            self._observe(request, arrived)
        return Visit(request.directory, answer, self._descend(request.directory, answer))

    def _observe(self, request: _Request, arrived: float) -> None:
        full = len(self._pending) + 1 - self._overdue >= self.window.size
        self.window.answered(request.sent, arrived, full)

    def _failed(self, request: _Request, answer: Failed, arrived: float) -> Visit | None:
        """Ask again later, after longer and longer pauses that differ from directory to directory; or give up."""
        if answer.slow:
            self.window.refused(request.sent, arrived)
        if answer.retry and request.attempt <= self._limits.retries:
            self.retries += 1
            delay = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** (request.attempt - 1))
            delay *= random.uniform(0.5, 1.5)  # noqa: S311 (spreads load, guards nothing)
            request.attempt += 1
            due = self._clock() + min(LONGEST_WISH_SECONDS, answer.after) + delay
            heapq.heappush(self._waiting, (due, self.retries, request))
            return None
        if request.attempt > 1:
            answer = Failed(f"{answer.reason} (asked {request.attempt} times)")
        return Visit(request.directory, answer, [])

    def _descend(self, directory: Directory, answer: Listed) -> list[bytes]:
        """Put the subdirectories on the frontier; the paths of those that another shard lists."""
        if not answer.directories:
            return []
        depth = directory.depth + 1
        ancestors = (*directory.ancestors, directory.identity)
        elsewhere, kept, seen = [], [], set()
        for child in answer.directories:
            path = paths.join(directory.path, child.name)
            reason = _obstacle(directory, child, depth, ancestors)
            if path in self._exclude:
                kept.append(child)
                self.excluded.add(path)
            elif reason:
                answer.holes.append(Hole(child.name, reason))
            else:
                kept.append(child)
                if path not in seen:  # one that is named twice is asked for once
                    seen.add(path)
                    if self._share.lists(path, depth):
                        self._frontier.push(
                            Directory(path, directory.root, depth, child.mtime, child.identity, ancestors)
                        )
                    else:
                        elsewhere.append(path)
        answer.directories = kept
        return elsewhere

    def _sweep(self, now: float) -> None:
        """Give up requests that were never answered; let late ones no longer hold a place in the window."""
        self._next_sweep = now + SWEEP_SECONDS
        limit = self._limits.directory_timeout_seconds
        for token, request in self._pending.items():
            age = now - request.sent
            if age > limit + GRACE_SECONDS:
                self._lister.forget(request.directory.path)
                self._answers.put((token, now, Failed(f"no answer in {limit:g} s", retry=True, slow=True)))
            elif age > limit * OVERDUE_FRACTION and not request.overdue:
                request.overdue = True
                self._overdue += 1


def _plausible(answer: Listed) -> Answer:
    """`answer`, unless it has a name that no directory can hold: such a listing is not to be trusted at all."""
    names = [entry[0] for entries in (answer.files, answer.directories, answer.holes) for entry in entries]
    if b"/" in b"".join(names) or not {b"", b".", b".."}.isdisjoint(names):
        odd = next(name for name in names if b"/" in name or name in (b"", b".", b".."))
        return Failed(f"its listing has the entry {paths.to_text(odd)!r}, which cannot be a name")
    return answer


def _obstacle(directory: Directory, child: Subdirectory, depth: int, ancestors: tuple[object, ...]) -> str | None:
    """Why `child` must not be descended into, if so."""
    if child.identity is not None and child.identity in ancestors:
        same = ancestor(directory.path, directory.root, ancestors.index(child.identity)) or directory.path
        return f"the same directory as its ancestor {paths.to_text(same)}: a loop of links"
    if depth > MAX_DEPTH:
        return f"too deep: more than {MAX_DEPTH} directories below the root"
    return None
