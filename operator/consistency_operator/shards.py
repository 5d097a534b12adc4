"""Sets of shards as Kubernetes writes them: `0-2,4`."""

from collections.abc import Iterator


def indexes(text: str | None) -> set[int]:
    """The numbers in `text`; what is no number or interval is left out."""
    return {index for part in (text or "").split(",") for index in _interval(part)}


def _interval(part: str) -> Iterator[int]:
    first, _, last = part.partition("-")
    if first.isdigit() and (not last or last.isdigit()):
        yield from range(int(first), int(last or first) + 1)
