"""Reads the answer about a directory, which comes in pieces, to its end."""

from collections.abc import Iterator
from itertools import chain

from dynamo_consistency.listers.webdav import alike
from dynamo_consistency.listers.webdav.entries import Contents
from dynamo_consistency.listers.webdav.multistatus import read_responses


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
