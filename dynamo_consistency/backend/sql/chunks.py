"""Look-ups in parts: a statement takes only so many values."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

LOOK_UP_ROWS = 500
"""Well below the limits of a statement, and enough to make round trips unimportant."""

Item = TypeVar("Item")


def chunks(items: Iterable[Item], size: int = LOOK_UP_ROWS) -> Iterator[list[Item]]:
    """`items` in lists of `size`, the last one shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
