"""Reads an answer that comes in pieces, to its end."""

from collections.abc import Callable, Iterator
from itertools import chain

from dynamo_consistency.listers.webdav import alike
from dynamo_consistency.listers.webdav.entries import Contents
from dynamo_consistency.listers.webdav.multistatus import Multistatus, Response


def read_contents(pieces: Iterator[bytes], contents: Contents) -> None:
    """Put a multistatus into `contents`: at once where it is short and its responses are alike.

    Raises as `read_responses`.
    """
    held: list[bytes] = []
    length = 0
    for piece in pieces:
        held.append(piece)
        length += len(piece)
        if length > alike.MOST_BYTES:
            break
    responses = alike.read(b"".join(held)) if length <= alike.MOST_BYTES else None
    if responses is None:
        read_responses(chain(held, pieces), contents.take)
    else:
        contents.take_alike(responses)


def read_responses(pieces: Iterator[bytes], take: Callable[[Response], None]) -> None:
    """Call `take` with every response of a multistatus. Raises WebDavError for one that is not complete."""
    multistatus = Multistatus(take)
    try:
        for piece in pieces:
            multistatus.feed(piece)
        multistatus.end()
    finally:
        multistatus.close()
