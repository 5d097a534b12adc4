"""Short ways to ask a lister, whatever its protocol."""

import queue

from dynamo_consistency.listers.contract import Answer, Lister
from dynamo_consistency.listers.shards import Share
from dynamo_consistency.listers.walk import Limits, Visit, Walk


def ask_lister(lister: Lister, directory: bytes, seconds: float = 60) -> Answer:
    """The one answer for `directory`; a second one, or none, fails the test."""
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    lister.submit(directory, answers.put)
    answer = answers.get(timeout=seconds)
    assert answers.empty()
    return answer


def walk_from(lister: Lister, root: bytes, retries: int = 3, seconds: float = 60) -> list[Visit]:
    """All visits of a walk from one root."""
    limits = Limits(concurrency=64, directory_timeout_seconds=seconds, retries=retries)
    return list(Walk(lister, [root], Share(0, 1, 3), limits))
