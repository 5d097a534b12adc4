"""When an answer is so much shorter than the last one that it may have broken off (gate 9)."""


def much_shorter(now: int, last: int) -> bool:
    """Has a list of `now` entries at most half of the last one's `last`? An empty one has, if that was not empty."""
    return now < last and 2 * now <= last
