"""Syncat, XML: `<dump recorded="…"><entry-set><entry name="…"><size/><ctime/></entry>…`. Read piece by piece.

Nothing in it may be defined (no DTD, hence no entities), nor nested or long beyond all reason.
"""

from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

import pyarrow as pa

from dynamo_consistency import paths
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump.cells import Cells
from dynamo_consistency.listers.dump.columns import Layout
from dynamo_consistency.listers.dump.opening import opened

_PIECE = 256 * 1024
_MOST_NESTED = 32
_LONGEST_TOKEN = 1024 * 1024
_ENCODINGS = (None, "utf-8", "us-ascii", "ascii")
_FACTS = ("size", "mtime", "ctime")


def syncat(layout: Layout) -> Iterator[Cells]:
    """The entries of a Syncat dump. Raises ListingError for what is no such dump, is cut short, or has a DTD."""
    reader = _Reader(layout.name)
    try:
        with opened(layout.url) as stream:
            while piece := bytes(stream.read(_PIECE)):
                yield reader.feed(piece)
            yield reader.feed(b"", last=True)
    finally:
        reader.close()


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.XmlDeclHandler = self._declared
        self._open: list[str] = []
        self._entry: dict[str, str] = {}
        self._entries: list[dict[str, str]] = []
        self._fed = 0

    def feed(self, piece: bytes, *, last: bool = False) -> Cells:
        """The entries that end in `piece`."""
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            raise ListingError(f"the dump {self._name} is cut short, or no XML ({error})") from None
        self._fed += len(piece)
        if self._fed - self._parser.CurrentByteIndex > _LONGEST_TOKEN:
            raise ListingError(f"the dump {self._name} has a tag or a comment that does not end")
        entries, self._entries = self._entries, []
        times = [entry.get("mtime") or entry.get("ctime") or "" for entry in entries]
        columns = {
            "path": [paths.to_bytes(entry["name"]) for entry in entries],
            "size": [entry.get("size", "").strip().encode() for entry in entries],
            "mtime": [time.strip().encode() for time in times],
        }
        return Cells({meaning: pa.array(cells, pa.large_binary()) for meaning, cells in columns.items()}, [])

    def close(self) -> None:
        """Break the reference cycle with the parser."""
        self._parser.StartElementHandler = self._parser.EndElementHandler = None
        self._parser.CharacterDataHandler = self._parser.StartDoctypeDeclHandler = None
        self._parser.XmlDeclHandler = None

    def _refuse(self, *_: object) -> None:
        raise ListingError(f"the dump {self._name} has a DTD, with which XML can be blown up; it is not read")

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if (encoding.lower() if encoding else None) not in _ENCODINGS:
            raise ListingError(
                f"the dump {self._name} is in {encoding}, so that names may be misread; write it in UTF-8"
            )

    def _start(self, tag: str, attributes: dict[str, Any]) -> None:
        name = tag.rpartition(" ")[2]
        if not self._open and name != "dump":
            raise ListingError(f"the dump {self._name} is no Syncat dump: it begins with the element {name}")
        if len(self._open) >= _MOST_NESTED:
            raise ListingError(f"the dump {self._name} is nested too deeply to be a list of files")
        if name == "entry":
            if "entry" in self._open or not attributes.get("name"):
                raise ListingError(f"the dump {self._name} has an entry in an entry, or one without a name")
            self._entry = {"name": attributes["name"]}
        elif name in _FACTS and name in self._entry:
            raise ListingError(f"the dump {self._name} gives the {name} of {self._entry['name']!r} twice")
        self._open.append(name)

    def _end(self, _: str) -> None:
        if self._open.pop() == "entry":
            self._entries.append(self._entry)
            self._entry = {}

    def _text(self, text: str) -> None:
        fact = self._open[-1]
        if fact in _FACTS and self._open[-2:-1] == ["entry"]:
            self._entry[fact] = self._entry.get(fact, "") + text
            if len(self._entry[fact]) > _MOST_NESTED * 4:
                raise ListingError(f"the dump {self._name} has a {fact} that is no number")
