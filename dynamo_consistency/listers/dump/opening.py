"""Opening a dump, local or remote, plain or compressed; and finding out when it was taken."""

import contextlib
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import fsspec
import pyarrow as pa

from dynamo_consistency import secrets
from dynamo_consistency.errors import ConsistencyError, ListingError
from dynamo_consistency.listers.dump.whole_file import unchanged, whole_file

# The first bytes show how a file is compressed: names lie. The second zstd magic is the skippable frame of pzstd.
_CODECS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd", b"\x50\x2a\x4d\x18": "zstd"}

_DATE_IN_NAME = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?:[-_T](\d{2})(\d{2}))?(?!\d)")
_CLOCK_ERROR = 86400
_SHORTEST_SECRET = 8  # a query such as v=1 would be masked wherever it turns up


def shown(url: str) -> str:
    """`url` for people: without credentials, and without the query, which may hold a signature."""
    return secrets.redact(_parts(url)[0])


def _parts(url: str) -> tuple[str, str]:
    """What is before the query of a URL, and the query; a local name may have a question mark in it."""
    before, _, query = url.partition("?") if "://" in url else (url, "", "")
    return before, query


@contextlib.contextmanager
def as_listing_error(url: str) -> Iterator[None]:
    """Every error about the dump at `url` in this context becomes a ListingError with one sentence."""
    query = _parts(url)[1]
    if len(query) >= _SHORTEST_SECRET:
        secrets.remember(query)  # a driver's own error, which a debug log shows, has the complete URL
    try:
        yield
    except ConsistencyError:
        raise
    except FileNotFoundError as error:  # fsspec's HTTP driver calls also a server so that does not answer
        cause = f" ({_sentence(url, error.__cause__)})" if error.__cause__ else ""
        raise ListingError(
            f"there is no dump {shown(url)}{cause}; look at its url, and whether it is published"
        ) from error
    except Exception as error:  # each fsspec driver raises what its own library raises
        raise ListingError(f"the dump {shown(url)} cannot be read wholly: {_sentence(url, error)}") from error


def _sentence(url: str, error: BaseException) -> str:
    """The first line of an error that is not ours, without credentials."""
    first = (str(error).strip().splitlines() or [""])[0] or type(error).__name__
    return secrets.redact(first.replace(url, shown(url)))


@contextlib.contextmanager
def random_access(url: str) -> Iterator[Any]:
    """The bytes of the dump for a reader that seeks in them. Raises ListingError as `opened` does."""
    with as_listing_error(url), unchanged(url, f"the dump {shown(url)}"), fsspec.open(url, "rb") as file:
        yield file


@contextlib.contextmanager
def opened(url: str) -> Iterator[Any]:
    """The uncompressed bytes of the dump: an object with `read(n)`, which raises at a truncated or corrupt end.

    Raises ListingError when the dump has changed while it was read, or when less came than it has.
    """
    with as_listing_error(url), whole_file(url, f"the dump {shown(url)}") as file:
        magic = file.peek(4)
        codec = next((codec for start, codec in _CODECS.items() if magic.startswith(start)), None)
        stream = pa.PythonFile(file, mode="r")
        yield pa.CompressedInputStream(stream, codec) if codec else stream


def date_of(url: str, date: str | None = None) -> float:
    """When the dump was taken, in seconds since 1970: `date`, else a date in its name, else its modification time.

    A date without an offset is UTC, and a date without a time means the day's beginning: the earlier a dump is believed
    to be, the more it leaves alone. Raises ListingError where nothing shows it, and for a date in the future, by which
    every file would look old.
    """
    when = _written(date) if date else _in_name(url) or _modified(url)
    if when > time.time() + _CLOCK_ERROR:
        day = datetime.fromtimestamp(when, UTC).date()
        raise ListingError(f"the dump {shown(url)} is dated {day}, which is in the future; set its date")
    return when


def _written(date: str) -> float:
    when = datetime.fromisoformat(date)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _in_name(url: str) -> float | None:
    """The earliest date in the file's name."""
    name = _parts(url)[0].rstrip("/").rsplit("/", 1)[-1]
    times_found = []
    for match in _DATE_IN_NAME.finditer(name):
        with contextlib.suppress(ValueError):
            year, month, day, hour, minute = (int(part or 0) for part in match.groups())
            if year >= 1990:
                times_found.append(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp())
    return min(times_found, default=None)


def _modified(url: str) -> float:
    with as_listing_error(url):
        filesystem, path = fsspec.core.url_to_fs(url)
        with contextlib.suppress(NotImplementedError, KeyError):
            return float(filesystem.modified(path).timestamp())
        raise ListingError(
            f"nothing tells when the dump {shown(url)} was taken; set its date, or put YYYYMMDD into its name"
        )
