"""Reads at once the responses of a multistatus that are alike but for their values, as those of one directory are.

Why: the XML parser calls Python a dozen times for each file, and a site has up to 10^8 of them.

How: an answer is cut at each `<`. The first response is about the directory itself. Where all others have the same
number of pieces, and the same tags in them, piece by piece, columns of values are left. One of them is read by the
parser, with a mark in place of each value that may differ: where the marks come out says what the columns are. That is
remembered as a shape, which most answers of a site have, and by which they are read. Whatever is not exactly so is no
answer from here, and the parser reads all of it.
"""

import re
from collections import deque
from functools import lru_cache
from typing import NamedTuple

from dynamo_consistency.listers.webdav.errors import WebDavError
from dynamo_consistency.listers.webdav.multistatus import SIZE, TIME, Response, read_responses
from dynamo_consistency.listers.webdav.shapes import MOST_COLUMNS, Shape

MOST_KNOWN = 8  # of files, of directories, of different servers
MOST_BYTES = 4 * 1024 * 1024
"""What comes of a longer answer is read as it comes, and not kept."""

_MARK = b"value-of-column-"
_ANY_MARK = re.compile(rf"{_MARK.decode()}[0-9]+\.")
_TOLD = re.compile(rb"(?:[A-Za-z0-9._-]+:)?(?:href|getcontentlength|getlastmodified)>.")
"""What differs from directory to directory, if not from file to file."""
_NAME = re.compile(rb"[A-Za-z0-9:._-]+")
_ENCODING = re.compile(rb"""encoding\s*=\s*["'](?!utf-8["'])""", re.IGNORECASE)


class Alike(NamedTuple):
    """The response about the directory, one of the others, and what differs in these: columns, a row for each."""

    own: Response
    example: Response
    hrefs: list[str]
    sizes: list[str]
    times: list[str]

    def response(self, row: int) -> Response:
        """One of the others by itself."""
        properties = self.example.properties
        told = {SIZE: self.sizes[row], TIME: self.times[row]}
        return Response([self.hrefs[row]], 0, properties | {key: told[key] for key in told if key in properties})


class _Known(NamedTuple):
    """A shape and what it means: the responses have marks in place of values, and `own_marks` are those in the order
    of the values. The others are by their places in a row; a size or time without one is always the same."""

    shape: Shape
    own: Response
    own_marks: list[str]
    example: Response
    href: int
    size: int | str
    time: int | str


_known: deque[_Known] = deque(maxlen=MOST_KNOWN)


def read(body: bytes) -> Alike | None:
    """What a whole answer says; None where it must be read by the parser."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    for known in list(_known):
        values = known.shape.values(text)
        if values is not None:
            return _meant(known, *values)
    known_now = _understood(body)
    if known_now is None:
        return None
    values = known_now.shape.values(text)
    if values is None:
        return None
    _known.appendleft(known_now)
    return _meant(known_now, *values)


def _meant(known: _Known, own: list[str], values: list[str]) -> Alike:
    width = known.shape.columns
    hrefs = values[known.href :: width]
    sizes, times = (
        [known_value] * len(hrefs)
        if isinstance(known_value, str)
        else [value.strip() for value in values[known_value::width]]
        for known_value in (known.size, known.time)
    )
    return Alike(_filled(known.own, dict(zip(known.own_marks, own, strict=True))), known.example, hrefs, sizes, times)


def _understood(body: bytes) -> _Known | None:
    """What the parser makes of an answer in which marks stand for the values; None where it is not of this kind."""
    pieces = body.split(b"<")
    layout = _layout(body, pieces)
    if layout is None or _MARK in body:
        return None
    first, second, width = layout
    before, own_pieces, last = pieces[:first], pieces[first:second], pieces[-1]
    columns = [pieces[place:-1:width] for place in range(second, second + width)]
    own_marked, marked = _marked([[piece] for piece in own_pieces]), _marked(columns)
    if own_marked is None or marked is None:
        return None
    own_text, text, end = b"<".join([*before, *own_marked]), b"<" + b"<".join(marked), b"<" + last
    own, example = _one(own_text + end), _one(b"<".join(before) + text + end)
    if own is None or example is None or own.contradicts:
        return None
    return _assigned(own, example, *(part.decode() for part in (own_text, text, end)))


def _layout(body: bytes, pieces: list[bytes]) -> tuple[int, int, int] | None:
    """Where the first and the second response begin, and the number of pieces of each from there on."""
    first = next((place for place, piece in enumerate(pieces[1:4], 1) if piece[:1] != b"?"), 0) + 1
    if first == 1 or len(pieces) < first + 3 or pieces[0].strip() or _ENCODING.search(pieces[1]):
        return None
    name = _NAME.match(pieces[first])
    end = b"</" + (name[0] if name else b"") + b">"
    one = body.find(end)
    two = body.find(end, one + 1)
    if one < 0 or two < 0:
        return None
    second, width = body.count(b"<", 0, one) + 2, body.count(b"<", one, two)
    odd = any(piece[:1] in (b"!", b"?") for piece in pieces[first : second + width])
    return None if odd or (len(pieces) - 1 - second) % width else (first, second, width)


def _marked(columns: list[list[bytes]]) -> list[bytes] | None:
    """The first piece of each column, with a mark in it if it has values; None where these are not simply text."""
    marked = []
    for place, column in enumerate(columns):
        piece = column[0]
        if column.count(piece) < len(column) or (piece[:1] != b"/" and _TOLD.match(piece)):
            tag = _tag(piece)
            if not tag or not all(each.startswith(tag) for each in column):
                return None
            piece = tag + _MARK + b"%d." % place
        marked.append(piece)
    return marked


def _tag(piece: bytes) -> bytes:
    return piece[: piece.find(b">") + 1]


@lru_cache(maxsize=256)  # where there are more shapes than are kept
def _one(body: bytes) -> Response | None:
    """The only response of a whole answer, in which marks stand for values; None where there is not just one."""
    responses: list[Response] = []
    try:
        read_responses([body], responses.append)
    except WebDavError:  # the parser will say what is wrong with all of it
        return None
    return responses[0] if len(responses) == 1 else None


def _filled(response: Response, values: dict[str, str]) -> Response:
    """A response with its values in place of the marks."""
    properties = {
        key: values[value].strip() if value in values else value for key, value in response.properties.items()
    }
    return Response([values.get(href, href) for href in response.hrefs], response.status, properties)


def _assigned(own: Response, example: Response, own_text: str, text: str, end: str) -> _Known | None:
    """None where anything differs but name, size and time: a status, for example."""
    own_marks, marks = _ANY_MARK.findall(own_text), _ANY_MARK.findall(text)
    places = {mark: place for place, mark in enumerate(marks)}
    told = {key: value for key, value in example.properties.items() if _MARK.decode() in value}
    if len(example.hrefs) != 1 or example.status or example.contradicts or not told.keys() <= {SIZE, TIME}:
        return None
    if places.keys() != {*example.hrefs, *told.values()} or len(marks) > MOST_COLUMNS or not own_marks:
        return None
    size, time = (places[told[key]] if key in told else example.properties.get(key, "") for key in (SIZE, TIME))
    shape = Shape(_ANY_MARK.split(own_text), _ANY_MARK.split(text), end)
    return _Known(shape, own, own_marks, example, places[example.hrefs[0]], size, time)
