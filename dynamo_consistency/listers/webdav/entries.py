"""From the responses of a multistatus to a `Listed`. This runs once for every file of the site: keep it lean."""

import re
from collections import Counter
from collections.abc import Iterable
from http import HTTPStatus
from typing import TypeVar

from dynamo_consistency.listers.contract import Entry, File, Files, Hole, Listed, Subdirectory
from dynamo_consistency.listers.look import FileStat, Look, Unsure
from dynamo_consistency.listers.webdav.alike import Alike
from dynamo_consistency.listers.webdav.errors import WebDavError
from dynamo_consistency.listers.webdav.multistatus import COLLECTION, IS_COLLECTION, SIZE, TIME, TYPE, Response
from dynamo_consistency.listers.webdav.names import Reading, name_in, plain_name, plain_names, read
from dynamo_consistency.listers.webdav.times import seconds
from dynamo_consistency.listers.webdav.url import WebDavUrl
from dynamo_consistency.paths import visible

MOST_ENTRIES = 10_000_000
XROOTD = "xrootd"
HIDDEN = {
    XROOTD: "links without an end, and what it may not look at",
    "apache": "links and pipes",
    "lighttpd": "what it may not look at",
    "nginx": "names that begin with a dot",
}
"""What servers leave out."""
LONGEST_XROOTD_NAME = 253
_MOST = 1 << 63
_XROOTD_LINE = re.compile(rb"[0-9]+ [0-9]+ [0-9]+ [0-9]+( .*)?")
"""Identity, size, flags and time, and more since 5.0: in a listing this follows after each name."""
_SIZE = re.compile(r"[0-9]{1,19}")
_SURE_DIGITS = 18

AnyEntry = TypeVar("AnyEntry", File, Subdirectory, Hole)


class Contents:
    """Collects the responses about the directory at `address` and its entries, and makes a `Listed` of them."""

    def __init__(self, address: WebDavUrl, server: str = "") -> None:
        """`server`: what calls itself so has answered, in lower case."""
        self._directory, self._server = address.path, server
        self._start = address.target.partition("?")[0]
        self._own: list[Response] = []
        self._doubtful: list[tuple[Reading, Response]] = []
        self._listed = Listed()

    def take(self, response: Response) -> None:
        """One more response. Raises WebDavError when it is about nothing, or there are more than any directory has."""
        listed = self._listed
        if len(listed.files) + len(listed.directories) + len(listed.holes) + len(self._doubtful) >= MOST_ENTRIES:
            raise WebDavError(f"it has more than {MOST_ENTRIES:,} entries")
        if not response.hrefs:
            raise WebDavError("its listing has an entry without a name")
        for href in response.hrefs:
            name = plain_name(href, self._start)
            if href == self._start and "%" not in href and "\0" not in href:
                self._own.append(response)
            elif name is None:
                self._doubtful.append((read(href), response))
            else:
                _add(listed, name.encode(), response)

    def take_alike(self, alike: Alike) -> None:
        """All responses of an answer at once. Raises as `take`."""
        self.take(alike.own)
        names, kind = plain_names(alike.hrefs, self._start), _kind(alike.example)
        if names is None or kind is None or not _are_sizes(alike.sizes) or len(names) >= MOST_ENTRIES - 1:
            for row in range(len(alike.hrefs)):
                self.take(alike.response(row))
            return
        known = {text: seconds(text) for text in set(alike.times)}
        found = [name.encode() for name in names]
        times = [known[text] for text in alike.times]
        if kind:
            self._listed.directories += map(Subdirectory, found, times)
        else:
            files = self._listed.files
            files.names += found
            files.sizes += [int(size) if size else None for size in alike.sizes]
            files.mtimes += times

    def unclear(self) -> list[Reading]:
        """The readings that differ, when there are no more responses, if nothing but the server can tell which hold."""
        if self._encodes() is not None:
            return []
        return [reading for reading, _ in self._doubtful if not reading.clear]

    def listed(self, encodes: bool) -> Listed:
        """The complete directory: sizes in bytes, times in seconds since 1970.

        `encodes`: how to read what is `unclear`. Raises WebDavError when the responses are not about it, and when it is
        no directory.
        """
        told = self._encodes()
        for reading, response in self._doubtful:
            self._place(reading.path(encodes if told is None else told), response)
        self._look_at_itself()
        if self._server.startswith(XROOTD):
            _look_as_at_xrootd(self._listed)
        _settle_repeated(self._listed)
        self._listed.hidden = next((what for name, what in HIDDEN.items() if self._server.startswith(name)), "")
        return self._listed

    def _encodes(self) -> bool | None:
        """Does the server encode names? The directory's own entry shows it, if its two readings differ."""
        readings = [reading for reading, _ in self._doubtful]
        if all(reading.clear for reading in readings):
            return True
        ways = {self._directory == reading.encoded for reading in readings if self._directory in reading}
        itself = self._own or any(self._directory == reading.encoded == reading.bare for reading in readings)
        return ways.pop() if len(ways) == 1 and not itself else None

    def _place(self, path: bytes | None, response: Response) -> None:
        if path is None:
            raise WebDavError("its listing has an entry whose name is not known")
        if path == self._directory:
            self._own.append(response)
            return
        name = name_in(path, self._directory)
        if name is None:
            raise WebDavError(f"its listing has {visible(path)}, which is not directly in it")
        _add(self._listed, name, response)

    def _look_at_itself(self) -> None:
        """A listing is one only if the directory itself is in it, without any error."""
        if not self._own:
            raise WebDavError("its listing is not about itself: the server answers for something else")
        for own in self._own:
            if own.status:
                raise WebDavError(f"its listing says of itself: {_words(own.status)}", retry=own.status >= 500)
            if _kind(own) is False:
                raise WebDavError("not a directory")
            if _kind(own) is None:
                raise WebDavError("its listing does not say that it is a directory")


