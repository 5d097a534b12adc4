"""Opening a dump, local or remote, plain or packed."""

import contextlib
from collections.abc import Iterator
from typing import Any

from dynamo_consistency import secrets
from dynamo_consistency.errors import ConfigurationError, ConsistencyError, ListingError
from dynamo_consistency.extras import install_for
from dynamo_consistency.listers.dump.packing import is_zip, only_member, unpacked
from dynamo_consistency.listers.dump.whole_file import unchanged, whole_file

_SHORTEST_SECRET = 8  # a query such as v=1 would be masked wherever it turns up


def shown(url: str) -> str:
    """`url` for people: without credentials, and without the query, which may hold a signature."""
    return secrets.redact(without_query(url))


def without_query(url: str) -> str:
    """`url` up to its query."""
    return _parts(url)[0]


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
    except ImportError:
        raise ConfigurationError(f"the dump {shown(url)} needs a library: {install_for(url)}") from None
    except FileNotFoundError as error:  # fsspec's HTTP driver calls also a server so that does not answer
        if isinstance(error.__cause__, ConsistencyError):
            raise error.__cause__ from None
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
    name = f"the dump {shown(url)}"
    with as_listing_error(url), unchanged(url, name) as found, found.filesystem.open(found.path, "rb") as file:
        yield file


@contextlib.contextmanager
def opened(url: str) -> Iterator[Any]:
    """The uncompressed bytes of the dump: an object with `read(n)`, which raises at a truncated or corrupt end.

    Packed as its first bytes say, in gz, bz2, zst, xz, zip or tar. Raises ListingError when the dump has changed while
    it was read, when less came than it has, and for an archive of anything but one file.
    """
    with as_listing_error(url), whole_file(url, f"the dump {shown(url)}") as file:
        if is_zip(file.peek(4)):
            with random_access(url) as archive, only_member(archive, shown(url)) as member:
                yield member
        else:
            yield unpacked(file, shown(url))
