"""Messages that follow one another in a stream of bytes, each with its length in front: those that are alike."""

ALIKE = 16
"""After so many neighbours of one length, as files of a block mostly have, as many more are looked for at once."""

_AT_FIRST = 8 * ALIKE
"""Messages that are looked at in the first step. Fewer would cost as much."""


def alike(data: bytearray, at: int, size: int, beginning: bytes, at_most: int) -> int:
    """How many whole messages of this size, that begin so, follow one another from `at` on?

    Many are looked at in one step: where one of them ends the next one begins, so that its length stands there.
    """
    found, step, at_most = 0, _AT_FIRST, min(at_most, (len(data) - at) // size)
    while found < at_most:
        start = at + found * size
        asked = same = min(step, at_most - found)
        for place, byte in enumerate(beginning):
            column = data[start + place : start + same * size : size]
            if column.count(byte) != same:  # much faster than to strip
                same -= len(column.lstrip(bytes([byte])))
        found += same
        if same < asked:
            break
        step *= 8
    return found
