"""The queue of a walk whose own thread fetches the answers while it waits for them."""

import queue
from collections import deque

from dynamo_consistency.listers.contract import Answer
from dynamo_consistency.listers.loop.loop import Loop

Item = tuple[int, float, Answer]

TURN_AFTER = 64
"""So many answers, and what was asked meanwhile is sent: the server is not to wait until all are worked off."""


class LedAnswers:
    """A `contract.Answers` that leads the loop."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._items: deque[Item] = deque()
        self._given = 0

    def put(self, item: Item) -> None:
        """As `contract.Answers`."""
        self._items.append(item)
        self._loop.wake()

    def get(self, block: bool = True, timeout: float | None = None) -> Item:
        """As `contract.Answers`; may find that there is none before the time is over."""
        self._given += 1
        if (not self._items and block) or self._given >= TURN_AFTER:
            self._given = 0
            self._loop.lead(60.0 if timeout is None else timeout, self._items)
        if not self._items:
            raise queue.Empty
        return self._items.popleft()
