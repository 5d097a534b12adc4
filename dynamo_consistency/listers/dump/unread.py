"""Which paths a line of a dump may be about that is no entry: nothing there may be called missing.

Such a line may be two that were glued together, half of one, one with a separator in its name, or what a program
complained of while it made the list (`find: '/a/b': Permission denied`). So the path may stand anywhere in it.
"""

import posixpath
import re
from collections.abc import Iterator
from itertools import chain

from dynamo_consistency import paths

_LONGEST = 8192  # bytes that are looked at
_MOST_ENDS = 64
_END = rb"[\s|,;:\"'`=()<>\[\]]|\xe2\x80[\x98\x99]"
_ENDS = re.compile(_END)
_STARTS = re.compile(rb"(?:^|%s)(?=[^/]*/)|(?=//)" % _END)
_QUOTED = rb"\"([^\"]*/[^\"]*)\"|['`]([^'`]*/[^'`]*)'|\xe2\x80\x98(.*?/.*?)\xe2\x80\x99"
_COMPLAINED_OF = rb"(?:(?<=\s)|^)(/[^\s:;]*)[:;] [A-Za-z][^/]*$"
_WHOLE = re.compile(_QUOTED + b"|" + _COMPLAINED_OF)
"""A path between quotes, or at the end of a complaint: it is known where it ends."""


def paths_and_directories(line: bytes, *, relative: bool) -> tuple[set[bytes], set[bytes]]:
    """(paths that are named from beginning to end, directories of paths of which it is not known where they end).

    As they are written, but absolute and normalised. `relative`: the list has its paths without a slash before them.
    """
    text = line[:_LONGEST].replace(rb"\/", b"/")  # as some write JSON
    whole = (next(filter(None, match.groups())) for match in _WHOLE.finditer(text))
    rest = _WHOLE.sub(b"\n", text)
    parts = {_directory(path) for path in _absolute(_candidates(rest, relative), relative) if path != b"/"}
    return set(_absolute(whole, relative)), parts


def _candidates(text: bytes, relative: bool) -> Iterator[bytes]:
    """What begins where a path may, up to each place where it may end."""
    ends = [*(match.start() for match in _ENDS.finditer(text)), len(text)]
    for start in dict.fromkeys(_beginnings(text, relative)):
        for end in [end for end in ends if end > start][:_MOST_ENDS]:
            yield text[start:end]


def _beginnings(text: bytes, relative: bool) -> Iterator[int]:
    for match in _STARTS.finditer(text):
        start = match.end()
        yield start if relative or text[start : start + 1] == b"/" else text.index(b"/", start)


def _absolute(found: Iterator[bytes], relative: bool) -> Iterator[bytes]:
    for path in found:
        written = chain([path] if path.startswith(b"/") else [], [b"/" + path] if relative else [])
        for each in written:
            yield paths.normalise(posixpath.normpath(each))


def _directory(path: bytes) -> bytes:
    """Its directory; a path at the top is said by itself, since its directory would be everything."""
    return path.rpartition(b"/")[0] or path
