"""Where run directories are kept: a folder, or an object store behind an fsspec URL.

Both write a file under a temporary name first, so that one that appears is complete.
"""

import contextlib
import errno
import os
import shutil
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Protocol

from dynamo_consistency.errors import ConfigurationError, ConsistencyError, DamagedError
from dynamo_consistency.run.store.leftovers import TEMPORARY, remove_left_over_files, scratch_folder, temporary_name
from dynamo_consistency.secrets import redact, remember

EntryKind = Literal["file", "directory"]


class Storage(Protocol):
    """Files below one URL; names are relative, with `/`. What is not there is no error, all else ConsistencyError."""

    def exists(self, name: str) -> bool: ...

    def modified(self, name: str) -> float:
        """When `name`, which exists, was written, in seconds since 1970, by the storage's own clock."""
        ...

    def entries(self, folder: str, kind: EntryKind) -> list[str]:
        """Bare names of the complete files, or of the directories, in `folder`, sorted; none when it is not there."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file or a folder with all that is in it."""
        ...

    def remove_leftovers(self, folder: str) -> None:
        """Remove what killed processes have left half-written in and below `folder`."""
        ...

    def writing(self, name: str) -> contextlib.AbstractContextManager[Path]:
        """A local path to write `name` to; it appears when the block ends without an error."""
        ...

    def create(self, name: str, data: bytes | str) -> bool:
        """Write `name`, whole, if it is not there; False, and nothing is changed, when it is.

        Of several that try at the same time, on whatever machines, one is told True. Where an object store does not
        answer and is asked again, that one may be told False all the same: who must know puts something into `data`
        that nobody else writes, and reads it back.
        """
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
        with self._reading_explained():
            return (self._folder / name).exists()

    def modified(self, name: str) -> float:
        with self._reading_explained():
            return (self._folder / name).stat().st_mtime

    def entries(self, folder: str, kind: EntryKind) -> list[str]:
        with self._reading_explained():
            if self._folder.is_file():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            try:
                found = list((self._folder / folder).iterdir())
            except (FileNotFoundError, NotADirectoryError):
                return []
            wanted = [path for path in found if (path.is_dir() if kind == "directory" else path.is_file())]
        return sorted(path.name for path in wanted if not path.name.startswith(TEMPORARY))

    @contextlib.contextmanager
    def _reading_explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DamagedError(
                f"the store {self._folder} cannot be read: {error.strerror}; look at its path and its permissions"
            ) from None

    def remove(self, name: str) -> None:
        path = self._folder / name
        with contextlib.suppress(FileNotFoundError):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def remove_leftovers(self, folder: str) -> None:
        remove_left_over_files(self._folder / folder)

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        target = self._folder / name
        temporary = target.with_name(temporary_name(target.name))
        with disk_errors_explained(self._folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                yield temporary
                with temporary.open("rb") as file:
                    os.fsync(file.fileno())
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)

    def create(self, name: str, data: bytes | str) -> bool:
        target = self._folder / name
        temporary = target.with_name(temporary_name(target.name))
        with disk_errors_explained(self._folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("xb") as file:
                    file.write(_encoded(data))
                    file.flush()
                    os.fsync(file.fileno())
                return _linked(temporary, target)
            finally:
                temporary.unlink(missing_ok=True)

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[Path]:
        yield self._folder / name


def _linked(temporary: Path, target: Path) -> bool:
    """Give `temporary` the name `target` as well, unless that is taken."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        # over NFS a link that was made may be answered so, when the first answer was lost
        return temporary.stat().st_nlink > 1
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        try:
            with target.open("xb") as file:
                file.write(temporary.read_bytes())
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            return False
    return True


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

    def modified(self, name: str) -> float:
        with self._errors_explained():
            return float(self._fs.modified(self._path_of(name)).timestamp())

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

    def remove_leftovers(self, folder: str) -> None:
        """An object is there whole or not at all."""

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        with self._temporary(name) as temporary:
            yield temporary
            try:
                with self._errors_explained():
                    self._fs.put_file(str(temporary), self._path_of(name))
            except FileNotFoundError as error:
                raise ConsistencyError(f"cannot write to {self._url}: {error}") from None

    def create(self, name: str, data: bytes | str) -> bool:
        if self.exists(name):  # a store that knows no conditions would overwrite it
            return False
        for _ in range(_CONFLICTS):
            try:
                with self._errors_explained():
                    self._fs.pipe_file(self._path_of(name), _encoded(data), mode="create")
            except FileNotFoundError as error:
                raise ConsistencyError(f"cannot write to {self._url}: {error}") from None
            except _TakenError:
                return False
            except _ConflictError:
                continue
            return True
        raise ConsistencyError(f"the store {self._url} is too busy: {name} is being written by others all the time")

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
        with scratch_folder() as folder, disk_errors_explained(folder):
            yield folder / Path(name).name

    @contextlib.contextmanager
    def _errors_explained(self) -> Iterator[None]:
        """A remote store may fail in any way that its client knows; that something is not there is no failure."""
        try:
            yield
        except FileNotFoundError:
            raise
        except Exception as error:  # noqa: BLE001 (every client has errors of its own)
            if refusal := _refusal(error):
                raise refusal from None
            reason = " ".join(redact(str(error) or type(error).__name__).split())
            raise ConsistencyError(
                f"the store {self._url} cannot be used: {reason}; check its address and credentials"
            ) from None


_CONFLICTS = 10
_TAKEN, _CONFLICT = 412, 409


class _TakenError(Exception):
    """What was to be created is there."""


class _ConflictError(Exception):
    """Another is creating it; whether that succeeds is not known yet."""


def _refusal(error: Exception) -> Exception | None:
    """What it means that a store does not create an object, where that is no failure of the store."""
    answer = getattr(error.__cause__, "response", None) or {}
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode") or getattr(error, "code", None)
    if isinstance(error, FileExistsError) or status == _TAKEN:
        return _TakenError()
    return _ConflictError() if status == _CONFLICT else None


_NO_LINKS = (errno.EPERM, errno.EMLINK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EXDEV)
"""What file systems without hard links answer."""
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
