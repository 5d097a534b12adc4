"""Where run directories are kept: a folder, or an object store behind an fsspec URL.

Both write a file under a temporary name first, so that one that appears is complete.
"""

import contextlib
import errno
import os
import shutil
import tempfile
import urllib.parse
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Protocol

from dynamo_consistency.errors import ConfigurationError, ConsistencyError
from dynamo_consistency.secrets import redact, remember

_TEMPORARY = ".tmp-"
EntryKind = Literal["file", "directory"]


class Storage(Protocol):
    """Files below one URL; names are relative, with `/`. What is not there is no error, all else ConsistencyError."""

    def exists(self, name: str) -> bool: ...

    def entries(self, folder: str, kind: EntryKind) -> list[str]:
        """Bare names of the complete files, or of the directories, in `folder`, sorted; none when it is not there."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file or a folder with all that is in it."""
        ...

    def create(self, name: str, data: bytes | str) -> bool:
        """Write `name`, whole, if it is not there; False, and nothing is changed, when it is.

        Of several that try at the same time, on whatever machines, one is told True. Where an object store does not
        answer and is asked again, that one may be told False all the same: who must know puts something into `data`
        that nobody else writes, and reads it back.
        """
        ...

    def writing(self, name: str) -> contextlib.AbstractContextManager[Path]:
        """A local path to write `name` to; it appears when the block ends without an error."""
        ...

    def reading(self, name: str) -> contextlib.AbstractContextManager[Path]:
        """A local path to read `name`, which exists, from; valid inside the block."""
        ...


def open_storage(url: str) -> Storage:
    """The storage at `url`. Raises ConfigurationError for a URL that nothing here can use."""
    folder = local_folder(url)
    return RemoteStorage(url) if folder is None else LocalStorage(folder)


def local_folder(url: str) -> Path | None:
    """The folder that `url` is on this machine; None for an object store."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return Path(url)
    return Path(rest) if scheme in ("file", "local") else None


class LocalStorage:
    """A folder of a file system. Files are used in place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def exists(self, name: str) -> bool:
        return (self._folder / name).exists()

    def entries(self, folder: str, kind: EntryKind) -> list[str]:
        try:
            found = list((self._folder / folder).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        wanted = [path for path in found if (path.is_dir() if kind == "directory" else path.is_file())]
        return sorted(path.name for path in wanted if not path.name.startswith(_TEMPORARY))

    def remove(self, name: str) -> None:
        path = self._folder / name
        with contextlib.suppress(FileNotFoundError):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def create(self, name: str, data: bytes | str) -> bool:
        target = self._folder / name
        temporary = target.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}-{target.name}")
        with disk_errors_explained(self._folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("wb") as file:
                    file.write(_encoded(data))
                    file.flush()
                    os.fsync(file.fileno())
                os.link(temporary, target)
            except FileExistsError:
                return False
            finally:
                temporary.unlink(missing_ok=True)
        return True

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        target = self._folder / name
        temporary = target.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}-{target.name}")
        with disk_errors_explained(self._folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                yield temporary
                with temporary.open("rb") as file:
                    os.fsync(file.fileno())
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[Path]:
        yield self._folder / name


def _encoded(data: bytes | str) -> bytes:
    return data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape")


class RemoteStorage:
    """An object store. Files are copied to and from a temporary folder; an object appears complete by itself."""

    def __init__(self, url: str) -> None:
        import fsspec  # only here: it costs a listing of a local site a sixth of its memory

        self._url = redact(url)
        try:
            remember(urllib.parse.urlsplit(url).password or "")
            # other processes write here as well: what was listed once says nothing of now
            self._fs, self._path = fsspec.core.url_to_fs(url.rstrip("/"), use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise ConfigurationError(f"the store {redact(url)} cannot be used: {error}") from None

    def exists(self, name: str) -> bool:
        with self._errors_explained():
            return bool(self._fs.exists(self._path_of(name)))

    def entries(self, folder: str, kind: EntryKind) -> list[str]:
        try:
            with self._errors_explained():
                found = self._fs.ls(self._path_of(folder), detail=True)
        except FileNotFoundError:
            return []
        return sorted(entry["name"].rstrip("/").rsplit("/", 1)[-1] for entry in found if entry["type"] == kind)

    def remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError), self._errors_explained():
            self._fs.rm(self._path_of(name), recursive=True)

    def create(self, name: str, data: bytes | str) -> bool:
        try:
            with self._errors_explained():
                self._fs.pipe_file(self._path_of(name), _encoded(data), mode="create")
        except ConsistencyError:
            if self.exists(name):
                return False
            raise
        return True

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        with self._temporary(name) as temporary:
            yield temporary
            try:
                with self._errors_explained():
                    self._fs.put_file(str(temporary), self._path_of(name))
            except FileNotFoundError as error:
                raise ConsistencyError(f"cannot write to {self._url}: {error}") from None

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[Path]:
        with self._temporary(name) as temporary:
            with self._errors_explained():
                self._fs.get_file(self._path_of(name), str(temporary))
            yield temporary

    def _path_of(self, name: str) -> str:
        return f"{self._path}/{name}".rstrip("/")

    @contextlib.contextmanager
    def _temporary(self, name: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="dynamo-consistency-") as folder, disk_errors_explained(Path(folder)):
            yield Path(folder) / Path(name).name

    @contextlib.contextmanager
    def _errors_explained(self) -> Iterator[None]:
        """A remote store may fail in any way that its client knows; that something is not there is no failure."""
        try:
            yield
        except FileNotFoundError:
            raise
        except Exception as error:  # noqa: BLE001 (every client has errors of its own)
            reason = " ".join(redact(str(error) or type(error).__name__).split())
            raise ConsistencyError(
                f"the store {self._url} cannot be used: {reason}; check its address and credentials"
            ) from None


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NO_WRITING = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextlib.contextmanager
def disk_errors_explained(folder: Path) -> Iterator[None]:
    """A full disk and its like end a stage with a sentence; the run directory keeps what was complete before."""
    try:
        yield
    except ConsistencyError:
        raise
    except Exception as error:
        code = error.errno if isinstance(error, OSError) else None
        # DuckDB reports a full disk in words of its own, around those of the system
        reasons = [os.strerror(known) for known in _NO_ROOM if known == code or os.strerror(known) in str(error)]
        reasons += [os.strerror(known) for known in _NO_WRITING if known == code]
        if not reasons:
            raise
        free = shutil.disk_usage(folder).free // 2**20 if folder.exists() else "unknown"
        raise ConsistencyError(
            f"cannot write to {folder}: {reasons[0]} ({free} MiB free); "
            "make room or give another --store, then run the stage again: nothing half-written is left"
        ) from None
