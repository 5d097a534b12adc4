"""Reading a file that must be read whole and unchanged: every list on which something rests is opened here.

A list that was cut protects too little, or makes files look like orphans; one that was replaced while it was read in
parts is a mixture of two. So a file is believed only if it is the same at the end of the reading as at its beginning
(size, time, ETag and whatever else its storage tells), and if as many bytes came as were announced.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import fsspec

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump.http_answers import HttpAnswers

_VERSION = (
    *("ETag", "etag", "Content-MD5", "Digest", "VersionId", "version_id"),
    *("size", "mtime", "ino", "Last-Modified", "LastModified", "last_modified"),
)
"""What the drivers of fsspec call that which differs between two versions of a file."""


class WholeFile:
    """A binary file that counts what is read from its beginning. `read(n)` as of any file; b"" at the end.

    `announced`: whether its length was said beforehand; else a break at the end of a line cannot be seen.
    """

    def __init__(self, file: Any, *, announced: bool) -> None:
        self._file = file
        self.announced = announced
        self.count = 0
        self.at_end = False
        self._ahead = b""

    def peek(self, size: int) -> bytes:
        """The first bytes that `read` will give, at most `size`."""
        while len(self._ahead) < size and (more := bytes(self._file.read(size - len(self._ahead)))):
            self._ahead += more
        return self._ahead[:size]

    def read(self, size: int = -1) -> bytes:
        ahead, self._ahead = self._ahead, b""
        if size >= 0 and len(ahead) > size:
            ahead, self._ahead = ahead[:size], ahead[size:]
        data = ahead or bytes(self._file.read(size))
        if ahead and size < 0:
            data += bytes(self._file.read())
        self.count += len(data)
        self.at_end = self.at_end or size < 0 or (not data and size > 0)
        return data

    @property
    def closed(self) -> bool:
        return False

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        """The file is closed by whoever opened it."""


class Unchanged(NamedTuple):
    """A file that is to stay as it is: how it is opened, and what its storage says, by the names in `_VERSION`."""

    filesystem: fsspec.AbstractFileSystem
    path: str
    version: Mapping[str, Any]


@contextlib.contextmanager
def whole_file(url: str, name: str) -> Iterator[WholeFile]:
    """The bytes of the file at `url`, a path or an fsspec URL, called `name` in messages; to be read to its end.

    Raises ListingError at the end of the block when the file has changed since its beginning, or when fewer bytes (or
    more) came than it has; whatever its driver raises while it is opened and read.
    """
    with unchanged(url, name) as found:
        size = found.version.get("size")
        with found.filesystem.open(found.path, "rb") as opened:
            file = WholeFile(opened, announced=size is not None)
            yield file
    if file.at_end and size is not None and file.count != size:
        raise ListingError(f"of {name} came {file.count} bytes, and it has {size}: it was cut short; run it again")


@contextlib.contextmanager
def unchanged(url: str, name: str) -> Iterator[Unchanged]:
    """The file at `url`, of which its storage must say the same at the end of the block.

    For formats that are read in any order. Raises ListingError for a file that has changed meanwhile.
    """
    filesystem, path = _opened_anew(url, name)
    before = _version(filesystem, path)
    yield Unchanged(filesystem, path, before)
    after = _version(filesystem, path)
    changed = [key for key in _VERSION if before.get(key) != after.get(key)]
    if changed:
        raise ListingError(
            f"{name} has changed while it was read ({', '.join(changed)}): what came may be a mixture of two versions; "
            "run it again, and have its writer put a new version in place under its name at once"
        )


def version_of(url: str, name: str) -> dict[str, Any]:
    """What the storage says of the file as it is now, by the names in `_VERSION`."""
    return _version(*_opened_anew(url, name))


def _opened_anew(url: str, name: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """A driver that remembers nothing of the file, and its path there."""
    web: dict[str, Any] = {
        "skip_instance_cache": True,
        "client_kwargs": {"middlewares": (HttpAnswers(name),)},
        "headers": {"Accept-Encoding": "identity"},  # a part of a packed answer is a part of something else
    }
    protocols = {part.partition("://")[0] for part in url.split("::")}
    options = dict.fromkeys(protocols & {"http", "https"}, web)
    filesystem, path = fsspec.core.url_to_fs(url, use_listings_cache=False, **options)
    return filesystem, path


def _version(filesystem: fsspec.AbstractFileSystem, path: str) -> dict[str, Any]:
    filesystem.invalidate_cache()
    info = filesystem.info(path)
    return {key: info.get(key) for key in _VERSION}
