"""When an answer is so much shorter than the last one that it may have broken off (gate 9)."""


def much_shorter(now: int, last: int) -> bool:
    """Is a list of `now` entries less than half as long as the last one of `last`? An empty one is, if that was not."""
    return 2 * now < last
