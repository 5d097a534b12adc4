"""Asking a site for many single files, several at a time.

A listing may leave out what is there: a server that pages wrongly, or that skips what it cannot look at. So what a
directory seems to lack is asked for by its own name, and only a clear "not there" counts.
"""

import queue
import threading
import time
from collections.abc import Sequence

from dynamo_consistency.listers.look import FileLook, Look, Unsure
from dynamo_consistency.listers.threaded import MAX_STUCK
from dynamo_consistency.listers.walk import LISTER_GRACE_SECONDS, Limits

MOST_THREADS = 64


class FileLooks:
    """Asks within the limits of a check's listing: concurrency, time-out of a directory, and rate.

    `capacity`: how many requests the lister can have in flight.
    """

    def __init__(self, look: FileLook, limits: Limits, capacity: int) -> None:
        self._look, self._limits = look, limits
        self._most = max(1, min(MOST_THREADS, limits.concurrency, capacity))
        self._stuck = 0
        self._pace = threading.Lock()
        self._not_before = 0.0

    def ask(self, files: Sequence[bytes]) -> dict[bytes, Look]:
        """What the site says of each file.

        A look that hangs is given up when nothing else has been answered for the time-out: its file is `Unsure`.
        """
        if self._stuck > MAX_STUCK:
            return dict.fromkeys(files, Unsure(f"not asked: {self._stuck} requests to the site hang"))
        asked: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        answered: queue.SimpleQueue[tuple[bytes, Look]] = queue.SimpleQueue()
        for file in files:
            asked.put(file)
        given_up = threading.Event()
        threads = [
            threading.Thread(target=self._work, args=(asked, answered, given_up), name="look", daemon=True)
            for _ in range(min(self._most, len(files)))
        ]
        for thread in threads:
            thread.start()
        limit = self._limits.directory_timeout_seconds + LISTER_GRACE_SECONDS
        answers: dict[bytes, Look] = {}
        try:
            while len(answers) < len(files):
                file, answer = answered.get(timeout=limit)
                answers[file] = answer
        except queue.Empty:
            self._stuck += sum(thread.is_alive() for thread in threads)
        given_up.set()
        late = Unsure(f"no answer within {self._limits.directory_timeout_seconds} s")
        return {file: answers.get(file, late) for file in files}

    def _work(
        self,
        asked: "queue.SimpleQueue[bytes]",
        answered: "queue.SimpleQueue[tuple[bytes, Look]]",
        given_up: threading.Event,
    ) -> None:
        while not given_up.is_set():
            try:
                file = asked.get_nowait()
            except queue.Empty:
                return
            self._wait_for_turn()
            answered.put((file, self._answer(file)))

    def _answer(self, file: bytes) -> Look:
        try:
            return self._look(file)
        except Exception as error:  # noqa: BLE001 (a thread that dies would leave its file without an answer)
            return Unsure(type(error).__name__)

    def _wait_for_turn(self) -> None:
        rate = self._limits.max_requests_per_second
        if rate:
            with self._pace:
                turn = max(self._not_before, time.monotonic())
                self._not_before = turn + 1 / rate
            time.sleep(max(0.0, turn - time.monotonic()))
