"""Text for people at a length that fits: it ends after a whole part of a sentence, or at least after a whole word."""

import re

MORE = " …"
_END_OF_A_PART = re.compile(r"[.;,:)](?=\s)|\n")


def shortened(text: str, longest: int) -> str:
    """`text` in at most `longest` characters; what is left out is told by an ellipsis."""
    return text if len(text) <= longest else cut(text, longest)


def cut(text: str, longest: int) -> str:
    """The beginning of `text` and an ellipsis, in at most `longest` characters.

    It ends after the last part of a sentence if that is more than half, else after a word; a single word is cut itself.
    """
    kept = text[: longest - len(MORE) + 1]
    parts = [end.end() for end in _END_OF_A_PART.finditer(kept)]
    words = [space.start() for space in re.finditer(r"\s", kept)]
    for ends in (parts, words):
        if ends and ends[-1] > longest // 2:
            return kept[: ends[-1]].rstrip(" \n,;:") + MORE
    return kept[:-1] + MORE
