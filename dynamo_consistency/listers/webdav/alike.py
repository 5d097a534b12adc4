"""Reads at once the responses of a multistatus that are alike but for their values, as those of one directory are.

Why: the XML parser calls Python a dozen times for each file, and a site has up to 10^8 of them.

How: an answer is cut at each `<`. The first response is about the directory itself. Where all others have the same
number of pieces, and the same tags in them, piece by piece, columns of values are left. One of them is read by the
parser, with a mark in place of each value that differs: where the marks come out says what the columns are. Whatever
is not exactly so is no answer from here, and the parser reads all of it.
"""

import re
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from dynamo_consistency.listers.webdav.errors import WebDavError
from dynamo_consistency.listers.webdav.multistatus import LONGEST_TEXT, SIZE, TIME, Response, read_responses

MOST_BYTES = 4 * 1024 * 1024
"""What comes of a longer answer is read as it comes, and not kept."""

_MARK = b"value-of-column-"
_NOT_PLAIN = re.compile(rb"[\x00-\x08\x0b-\x1f&>]|\xef\xbf[\xbe\xbf]")
"""What means something else in XML than what stands there, or must not be in it."""
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
    layout = _layout(pieces)
    if layout is None or _MARK in body:
        return None
    first, second, width = layout
    columns = [pieces[place:-1:width] for place in range(second, second + width)]
    values: dict[int, list[str]] = {}
    for place, column in enumerate(columns):
        if column.count(column[0]) < len(column):
            told = _values(column)
            if told is None:
                return None
            values[place] = told
    marked = [
        _tag(column[0]) + _MARK + b"%d." % place if place in values else column[0]
        for place, column in enumerate(columns)
    ]
    before, last = pieces[:first], pieces[-1]
    own, example = _one(b"<".join([*pieces[:second], last])), _remembered(b"<".join([*before, *marked, last]))
    if own is None or example is None:
        return None
    return _assigned(own, example, {f"{_MARK.decode()}{place}.": column for place, column in values.items()})


def _layout(pieces: list[bytes]) -> tuple[int, int, int] | None:
    """Where the first and the second response begin, and the number of pieces of each from there on."""
    first = next((place for place, piece in enumerate(pieces[1:4], 1) if piece[:1] != b"?"), 0) + 1
    if first == 1 or len(pieces) < first + 3 or pieces[0].strip() or _ENCODING.search(pieces[1]):
        return None
    name = _NAME.match(pieces[first])
    end = b"/" + (name[0] if name else b"") + b">"
    ends = islice((place for place in range(first + 1, len(pieces)) if pieces[place].startswith(end)), 2)
    second, third = (*(place + 1 for place in ends), 0, 0)[:2]
    if not third:
        return None
    width = third - second
    odd = any(piece[:1] in (b"!", b"?") for piece in pieces[first : second + width])
    return None if odd or (len(pieces) - 1 - second) % width else (first, second, width)


def _tag(piece: bytes) -> bytes:
    return piece[: piece.find(b">") + 1]


def _values(column: list[bytes]) -> list[str] | None:
    """What follows after the one tag of a column; None where there are several, or a value is not simply text."""
    tag = _tag(column[0])
    start = len(tag)
    if not tag or not all(piece.startswith(tag) for piece in column):
        return None
    values = [piece[start:] for piece in column]
    if _NOT_PLAIN.search(b" ".join(values)) or max(map(len, values)) > LONGEST_TEXT:
        return None
    try:
        return [value.decode() for value in values]
    except UnicodeDecodeError:
        return None


def _one(body: bytes) -> Response | None:
    """The only response of a whole answer; None where there is not just one."""
    responses: list[Response] = []
    try:
        read_responses([body], responses.append)
    except WebDavError:  # the parser will say what is wrong with all of it
        return None
    return responses[0] if len(responses) == 1 else None


_remembered = lru_cache(maxsize=256)(_one)
"""Most directories of a server have the same example."""


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
