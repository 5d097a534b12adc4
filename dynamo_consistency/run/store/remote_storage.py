"""Run directories in an object store behind an fsspec URL. Files are copied to and from a temporary folder."""

import contextlib
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from dynamo_consistency import paths
from dynamo_consistency.errors import ConfigurationError, ConsistencyError
from dynamo_consistency.extras import install_for
from dynamo_consistency.run.store.disk_errors import disk_errors_explained
from dynamo_consistency.run.store.leftovers import scratch_folder
from dynamo_consistency.run.store.storage import EntryKind
from dynamo_consistency.secrets import redact, remember

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


class RemoteStorage:
    """An object store. Files are copied to and from a temporary folder; an object appears complete by itself."""

    def __init__(self, url: str) -> None:
        import fsspec  # only here: it costs a listing of a local site a sixth of its memory

        self._url = redact(url)
        try:
            remember(urllib.parse.urlsplit(url).password or "")
            # other processes write here as well: what was listed once says nothing of now
            self._fs, self._path = fsspec.core.url_to_fs(url.rstrip("/"), use_listings_cache=False)
        except ImportError:
            raise ConfigurationError(f"the store {redact(url)} needs a library: {install_for(url)}") from None
        except ValueError as error:
            raise ConfigurationError(f"the store {redact(url)} cannot be used: {error}") from None

    def exists(self, name: str) -> bool:
        try:
            with self._errors_explained():
                self._fs.info(self._path_of(name))  # what fsspec calls `exists` takes every error for "no"
        except FileNotFoundError:
            return False
        return True

    def modified(self, name: str) -> float:
        with self._errors_explained():
            return float(self._fs.modified(self._path_of(name)).timestamp())

    def stamp(self, name: str) -> str | None:
        try:
            with self._errors_explained():
                facts = self._fs.info(self._path_of(name))
        except FileNotFoundError:
            return None
        return "-".join(str(facts.get(key)) for key in ("ETag", "LastModified", "mtime", "created", "size"))

    def contents(self, name: str) -> bytes | None:
        try:
            with self._errors_explained():
                return bytes(self._fs.cat_file(self._path_of(name)))
        except FileNotFoundError:
            return None

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
                    self._fs.pipe_file(self._path_of(name), paths.to_bytes(data), mode="create")
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
