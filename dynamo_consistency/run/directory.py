"""The run directory: the only thing that the stages of a run share.

`<store>/<site>/<run id>/` on a local path or an fsspec URL. A file is written under a temporary name and renamed when
it is whole, so that a stage that died leaves nothing that looks whole and can simply be run again.
"""

import contextlib
import errno
import json
import os
import shutil
import tempfile
import urllib.parse
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import fsspec

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.checkfile import dump_check, read_check
from dynamo_consistency.errors import ConfigurationError, ConsistencyError
from dynamo_consistency.secrets import redact, remember

CHECK = "check.yaml"
SUMMARY = "summary.json"
_TEMPORARY = ".tmp-"


def new_run_id(now: datetime | None = None) -> str:
    """An id for a run started by hand: the time in UTC, which sorts and which a person can read."""
    return (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")


class _Storage:
    """Files below one URL. Local files are used in place; remote ones are copied to and from a scratch folder.

    Raises ConsistencyError when the store does not answer or refuses; what is not there is no trouble.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/") or "/"
        try:
            remember(urllib.parse.urlsplit(url).password or "")
            # other processes write here as well: what was listed once says nothing of now
            self._fs, self.path = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise ConfigurationError(f"the store {redact(url)} cannot be used: {error}") from None
        self.local = "file" in ([self._fs.protocol] if isinstance(self._fs.protocol, str) else self._fs.protocol)

    def exists(self, name: str) -> bool:
        with self._trouble():
            return bool(self._fs.exists(self.path_of(name)))

    def entries(self, folder: str, kind: Literal["file", "directory"]) -> list[str]:
        """Bare names of the files or directories in `folder`, sorted; none when it is not there."""
        try:
            with self._trouble():
                found = self._fs.ls(self.path_of(folder), detail=True)
        except FileNotFoundError:
            return []
        return sorted(entry["name"].rstrip("/").rsplit("/", 1)[-1] for entry in found if entry["type"] == kind)

    def remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError), self._trouble():
            self._fs.rm(self.path_of(name), recursive=True)

    def fetch(self, name: str, target: Path) -> None:
        with self._trouble():
            self._fs.get_file(self.path_of(name), str(target))

    def put(self, source: Path, name: str) -> None:
        try:
            with self._trouble():
                self._fs.put_file(str(source), self.path_of(name))
        except FileNotFoundError as error:
            raise ConsistencyError(f"cannot write to {redact(self.url)}: {error}") from None

    def path_of(self, name: str) -> str:
        return f"{self.path}/{name}".rstrip("/")

    @contextlib.contextmanager
    def _trouble(self) -> Iterator[None]:
        """A remote store may fail in any way that its client knows; that something is not there is no failure."""
        try:
            yield
        except FileNotFoundError:
            raise
        except Exception as error:
            if self.local:
                raise
            reason = " ".join(redact(str(error) or type(error).__name__).split())
            raise ConsistencyError(
                f"the store {redact(self.url)} cannot be used: {reason}; check its address and credentials"
            ) from None


@dataclass(frozen=True)
class Store:
    """Where the run directories of all sites are kept."""

    url: str

    def local_path(self) -> Path | None:
        """Where the store is on this machine; None for an object store."""
        storage = _Storage(self.url)
        return Path(storage.path) if storage.local else None

    def run(self, site: str, run_id: str) -> "RunDirectory":
        return RunDirectory(f"{self.url.rstrip('/')}/{site}/{run_id}")

    def create(self, check: SiteConsistencyCheck, run_id: str | None = None) -> "RunDirectory":
        """The run directory with the resolved check in it; a run that has begun keeps the check that it began with."""
        run = self.run(check.spec.site, run_id or self._free_id(check.spec.site))
        if not run.exists(CHECK):
            run.write_text(CHECK, dump_check(check))
        return run

    def _free_id(self, site: str) -> str:
        first = run_id = new_run_id()
        for attempt in range(2, 1000):
            if not self.run(site, run_id).exists(CHECK):
                return run_id
            run_id = f"{first}-{attempt}"
        raise ConsistencyError(f"the store {self.url} holds a thousand runs of {site} of this second")

    def sites(self) -> list[str]:
        """Sites that have run directories, in byte order."""
        return _Storage(self.url).entries("", "directory")

    def runs(self, site: str) -> list["RunDirectory"]:
        """All runs of a site, oldest first by their ids."""
        runs = [self.run(site, run_id) for run_id in _Storage(self.url).entries(site, "directory")]
        return [run for run in runs if run.exists(CHECK)]


class RunDirectory:
    """The files of one run. Names are relative, with `/`: `inventory/before.parquet`."""

    def __init__(self, url: str) -> None:
        self._storage = _Storage(url)

    @property
    def url(self) -> str:
        return self._storage.url

    @property
    def run_id(self) -> str:
        return self.url.rsplit("/", 1)[-1]

    @property
    def site(self) -> str:
        return self.url.rsplit("/", 2)[-2]

    @property
    def store(self) -> Store:
        """The store that the run directory is in."""
        return Store(self.url.rsplit("/", 2)[0] if self.url.count("/") > 1 else ".")

    def check(self) -> SiteConsistencyCheck:
        """The resolved check of this run. Raises ConfigurationError when this is no run directory."""
        if not self.exists(CHECK):
            raise ConfigurationError(f"{self.url} is not a run directory: it has no {CHECK}")
        with self.reading(CHECK) as path:
            return read_check(path)

    def exists(self, name: str) -> bool:
        return self._storage.exists(name)

    def names(self, folder: str) -> list[str]:
        """Names of the whole files in `folder`, relative to the run directory, sorted."""
        names = self._storage.entries(folder, "file")
        return [f"{folder}/{name}" for name in names if not name.startswith(_TEMPORARY)]

    def remove(self, *names: str) -> None:
        """Remove files and folders, whether they are there or not."""
        for name in names:
            self._storage.remove(name)

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """A local path to write `name` to; it appears in the run directory when the block ends without an error."""
        with _disk_trouble(self.url), self._scratch_for(name) as scratch:
            try:
                yield scratch
                self._publish(scratch, name)
            finally:
                scratch.unlink(missing_ok=True)

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[Path]:
        """A local path to read `name` from, valid inside the block. Raises ConsistencyError when it is not there."""
        if not self.exists(name):
            raise ConsistencyError(
                f"{redact(self.url)} has no {name}: the stage that writes it has not come to its end"
            )
        if self._storage.local:
            yield Path(self._storage.path_of(name))
            return
        with tempfile.TemporaryDirectory(prefix="dynamo-consistency-") as folder, _disk_trouble(folder):
            target = Path(folder) / Path(name).name
            self._storage.fetch(name, target)
            yield target

    def write_text(self, name: str, text: str) -> None:
        with self.writing(name) as path:
            path.write_text(text, encoding="utf-8", errors="surrogateescape")

    def write_json(self, name: str, data: Any) -> None:
        self.write_text(name, json.dumps(data, indent=2) + "\n")

    def read_json(self, name: str) -> Any:
        with self.reading(name) as path:
            return json.loads(path.read_text(encoding="utf-8"))

    @contextlib.contextmanager
    def _scratch_for(self, name: str) -> Iterator[Path]:
        if not self._storage.local:
            with tempfile.TemporaryDirectory(prefix="dynamo-consistency-") as folder:
                yield Path(folder) / Path(name).name
            return
        target = Path(self._storage.path_of(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        yield target.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}-{target.name}")

    def _publish(self, scratch: Path, name: str) -> None:
        if not self._storage.local:
            self._storage.put(scratch, name)
            return
        with scratch.open("rb") as file:
            os.fsync(file.fileno())
        scratch.replace(self._storage.path_of(name))


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NO_WRITING = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextlib.contextmanager
def _disk_trouble(where: str) -> Iterator[None]:
    """A full disk and its like end a stage with a sentence; the run directory keeps what was whole before."""
    try:
        yield
    except ConsistencyError:
        raise
    except Exception as error:
        code = error.errno if isinstance(error, OSError) else None
        # DuckDB tells of a full disk in words of its own, around those of the system
        told = [os.strerror(known) for known in _NO_ROOM if known == code or os.strerror(known) in str(error)]
        told += [os.strerror(known) for known in _NO_WRITING if known == code]
        if not told:
            raise
        free = shutil.disk_usage(where).free // 2**20 if Path(where).exists() else "unknown"
        raise ConsistencyError(
            f"cannot write to {redact(where)}: {told[0]} ({free} MiB free); "
            "make room or give another --store, then run the stage again: nothing half-written is left"
        ) from None