def _look_as_at_xrootd(listed: Listed) -> None:
    """XRootD's door reads a listing with line ends between names, and mistakes what follows after one in a name.

    It cuts long names, too, as XRootD's own protocol does.
    """
    names = listed.files.names + [directory.name for directory in listed.directories]
    if len(set(names)) < len(names):
        raise WebDavError("its listing has a name twice; a line end in the name of an entry does that")
    if max(map(len, names), default=0) > LONGEST_XROOTD_NAME:
        raise WebDavError(f"it has a name of more than {LONGEST_XROOTD_NAME} bytes, and the server cuts such names")
    if b" " in b"/".join(names) and any(map(_XROOTD_LINE.fullmatch, names)):
        raise WebDavError("the server mixes up its entries; a line end in the name of one does that")
    if 0 in listed.files.mtimes:
        files, listed.files = listed.files, Files.of(file for file in listed.files if file.size or file.mtime != 0)
        unknown = [file.name for file in files if not file.size and file.mtime == 0]
        listed.holes += [Hole(name, "the server knows neither its size nor its time") for name in unknown]


def _add(listed: Listed, name: bytes, response: Response) -> None:
    """One entry: a file, a directory, or a hole where that is not sure."""
    properties = response.properties
    kind = None if response.status or response.contradicts else _kind(response)
    if kind is False:
        size = properties.get(SIZE, "")
        if not size or (_SIZE.fullmatch(size) and int(size) < _MOST):
            listed.files.add(name, int(size) if size else None, seconds(properties.get(TIME, "")))
        else:
            listed.holes.append(Hole(name, f"the server gives an impossible size, {size[:40]!r}"))
    elif kind:
        listed.directories.append(Subdirectory(name, seconds(properties.get(TIME, ""))))
    else:
        listed.holes.append(Hole(name, _obstacle(response)))


def _are_sizes(texts: list[str]) -> bool:
    """Is each a number of bytes, or nothing?"""
    joined = "".join(texts)
    return not joined or (joined.isascii() and joined.isdigit() and max(map(len, texts)) <= _SURE_DIGITS)


def file_stat(response: Response) -> Look:
    """What a server says about a single path, which must be that of a file."""
    entries = Listed()
    _add(entries, b"", response)
    if entries.holes:
        return Unsure(entries.holes[0].reason)
    return FileStat(*entries.files.sizes, *entries.files.mtimes) if entries.files else Unsure("it is a directory")


def _kind(response: Response) -> bool | None:
    """Is it a directory? None when the server does not say so, or says two things at once."""
    types, flag = response.properties.get(TYPE), response.properties.get(IS_COLLECTION)
    by_flag = {"0": False, "1": True}.get(flag or "")
    if types is None:
        return by_flag
    by_type = {"": False, COLLECTION: True}.get(types)
    if by_type is None and COLLECTION in types.split("\n"):
        by_type = True  # and something else besides, a calendar for example
    return None if by_flag is not None and by_flag is not by_type else by_type


def _obstacle(response: Response) -> str:
    if response.status:
        return f"the server says: {_words(response.status)}"
    if response.contradicts:
        return "the server says two different things about it"
    return "the server does not say whether it is a file or a directory"


def _words(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status}"


def _settle_repeated(listed: Listed) -> None:
    """An entry that is there twice in the same way counts once; one that is there in two ways is a hole."""
    names = listed.files.names + [entry[0] for entries in (listed.directories, listed.holes) for entry in entries]
    repeated = len(names) - len(set(names))
    if not repeated:
        return
    entries: list[Entry] = [*listed.files, *listed.directories, *listed.holes]
    variants = Counter(entry.name for _, entry in {(type(entry), entry) for entry in entries})
    torn = {name for name, count in variants.items() if count > 1}
    listed.files = Files.of(_once(listed.files, torn))
    listed.directories, listed.holes = _once(listed.directories, torn), _once(listed.holes, torn)
    listed.holes += [Hole(name, "the server names it more than once, and differently") for name in sorted(torn)]
    listed.notes.append(f"{repeated} entries of a directory stood in it more than once")


def _once(entries: Iterable[AnyEntry], torn: set[bytes]) -> list[AnyEntry]:
    return [entry for entry in dict.fromkeys(entries) if entry.name not in torn]
