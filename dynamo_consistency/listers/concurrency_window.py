"""How many requests are in flight at once: as many as the server answers quickly, and no more.

Why: the rate of a walk is the number of requests in flight divided by the round trip. Nobody knows in advance what a
door can bear, and it changes while a site is listed.

Problem: the latency is all that can be observed, and it has two causes. Requests that queue at the server make it grow;
so do big directories and a long line, where asking for less would only lose time.

How: as TCP Vegas does, compare the latency with the quickest one so far. At the start each answer that is about as
quick makes room for two more, threefold in a round trip, until answers queue; later the window grows by an eighth while
they are quick. When they queue, it shrinks by a quarter; when the server refuses or does not answer, it is halved. If
shrinking twice does not help, the present latency becomes the new measure. But for the start, latency is judged in
rounds of at least as many answers as the window has places, so that each decision shows its effect before the next one.

Rejected: a fixed number (small is slow over a long line, large overloads a weak door); shrinking at refusals only (a
door that queues never refuses: it times out); the mean latency of a round, and its maximum (a few big directories look
like a slow server; hence the lower quartile).
"""

import logging
import math

log = logging.getLogger(__name__)

START = 8
STARTING_GROWTH = 2
ROUND_SECONDS = 0.05  # a round is at least that long: a few answers over a fast line are chance
SLACK_SECONDS = 0.01  # a queue as short as that does no harm, however fast the line
QUICK, SLOW = 2.0, 4.0  # multiples of the quickest latency
SHRINK = 0.75
FRUITLESS = 0.9  # a shrunk window that leaves more than this of the latency did not cause it


class Window:
    """The bound of the requests in flight: `size`, between 1 and `limit`; `largest` is the largest size so far.

    A round is as many answers as the window has places, to requests that were sent when it had its present size. The
    lower quartile of their latencies counts. Times are in seconds of any one clock.
    """

    def __init__(self, limit: int) -> None:
        self.limit = max(1, limit)
        self.size = self.largest = min(START, self.limit)
        self._starting = True
        self._fastest = self._quickest = math.inf
        self._slowed_to: float | None = None
        self._fruitless = 0
        self._began = -math.inf
        self._latencies: list[float] = []
        self._full = 0

    def answered(self, sent: float, arrived: float, full: bool) -> None:
        """An answer came at `arrived` to a request of the time `sent`. `full`: no place was free in the window."""
        if sent < self._began:
            return
        if self._began == -math.inf:
            self._began = sent
        self._latencies.append(arrived - sent)
        self._full += full
        if self._starting:
            self._start(arrived - sent, full)
        if len(self._latencies) >= max(4, self.size) and arrived - self._began >= ROUND_SECONDS:
            self._judge(arrived)

    def refused(self, sent: float, arrived: float) -> None:
        """The server refused or did not answer in time. A request from before the last change does not halve again."""
        if sent >= self._began:
            self._starting = False
            self._resize(self.size // 2, arrived, "the server refuses or is silent")

    def _start(self, latency: float, full: bool) -> None:
        self._fastest = min(self._fastest, latency)
        if full and latency <= QUICK * self._fastest + SLACK_SECONDS:
            self.size = min(self.size + STARTING_GROWTH, self.limit)
            self.largest = max(self.largest, self.size)

    def _judge(self, now: float) -> None:
        latency = sorted(self._latencies)[len(self._latencies) // 4]
        limiting = 2 * self._full >= len(self._latencies)
        self._quickest = min(self._quickest, latency)
        if latency > SLOW * self._quickest + 2 * SLACK_SECONDS and limiting:
            self._slow_down(latency, now)
        elif latency <= QUICK * self._quickest + SLACK_SECONDS and limiting:
            self._slowed_to = None
            self._resize(2 * self.size if self._starting else self.size + 1 + self.size // 8, now, "answers are quick")
        else:
            self._starting = self._starting and not limiting
            self._begin(now)

    def _slow_down(self, latency: float, now: float) -> None:
        """Shrink; where that did not help twice, the directories are big or the line is long: accept the latency."""
        self._starting = False
        useless = self._slowed_to is not None and latency > FRUITLESS * self._slowed_to
        self._fruitless = self._fruitless + 1 if useless else 0
        self._slowed_to = latency
        if self._fruitless >= 2:
            self._quickest, self._slowed_to, self._fruitless = latency, None, 0
            self._begin(now)
        else:
            self._resize(math.floor(self.size * SHRINK), now, f"answers take {latency:.3f} s")

    def _resize(self, size: int, now: float, why: str) -> None:
        size = max(1, min(size, self.limit))
        if size != self.size:
            log.debug("window %d -> %d: %s", self.size, size, why)
        self.size = size
        self.largest = max(self.largest, size)
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._began = now
        self._latencies = []
        self._full = 0
