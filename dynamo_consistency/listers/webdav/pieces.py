"""Reads the answer about a directory, which comes in pieces, to its end."""

from dynamo_consistency.listers.webdav import alike
from dynamo_consistency.listers.webdav.entries import Contents
from dynamo_consistency.listers.webdav.multistatus import Multistatus


class ContentsReader:
    """Puts a multistatus into `contents`: at once where it is short and its responses are alike.

    `feed` and `end` raise as those of `Multistatus` do.
    """

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self._held: list[bytes] = []
        self._length = 0
        self._parser: Multistatus | None = None

    def feed(self, piece: bytes) -> None:
        """Read the next `piece` of the answer."""
        if self._parser is not None:
            self._parser.feed(piece)
            return
        self._held.append(piece)
        self._length += len(piece)
        if self._length > alike.MOST_BYTES:
            self._parse()

    def end(self) -> None:
        """There is no more: the last closing tag must have come."""
        if self._parser is None:
            responses = alike.read(b"".join(self._held))
            if responses is not None:
                self.contents.take_alike(responses)
                return
            self._parse().end()
        else:
            self._parser.end()

    def close(self) -> None:
        """Let go of what is held."""
        self._held.clear()
        if self._parser is not None:
            self._parser.close()

    def _parse(self) -> Multistatus:
        """From here on by the parser."""
        self._parser = parser = Multistatus(self.contents.take)
        for piece in self._held:
            parser.feed(piece)
        self._held.clear()
        return parser
