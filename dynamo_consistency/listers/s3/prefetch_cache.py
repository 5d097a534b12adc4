"""Directories that came with an answer about one above them, until they are asked for."""

import threading
from collections.abc import Mapping

from dynamo_consistency.listers.contract import Listed

MOST_CACHED_ENTRIES = 500_000


class PrefetchCache:
    """Answers for directories (LFNs) that nobody has asked for yet; each is given once.

    Beyond `most` entries (files and directories) the oldest answers are dropped: a walk goes depth first, so that it
    asks for the newest. For use by many threads.
    """

    def __init__(self, most: int = MOST_CACHED_ENTRIES) -> None:
        self._most = most
        self._answers: dict[bytes, Listed] = {}
        self._entries = 0
        self._lock = threading.Lock()

    def keep(self, answers: Mapping[bytes, Listed]) -> None:
        """Keep `answers`, by directory, and mark them as `from_memory`."""
        with self._lock:
            for directory, answer in answers.items():
                self._drop(directory)
                answer.from_memory = True
                self._answers[directory] = answer
                self._entries += _entries(answer)
            while self._entries > self._most:
                self._drop(next(iter(self._answers)))

    def take(self, directory: bytes) -> Listed | None:
        """The answer for `directory`, which is then dropped; None where there is none."""
        with self._lock:
            return self._drop(directory)

    def clear(self) -> None:
        """Drop all answers."""
        with self._lock:
            self._answers.clear()
            self._entries = 0

    def _drop(self, directory: bytes) -> Listed | None:
        answer = self._answers.pop(directory, None)
        if answer is not None:
            self._entries -= _entries(answer)
        return answer


def _entries(answer: Listed) -> int:
    return 1 + len(answer.files) + len(answer.directories)
