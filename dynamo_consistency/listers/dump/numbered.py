"""Several files that are parts of one list: numbered, and none is lacking."""

import re
from collections.abc import Sequence

from dynamo_consistency.errors import ListingError

_OF = re.compile(r"\d+[-_]?of[-_]?(\d+)", re.IGNORECASE)


def refuse_unless_all_parts(urls: Sequence[str], before: Sequence[str], name: str) -> list[str]:
    """`urls`, in their order. `before` are the parts that the list before had.

    Raises ListingError unless they are one file, or are numbered without a gap from 0 or 1, and are as many as the list
    before had and as their names say.
    """
    if len(urls) > 1 and not _is_numbered(urls):
        raise ListingError(
            f"there are {len(urls)} dumps {name} of one date, such as {_last(urls[0])} and {_last(urls[1])}, which are "
            "not numbered from 0 or 1 without a gap; make the pattern narrower, or list the parts of one dump in url"
        )
    announced = {int(match[1]) for url in urls for match in _OF.finditer(_last(url))}
    if announced and announced != {len(urls)}:
        raise ListingError(f"the dump {name} has {len(urls)} of {max(announced)} parts: it is not all there")
    if len(urls) < len(before):
        raise ListingError(
            f"the newest dump {name} has {len(urls)} parts, and the one before has {len(before)}: it may not be all "
            "there; wait until it is, or list its parts in url"
        )
    return list(urls)


def _last(url: str) -> str:
    return url.rstrip("/").rsplit("/", 1)[-1]


def _is_numbered(urls: Sequence[str]) -> bool:
    """Do the names differ by one number only, which counts from 0 or 1?"""
    split = [re.split(r"(\d+)", url) for url in urls]
    if len({len(parts) for parts in split}) > 1:
        return False
    differing = [column for column in zip(*split, strict=True) if len(set(column)) > 1]
    if len(differing) != 1 or not all(part.isdigit() for part in differing[0]):
        return False
    numbers = sorted(int(part) for part in differing[0])
    return numbers in (list(range(len(urls))), list(range(1, len(urls) + 1)))
