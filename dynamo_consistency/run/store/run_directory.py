"""The run directory: the only thing that the stages of a run share.

`<store>/<site>/<run id>/` on a local path or an fsspec URL. A file is written under a temporary name and renamed when
it is complete, so that a stage that died leaves nothing that looks so and can simply be run again.
"""

import contextlib
import functools
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.checkfile import dump_check, read_check
from dynamo_consistency.errors import ConfigurationError, ConsistencyError, DamagedError
from dynamo_consistency.run.store.opening import open_storage
from dynamo_consistency.run.store.owner import Owner
from dynamo_consistency.run.store.storage import local_folder
from dynamo_consistency.secrets import redact

CHECK = "check.yaml"
CLAIM = "claim.json"
"""Whose run it is; written before anything else, and never again."""
DATASETS = "inventory/datasets.json"
SUMMARY = "summary.json"
UNMERGED_LISTING = "listing/unmerged.parquet"


def shard_name(shard: int) -> str:
    """What a shard's files are called, without `.json` and `.parquet`."""
    return f"listing/shard-{shard:04}"


def new_run_id(check_name: str, now: datetime | None = None) -> str:
    """An id for a run started by hand: the time in UTC, which sorts and which a person can read, and the check."""
    return f"{now or datetime.fromtimestamp(time.time(), UTC):%Y%m%dT%H%M%SZ}-{check_name}"


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
        """The run directory with the resolved check in it, claimed for that check alone.

        Without a `run_id` it is a new one, whoever else makes one in the same second. With one, a run that has begun
        keeps the check that it began with; raises ConfigurationError when it is a run of another check.
        """
        owner = Owner.of(check)
        if run_id is None:
            run = self._new_run(check.spec.site, owner)
        else:
            run = self.run(check.spec.site, run_id)
            if run.has_begun() or not run.claim(owner):
                run.belongs_to(owner)
        run.create(CHECK, dump_check(check))
        return run

    def _new_run(self, site: str, owner: Owner) -> "RunDirectory":
        first = run_id = new_run_id(owner.name)
        for attempt in range(2, 1000):
            run = self.run(site, run_id)
            if run.claim(owner):
                return run
            run_id = f"{first}-{attempt}"
        raise ConsistencyError(f"the store {redact(self.url)} holds a thousand runs of {site} of this second")

    def remove_leftovers(self, site: str) -> None:
        """Remove what killed processes have left half-written in the runs of a site."""
        open_storage(self.url).remove_leftovers(site)

    def sites(self) -> list[str]:
        """Sites that have run directories, in byte order."""
        return open_storage(self.url).entries("", "directory")

    def run_ids(self, site: str) -> list[str]:
        """Names of the folders of a site, in byte order; one without a check in it is no run."""
        return open_storage(self.url).entries(site, "directory")

    def runs(self, site: str) -> list["RunDirectory"]:
        """All runs of a site, oldest first by their ids."""
        runs = [self.run(site, run_id) for run_id in self.run_ids(site)]
        return [run for run in runs if run.may_have_begun()]


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

        Raises ConfigurationError when this is no run directory, or that of a run of another site: what lies there was
        found at one site, and would be looked up at another.
        """
        if self._check is None:
            if not self.exists(CHECK):
                raise ConfigurationError(f"{self.url} is not a run directory: it has no {CHECK}")
            with self.reading(CHECK) as path:
                check = read_check(path)
            if check.spec.site != self.site:
                raise ConfigurationError(
                    f"{redact(self.url)} holds a run of {check.spec.site} and not of {self.site}: was it moved?"
                )
            self._check = check
        return self._check

    def has_begun(self) -> bool:
        """Does it hold a check? A folder that does not is no run."""
        return self.exists(CHECK)

    def may_have_begun(self) -> bool:
        """Not where it is known to hold no check; a folder that cannot be looked into may be a run."""
        try:
            return self.has_begun()
        except DamagedError:
            return True

    def claim(self, owner: Owner) -> bool:
        """Make a new run directory `owner`'s; False when it is somebody's already, be it the same check's."""
        if self.has_begun():
            return False
        claim = owner.as_json() | {"token": uuid.uuid4().hex}
        return self.create(CLAIM, json.dumps(claim) + "\n") or self.read_json(CLAIM) == claim

    @functools.cached_property
    def owner(self) -> Owner:
        """The check that the run is of. Raises ConfigurationError when that cannot be known.

        A run of before there were claims is that of the check in it.
        """
        if not self.exists(CLAIM):
            return Owner.of(self.check())
        try:
            return Owner.from_json(self.read_json(CLAIM))
        except (ConsistencyError, ValueError) as error:
            raise ConfigurationError(f"{redact(self.url)} does not say whose run it is: {CLAIM}: {error}") from None

    def belongs_to(self, owner: Owner) -> None:
        """Raises ConfigurationError when the run is of another check than `owner`."""
        if self.owner != owner:
            raise ConfigurationError(
                f"{redact(self.url)} is a run of the check {self.owner} and not of {owner}: "
                "each check has run directories of its own; nothing was changed"
            )

    def create(self, name: str, data: bytes | str) -> bool:
        """Write `name` if it is not there; False when it is. Of several at the same time one is told True."""
        return self._storage.create(name, data)

    def modified(self, name: str) -> float:
        """When `name`, which exists, was written, in seconds since 1970, by the clock of the store."""
        return self._storage.modified(name)

    def stamp(self, name: str) -> str | None:
        """A text that is another one when `name` has been written anew; None when it is not there."""
        return self._storage.stamp(name)

    def contents(self, name: str) -> bytes | None:
        """All of a small file; None when it is not there."""
        return self._storage.contents(name)

    def exists(self, name: str) -> bool:
        return self._storage.exists(name)

    def names(self, folder: str) -> list[str]:
        """Names of the complete files in `folder`, relative to the run directory, sorted."""
        return [f"{folder}/{name}" for name in self._storage.entries(folder, "file")]

    def remove(self, *names: str) -> None:
        """Remove files and folders, whether they are there or not."""
        for name in names:
            self._storage.remove(name)

    def remove_leftovers(self) -> None:
        """Remove what killed processes have left half-written."""
        self._storage.remove_leftovers("")

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
        """Raises ConsistencyError when it is not there, DamagedError when it is no JSON or cannot be read."""
        with self.reading(name) as path:
            try:
                return json.loads(path.read_bytes().decode())
            except (ValueError, RecursionError) as error:
                raise DamagedError(f"{redact(self.url)}/{name} is damaged: {error}") from None
            except OSError as error:
                raise DamagedError(f"{redact(self.url)}/{name} cannot be read: {error.strerror}") from None
