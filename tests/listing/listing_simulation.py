"""A site whose time passes only when somebody waits."""

import heapq
import itertools
import queue
from collections import Counter, deque
from collections.abc import Callable, Iterable

from dynamo_consistency.listers.contract import Answer, File, Files, Listed, Subdirectory
from dynamo_consistency.listers.shards import Share
from dynamo_consistency.listers.walk import Limits, Visit, Walk


class Simulation:
    """A clock and a queue of answers: `get` lets the time pass until the next thing happens."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._ready: deque = deque()

    def clock(self) -> float:
        return self.now

    def after(self, delay: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + delay, next(self._numbers), action))

    def put(self, item) -> None:
        self._ready.append(item)

    def get(self, block: bool = True, timeout: float | None = None):
        assert timeout > 0, "the walk would spin"
        end = self.now + timeout
        while not self._ready and self._events and self._events[0][0] <= end:
            self.now, _, action = heapq.heappop(self._events)
            action()
        if self._ready:
            return self._ready.popleft()
        self.now = end
        raise queue.Empty


class SimulatedSite:
    """A lister. `answer(directory, attempt)` says what is there, None: nothing ever comes back.

    `round_trip` is the way there and back; `slots` requests are served at a time, each in `service(answer)` seconds.
    """

    def __init__(
        self,
        simulation: Simulation,
        answer: Callable[[bytes, int], Answer | None],
        *,
        round_trip: float = 0.001,
        slots: int = 1_000_000,
        service: Callable[[Answer], float] = lambda answer: 0.0,
        capacity: int = 1_000_000,
    ) -> None:
        self.capacity = capacity
        self.asked: Counter[bytes] = Counter()
        self.times: list[float] = []
        self.forgotten: list[bytes] = []
        self.in_flight = self.most_in_flight = 0
        self.simulation, self.answer = simulation, answer
        self.round_trip = round_trip
        self.serve(slots, service)

    def serve(self, slots: int, service: Callable[[Answer], float] = lambda answer: 0.0) -> None:
        """From now on, serve so many at a time."""
        self._service = service
        self._free = [self.simulation.now] * min(slots, 1000)  # heap of the times at which a slot gets free

    def submit(self, directory: bytes, done: Callable[[Answer], None]) -> None:
        self.asked[directory] += 1
        self.times.append(self.simulation.now)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        answer = self.answer(directory, self.asked[directory])
        if answer is None:
            return
        start = max(heapq.heappop(self._free), self.simulation.now)
        end = start + self._service(answer)
        heapq.heappush(self._free, end)

        def deliver() -> None:
            self.in_flight -= 1
            done(answer)

        self.simulation.after(end - self.simulation.now + self.round_trip, deliver)

    def forget(self, directory: bytes) -> None:
        self.in_flight -= 1
        self.forgotten.append(directory)

    def close(self) -> None:
        pass


def flat(directories: int, files: int = 1) -> Callable[[bytes, int], Answer]:
    """A root /r with that many directories, each with some files."""

    def answer(path: bytes, attempt: int) -> Answer:
        if path == b"/r":
            return Listed([Subdirectory(b"d%d" % number, 1) for number in range(directories)])
        return Listed([], Files.of([File(b"f%d" % number, 1, 1) for number in range(files)]))

    return answer


def walk_over(
    simulation: Simulation,
    site: SimulatedSite,
    *,
    roots: Iterable[bytes] = (b"/r",),
    share: Share | None = None,
    exclude: Iterable[bytes] = (),
    **limits,
) -> Walk:
    share = share or Share(0, 1, 3)
    return Walk(site, roots, share, Limits(**limits), exclude, clock=simulation.clock, answers=simulation)


def by_path(visits: Iterable[Visit]) -> dict[bytes, Answer]:
    return {visit.directory.path: visit.answer for visit in visits}
