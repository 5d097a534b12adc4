"""The run directory: the only thing that the stages of a run share.

`<store>/<site>/<run id>/` on a local path or an fsspec URL. A file is written under a temporary name and renamed when
it is complete, so that a stage that died leaves nothing that looks so and can simply be run again.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.checkfile import dump_check, read_check
from dynamo_consistency.errors import ConfigurationError, ConsistencyError
from dynamo_consistency.run.store.storage import local_folder, open_storage
from dynamo_consistency.secrets import redact

CHECK = "check.yaml"
SUMMARY = "summary.json"


def shard_name(shard: int) -> str:
    """What a shard's files are called, without `.json` and `.parquet`."""
    return f"listing/shard-{shard:04}"


def new_run_id(now: datetime | None = None) -> str:
    """An id for a run started by hand: the time in UTC, which sorts and which a person can read."""
    return (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")


@dataclass(frozen=True)
class RunStore:
    """Where the run directories of all sites are kept."""

    url: str

    def local_path(self) -> Path | None:
        """Where the store is on this machine; None for an object store."""
        return local_folder(self.url)

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
        return open_storage(self.url).entries("", "directory")

    def runs(self, site: str) -> list["RunDirectory"]:
        """All runs of a site, oldest first by their ids."""
        runs = [self.run(site, run_id) for run_id in open_storage(self.url).entries(site, "directory")]
        return [run for run in runs if run.exists(CHECK)]


class RunDirectory:
    """The files of one run. Names are relative, with `/`: `inventory/before.parquet`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/") or "/"
        self._storage = open_storage(self.url)
        self._check: SiteConsistencyCheck | None = None

    @property
    def run_id(self) -> str:
        return self.url.rsplit("/", 1)[-1]

    @property
    def site(self) -> str:
        return self.url.rsplit("/", 2)[-2]

    @property
    def store(self) -> RunStore:
        """The store that the run directory is in."""
        return RunStore(self.url.rsplit("/", 2)[0] if self.url.count("/") > 1 else ".")

    def check(self) -> SiteConsistencyCheck:
        """The resolved check of this run, read once: a run never sees a later edit.

        Raises ConfigurationError when this is no run directory.
        """
        if self._check is None:
            if not self.exists(CHECK):
                raise ConfigurationError(f"{self.url} is not a run directory: it has no {CHECK}")
            with self.reading(CHECK) as path:
                self._check = read_check(path)
        return self._check

    def create(self, name: str, data: bytes | str) -> bool:
        """Write `name` if it is not there; False when it is. Of several at the same time one is told True."""
        return self._storage.create(name, data)

    def exists(self, name: str) -> bool:
        return self._storage.exists(name)

    def names(self, folder: str) -> list[str]:
        """Names of the complete files in `folder`, relative to the run directory, sorted."""
        return [f"{folder}/{name}" for name in self._storage.entries(folder, "file")]

    def remove(self, *names: str) -> None:
        """Remove files and folders, whether they are there or not."""
        for name in names:
            self._storage.remove(name)

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """A local path to write `name` to; it appears in the run directory when the block ends without an error."""
        with self._storage.writing(name) as path:
            yield path

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[Path]:
        """A local path to read `name` from, valid inside the block. Raises ConsistencyError when it is not there."""
        if not self.exists(name):
            raise ConsistencyError(
                f"{redact(self.url)} has no {name}: the stage that writes it has not come to its end"
            )
        with self._storage.reading(name) as path:
            yield path

    def write_text(self, name: str, text: str) -> None:
        with self.writing(name) as path:
            path.write_text(text, encoding="utf-8", errors="surrogateescape")

    def write_json(self, name: str, data: Any) -> None:
        self.write_text(name, json.dumps(data, indent=2) + "\n")

    def read_json(self, name: str) -> Any:
        with self.reading(name) as path:
            return json.loads(path.read_text(encoding="utf-8"))
