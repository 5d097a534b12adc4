"""Lists of files that people write, or that `export` wrote: one file a line, columns separated by tabs.

    name  size  [dataset  [block  [group  [complete  [time]]]]]

Lines that start with `#` are comments, and the last line has a line end. A list may be packed (gz, bz2, zst). An empty
or absent column has its default: size unknown, the dataset that a CMS name says, block `imported` (or `imported-2`, …,
so that a site has all files of such a block or none), group `imported`, complete 1, time unknown (long ago). Group
`Unsubscribed` is no group; complete 0 means that the file is not at the site yet; time is in seconds since 1970. In a
name `\\t`, `\\n`, `\\r` and `\\\\` mean tab, line feed, carriage return and backslash.
"""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from dynamo_consistency import paths
from dynamo_consistency.backend.blocks import UNSUBSCRIBED
from dynamo_consistency.backend.dataset_filter import dataset_of
from dynamo_consistency.backend.dynamo.database.names import storable
from dynamo_consistency.backend.dynamo.database.schema import NAME_LIMIT
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.listers.dump.lines import line_batches
from dynamo_consistency.listers.dump.opening import as_listing_error, opened

DATASET_LIMIT = 512
BLOCK_LIMIT = 128

HEADER = b"# name\tsize\tdataset\tblock\tgroup\tcomplete\ttime\n"
DEFAULT = "imported"

_OTHER_SEPARATOR = re.compile(rb"([ ,;|]+)[0-9]+\s*$")
"""What stands before a size at the end of a line of some other format; no name of data ends so."""

_ESCAPES = {b"\\": b"\\\\", b"\t": b"\\t", b"\n": b"\\n", b"\r": b"\\r"}
_UNESCAPES = {escaped: plain for plain, escaped in _ESCAPES.items()}


class FileRecord(NamedTuple):
    """One line. `dataset` and `block` are None where the line leaves them open; `group` is None for no group."""

    name: bytes
    size: int
    dataset: bytes | None
    block: bytes | None
    group: str | None
    complete: bool
    time: int


class ListLine(NamedTuple):
    """A file and where it is written (`list:line`), for messages."""

    where: str
    file: FileRecord


def default_dataset(name: bytes) -> bytes:
    """The dataset of a file whose line names none; empty when its name says nothing either."""
    return paths.to_bytes(dataset_of(paths.to_text(name)) or "")


def create_list(path: str | Path) -> BinaryIO:
    """A list to be written, packed where its name says so. Raises OSError."""
    if str(path).endswith(".gz"):
        return cast(BinaryIO, gzip.open(path, "wb", compresslevel=6))
    return cast(BinaryIO, Path(path).open("wb"))


def read_list(path: str | Path) -> Iterator[ListLine]:
    """The files of a list.

    Raises ConfigurationError with file and line for the first line that is wrong, ListingError for a list that is not
    there, was cut short (its last line has no line end), is corrupt, or has changed while it was read.
    """
    with as_listing_error(str(path)), opened(str(path)) as stream:
        lines = (line for batch in line_batches(stream, str(path)) for line in batch.to_pylist())
        for number, line in enumerate(lines, start=1):
            if line and not line.startswith(b"#"):
                where = f"{path}:{number}"
                yield ListLine(where, _parsed(line, where))


def _parsed(line: bytes, where: str) -> FileRecord:
    try:
        return _parse(line)
    except ValueError as error:
        raise ConfigurationError(f"{where}: {error}") from None


def _parse(line: bytes) -> FileRecord:
    """Raises ValueError with what is wrong."""
    fields = line.split(b"\t")
    if len(fields) == 1 and (found := _OTHER_SEPARATOR.search(line)):
        raise ValueError(
            f"has no tab between name and size, but {paths.to_text(found[1])!r}; behind a name that ends so, put a tab"
        )
    if len(fields) > 7:
        raise ValueError(
            f"has {len(fields)} columns; at most name, size, dataset, block, group, complete, time are known"
        )
    name, size, dataset, block, group, complete, time = fields + [b""] * (7 - len(fields))
    group_name = _group(_unescape(group))
    return FileRecord(
        name=_name(name),
        size=_number(size, "size", -1),
        dataset=_limited(_unescape(dataset), "dataset", DATASET_LIMIT) or None,
        block=_limited(_unescape(block), "block", BLOCK_LIMIT) or None,
        group=None if group_name == UNSUBSCRIBED else group_name,
        complete=_flag(complete),
        time=_number(time, "time", 0),
    )


def _name(field: bytes) -> bytes:
    name = _unescape(field)
    if not name.startswith(b"/"):
        raise ValueError(f"the name must be an absolute path such as /store/mc/file; it is {paths.to_text(name)!r}")
    if not storable(name):
        raise ValueError(f"the name has {len(name)} bytes; the inventory holds names of at most {NAME_LIMIT}")
    return name


def _group(value: bytes) -> str:
    if not value.isascii() or len(value) > 64:
        raise ValueError(f"the group must be at most 64 ASCII characters; it is {paths.to_text(value)!r}")
    return value.decode("ascii") or DEFAULT


def _limited(value: bytes, column: str, limit: int) -> bytes:
    if len(value) > limit:
        raise ValueError(f"the {column} has {len(value)} bytes; the inventory holds at most {limit}")
    return value


def _number(field: bytes, column: str, default: int) -> int:
    if not field:
        return default
    if not re.fullmatch(rb"[0-9]{1,18}", field):
        raise ValueError(f"the {column} must be a whole number without a unit; it is {paths.to_text(field)!r}")
    return int(field)


def _flag(field: bytes) -> bool:
    if field not in (b"", b"0", b"1"):
        raise ValueError(f"complete must be 1 or 0; it is {paths.to_text(field)!r}")
    return field != b"0"


def format_line(file: FileRecord) -> bytes:
    """The line of a list, with its line end, that `read_list` reads as `file`."""
    return (
        b"\t".join(
            [
                _escape(file.name),
                str(file.size).encode() if file.size >= 0 else b"",
                _escape(file.dataset or b""),
                _escape(file.block or b""),
                _escape(paths.to_bytes(file.group or UNSUBSCRIBED)),
                b"1" if file.complete else b"0",
                str(file.time).encode() if file.time else b"",
            ]
        )
        + b"\n"
    )


def _escape(value: bytes) -> bytes:
    return re.sub(rb"[\\\t\n\r]", lambda match: _ESCAPES[match[0]], value)


def _unescape(value: bytes) -> bytes:
    return re.sub(rb"\\[\\tnr]", lambda match: _UNESCAPES[match[0]], value) if b"\\" in value else value
