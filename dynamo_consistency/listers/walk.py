"""The walk: which directories are asked for, when they are asked for again, and what becomes a hole.

Why: retries, rate limits, depth, loops and holes must mean the same for every protocol. A lister therefore answers for
one directory, and everything that concerns more than one is decided here.

Problem: a site has up to 10^8 files in a tree of unknown shape. Answers come late, in any order, or never. A directory
must be reported exactly once, as listed completely or as failed; one that is lost without a word would make its files
missing. Memory must not depend on the tree, and a site with an outage must not be flooded with new requests.

How: one thread keeps a stack of known directories (`frontier`), the requests in flight, and a heap of those that wait
for their retry. All answers arrive in one queue, from whatever threads the lister has; an answer to a request that was
given up is dropped, since its token is unknown by then. Work is linear in the number of directories.

Rejected: recursion, and breadth first (memory grows with the tree); an event loop (the libraries of the protocols
block, or call back from threads of their own); a time limit in each lister alone (a stuck library reports nothing);
pausing the whole walk for a retry (one slow directory would stop all others).
"""

import heapq
import queue
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from dynamo_consistency import paths
from dynamo_consistency.listers.concurrency_window import Window
from dynamo_consistency.listers.contract import Answer, Answers, Failed, Hole, LedLister, Listed, Lister
from dynamo_consistency.listers.frontier import Directory, Frontier
from dynamo_consistency.listers.plausible import obstacle, plausible
from dynamo_consistency.listers.shards import Share

MAX_WAITING = 1000  # with so many directories waiting for their retry the site has an outage: no new ones
FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 1.0, 60.0
LONGEST_WISH_SECONDS = 600.0  # a server that asks for a longer pause than this is asked again after it all the same
SWEEP_SECONDS = 1.0
LISTER_GRACE_SECONDS = 5.0  # a lister that keeps the time limit itself has this long to report that it is over
OVERDUE_FRACTION = 0.25  # of the time limit; from then on a request holds no place in the window


class Visit(NamedTuple):
    """The result for one directory. `elsewhere`: paths (LFNs) of the subdirectories that another shard must list."""

    directory: Directory
    answer: Answer
    elsewhere: list[bytes]


@dataclass(frozen=True)
class Limits:
    """How a site may be asked; the fields are those of `check.Listing`. A rate of 0 is no bound."""

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
    """Iterates, once, over a `Visit` for every directory of a shard: listed completely, or failed and hence a hole.

    `roots` and `exclude` are LFNs. A hole inside a listed directory (a loop, a tree that is too deep) is in the `holes`
    of its answer. `requests` and `retries` count as the walk goes on; `clock` (seconds) and `answers` are for tests.
    """

    def __init__(
        self,
        lister: Lister,
        roots: Iterable[bytes],
        share: Share,
        limits: Limits,
        exclude: Iterable[bytes] = (),
        *,
        identify: Callable[[bytes], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        answers: Answers | None = None,
    ) -> None:
        """`identify` says what the storage calls a root, where the answer about it does not; it may take its time."""
        self._lister, self._share, self._limits = lister, share, limits
        self._exclude = frozenset(exclude)
        self.excluded: dict[bytes, object] = {}
        """Excluded directories that the walk has met, each with what the storage calls it (None: it does not say)."""
        self._clock = clock
        self._answers = answers or (lister.answers() if isinstance(lister, LedLister) else queue.SimpleQueue())
        self._limit = max(1, min(limits.concurrency, lister.capacity))
        self.window = Window(self._limit)
        self.requests = self.retries = 0
        self._frontier = Frontier(few=self._limit)
        self._roots, self._identify = list(roots), identify
        self._pending: dict[int, _Request] = {}
        self._waiting: list[tuple[float, int, _Request]] = []  # heap by the time of the next attempt
        self._overdue = 0
        self._not_before = self._next_sweep = clock()

    def __iter__(self) -> Iterator[Visit]:
        for root in reversed(self._roots):
            self._frontier.push(Directory(root, root, identity=self._identify(root) if self._identify else None))
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
        until = self._next_sweep
        if now < self._not_before < until:
            until = self._not_before
        if self._waiting and now < self._waiting[0][0] < until:
            until = self._waiting[0][0]
        try:
            token, arrived, answer = self._answers.get(True, until - now)
        except queue.Empty:
            return None
        request = self._pending.pop(token, None)
        if request is None:  # it had been given up
            return None
        self._overdue -= request.overdue
        if isinstance(answer, Listed):
            answer = plausible(answer)
        if isinstance(answer, Failed):
            return self._failed(request, answer, arrived)
        if not answer.from_memory:
            self._observe(request, arrived)
        directory = request.directory
        if answer.identity is not None:  # nearer to the truth than what the answer about its parent said
            directory = directory._replace(identity=answer.identity)
        return Visit(directory, answer, self._descend(directory, answer))

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
        before, root, push = paths.subtree(directory.path)[0], directory.root, self._frontier.push
        ancestors = (*directory.ancestors, directory.identity)
        elsewhere, kept, seen = [], [], set()
        for child in answer.directories:
            name, mtime, identity = child
            path = before + name
            if path in self._exclude:
                kept.append(child)
                self.excluded[path] = identity
            elif reason := obstacle(directory, child, depth, ancestors):
                answer.holes.append(Hole(name, reason))
            else:
                kept.append(child)
                if path not in seen:  # one that is named twice is asked for once
                    seen.add(path)
                    if self._share.lists(path, depth):
                        push(Directory(path, root, depth, mtime, identity, ancestors))
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
            if age > limit + LISTER_GRACE_SECONDS:
                self._lister.forget(request.directory.path)
                self._answers.put((token, now, Failed(f"no answer in {limit:g} s", retry=True, slow=True)))
            elif age > limit * OVERDUE_FRACTION and not request.overdue:
                request.overdue = True
                self._overdue += 1
