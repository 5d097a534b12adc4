"""Reads a WebDAV `multistatus` piece by piece: what is held of it is one response, however many there are.

Nothing in it may be defined (no DTD, hence no entities), nor nested or long beyond all reason.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from xml.parsers import expat

from dynamo_consistency.listers.webdav.errors import WebDavError

COLLECTION, TYPE = "DAV: collection", "DAV: resourcetype"
SIZE, TIME = "DAV: getcontentlength", "DAV: getlastmodified"
IS_COLLECTION = "DAV: iscollection"
"""Says of a file, with 0, what other servers say with an empty resourcetype. XRootD sends it."""

_MULTISTATUS, _RESPONSE, _HREF = "DAV: multistatus", "DAV: response", "DAV: href"
_PROPSTAT, _PROP, _STATUS = "DAV: propstat", "DAV: prop", "DAV: status"
_WANTED = frozenset({TYPE, SIZE, TIME, IS_COLLECTION})
_STATUS_LINE = re.compile(r"HTTP/[0-9.]+ ([0-9]{3})\b")

MOST_NESTED = 32
LONGEST_TEXT = 64 * 1024  # characters, of a name or a value
LONGEST_TOKEN = 1024 * 1024  # bytes that the parser must keep because a tag or a comment in them does not end


@dataclass(slots=True)
class Response:
    """One `DAV: response` element: what is reported about `hrefs`, mostly one.

    `status` is the HTTP status of an error for all of it, or 0. `properties` are those that the server knows; the value
    of `TYPE` is the names of the elements in it, separated by line ends. `contradicts`: one is reported twice,
    differently.
    """

    hrefs: list[str] = field(default_factory=list)
    status: int = 0
    properties: dict[str, str] = field(default_factory=dict)
    contradicts: bool = False


class Multistatus:
    """Reads a multistatus (RFC 4918, 13): `take` is called with each response, in turn.

    All methods but `close` raise WebDavError for XML that is truncated, malformed, no multistatus or out of bounds.
    """

    def __init__(self, take: Callable[[Response], None]) -> None:
        self._take = take
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._open: list[str] = []
        self._text: list[str] | None = None
        self._level = self._length = self._fed = 0
        self._response = Response()
        self._found: dict[str, str] = {}
        self._status = 0

    def feed(self, piece: bytes) -> None:
        """Read the next `piece` of the answer."""
        self._parse(piece, False)
        self._fed += len(piece)
        if self._fed - self._parser.CurrentByteIndex > LONGEST_TOKEN:
            raise WebDavError("its answer has a tag or a comment that does not end")

    def end(self) -> None:
        """There is no more: the last closing tag must have come."""
        self._parse(b"", True)

    def close(self) -> None:
        """Break the reference cycle with the parser, which Python's garbage collector would find only much later."""
        self._parser.StartElementHandler = self._parser.EndElementHandler = None
        self._parser.CharacterDataHandler = self._parser.StartDoctypeDeclHandler = None

    def _parse(self, piece: bytes, last: bool) -> None:
        try:
            self._parser.Parse(piece, last)
        except (expat.ExpatError, ValueError, LookupError) as error:  # the latter two for an encoding of its own
            raise WebDavError(f"its answer is truncated, or no XML ({error})", retry=True) from None

    @staticmethod
    def _refuse(*_: object) -> None:
        raise WebDavError("its answer has a DTD, with which XML can be blown up; it is not read")

    def _start(self, name: str, _: object) -> None:
        above = self._open
        depth = len(above)
        if depth == 5:
            if above[4] == TYPE and self._text is not None:
                self._text.append(name + "\n")
        elif depth == 4:
            if name in _WANTED and above[3] == _PROP:
                self._listen()
        elif depth == 3:
            if name == _STATUS and above[2] == _PROPSTAT:
                self._listen()
        elif depth == 2:
            if above[1] == _RESPONSE:
                self._start_of_part(name)
        elif depth == 1 and name == _RESPONSE:
            self._response = Response()
        elif depth == 0 and name != _MULTISTATUS:
            raise WebDavError(f"its answer is no multistatus but {name.rpartition(' ')[2]!r}")
        elif depth > MOST_NESTED:
            raise WebDavError("its answer is nested too deeply")
        above.append(name)

    def _start_of_part(self, name: str) -> None:
        if name == _PROPSTAT:
            self._found, self._status = {}, 0
        elif name in (_HREF, _STATUS):
            self._listen()

    def _listen(self) -> None:
        self._text, self._length, self._level = [], 0, len(self._open) + 1

    def _characters(self, text: str) -> None:
        if self._text is not None and len(self._open) == self._level:
            self._length += len(text)
            if self._length > LONGEST_TEXT:
                raise WebDavError("its answer has a name or a value that does not end")
            self._text.append(text)

    def _end(self, name: str) -> None:
        above = self._open
        above.pop()
        depth = len(above)
        if depth == 1 and name == _RESPONSE:
            self._take(self._response)
        elif depth == 2 and above[1] == _RESPONSE:
            self._end_of_part(name)
        elif depth == 3 and self._text is not None:
            self._status = _code(self._collected())
        elif depth == 4 and self._text is not None:
            self._end_of_property(name)

    def _end_of_part(self, name: str) -> None:
        if name == _PROPSTAT:
            if 200 <= self._status < 300:
                known = self._response.properties
                self._response.contradicts |= any(known.get(key, value) != value for key, value in self._found.items())
                known.update(self._found)
        elif name == _HREF:
            self._response.hrefs.append(self._collected())
        elif name == _STATUS:
            code = _code(self._collected())
            self._response.status = 0 if 200 <= code < 300 else code

    def _end_of_property(self, name: str) -> None:
        value = self._collected().strip()
        if name == TYPE:
            value = "\n".join(line.strip() for line in value.splitlines() if line.strip())
        self._response.contradicts |= self._found.get(name, value) != value
        self._found[name] = value

    def _collected(self) -> str:
        text, self._text = "".join(self._text or ()), None
        return text


def read_responses(pieces: Iterable[bytes], take: Callable[[Response], None]) -> None:
    """Call `take` with every response of a multistatus. Raises WebDavError for one that is not complete."""
    multistatus = Multistatus(take)
    try:
        for piece in pieces:
            multistatus.feed(piece)
        multistatus.end()
    finally:
        multistatus.close()


def _code(line: str) -> int:
    """The code of a status line; 999 for what is none, which is no success."""
    match = _STATUS_LINE.match(line.strip())
    return int(match[1]) if match else 999
