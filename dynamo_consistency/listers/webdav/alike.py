"""Reads at once the responses of a multistatus that are alike but for their values, as those of one directory are.

Why: the XML parser calls Python a dozen times for each file, and a site has up to 10^8 of them.

How: an answer is cut at each `<`. The first response is about the directory itself. Where all others have the same
number of pieces, and the same tags in them, piece by piece, columns of values are left. One of them is read by the
parser, with a mark in place of each value that may differ: where the marks come out says what the columns are. What it
makes of that, and of the directory's own response with marks in it, is remembered, since it is the same for most of a
site. Whatever is not exactly so is no answer from here, and the parser reads all of it.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from dynamo_consistency.listers.webdav.errors import WebDavError
from dynamo_consistency.listers.webdav.multistatus import LONGEST_TEXT, SIZE, TIME, Response, read_responses

MOST_BYTES = 4 * 1024 * 1024
"""What comes of a longer answer is read as it comes, and not kept."""

_MARK = b"value-of-column-"
_NOT_PLAIN = re.compile(rb"[\x00-\x08\x0b-\x1f&>]|\xef\xbf[\xbe\xbf]")
"""What means something else in XML than what stands there, or must not be in it."""
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


def read(body: bytes) -> Alike | None:
    """What a whole answer says; None where it must be read by the parser."""
    pieces = body.split(b"<")
    layout = _layout(body, pieces)
    if layout is None or _MARK in body:
        return None
    first, second, width = layout
    before, own_pieces, last = pieces[:first], pieces[first:second], pieces[-1]
    columns = [pieces[place:-1:width] for place in range(second, second + width)]
    own_values, values = _marked([[piece] for piece in own_pieces]), _marked(columns)
    if own_values is None or values is None:
        return None
    own = _remembered(b"<".join([*before, *_with_marks(own_pieces, own_values), last]))
    example = _remembered(b"<".join([*before, *_with_marks([column[0] for column in columns], values), last]))
    if own is None or example is None or own.contradicts:
        return None
    return _assigned(_filled(own, {mark: column[0] for mark, column in own_values.items()}), example, values)


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


def _marked(columns: list[list[bytes]]) -> dict[str, list[str]] | None:
    """The values of those columns that get marks, by their marks; None where a value is not simply text."""
    values: dict[str, list[str]] = {}
    for place, column in enumerate(columns):
        piece = column[0]
        if column.count(piece) < len(column) or (piece[:1] != b"/" and _TOLD.match(piece)):
            told = _values(column)
            if told is None:
                return None
            values[f"{_MARK.decode()}{place}."] = told
    return values


def _with_marks(pieces: list[bytes], values: dict[str, list[str]]) -> list[bytes]:
    marked = list(pieces)
    for mark in values:
        place = int(mark[len(_MARK) : -1])
        marked[place] = _tag(pieces[place]) + mark.encode()
    return marked


def _tag(piece: bytes) -> bytes:
    return piece[: piece.find(b">") + 1]


def _values(column: list[bytes]) -> list[str] | None:
    """What follows after the one tag of a column; None where there are several, or a value is not simply text."""
    tag = _tag(column[0])
    joined = b"<" + b"<".join(column)
    without = joined.replace(b"<" + tag, b"<")
    if not tag or len(joined) - len(without) != len(tag) * len(column) or _NOT_PLAIN.search(without):
        return None
    if len(without) > LONGEST_TEXT and max(map(len, without.split(b"<"))) > LONGEST_TEXT:
        return None
    try:
        return without.decode().split("<")[1:]
    except UnicodeDecodeError:
        return None


@lru_cache(maxsize=256)
def _remembered(body: bytes) -> Response | None:
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


def _assigned(own: Response, example: Response, columns: dict[str, list[str]]) -> Alike | None:
    """None where anything differs but name, size and time: a status, for example."""
    hrefs = columns.get(example.hrefs[0]) if len(example.hrefs) == 1 else None
    told = {key: value for key, value in example.properties.items() if _MARK.decode() in value}
    if hrefs is None or example.status or example.contradicts or not told.keys() <= {SIZE, TIME}:
        return None
    if columns.keys() != {*example.hrefs, *told.values()}:
        return None
    sizes, times = (
        columns[told[key]] if key in told else [example.properties.get(key, "")] * len(hrefs) for key in (SIZE, TIME)
    )
    return Alike(own, example, hrefs, [size.strip() for size in sizes], [time.strip() for time in times])
