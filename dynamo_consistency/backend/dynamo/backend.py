"""The names of the backend contract, on Dynamo's databases."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from dynamo_consistency import paths
from dynamo_consistency.backend.contract import Asked, Known, ListedFile, Outcome, Withdrawn
from dynamo_consistency.backend.dataset_filter import DatasetFilter
from dynamo_consistency.backend.dynamo import inventory, lookup, other_copies, protected_datasets, sites
from dynamo_consistency.backend.dynamo.blocklist import write_blocklist
from dynamo_consistency.backend.dynamo.database import schema
from dynamo_consistency.backend.dynamo.database.connection import Databases, connect
from dynamo_consistency.backend.dynamo.database.schema_version import Generation, detect
from dynamo_consistency.backend.dynamo.options import Options
from dynamo_consistency.backend.dynamo.requests import registry
from dynamo_consistency.backend.dynamo.sqlite_inventory import export_files, import_files
from dynamo_consistency.backend.optional_features import number_requested
from dynamo_consistency.backend.sql import errors
from dynamo_consistency.check import Source
from dynamo_consistency.listers.contract import ListerFactory


class Opened:
    """The databases, and what was found there when they were first used."""

    def __init__(self, databases: Databases) -> None:
        self.databases = databases

    @cached_property
    def generation(self) -> Generation:
        return detect(self.databases)


@dataclass(frozen=True)
class Inventory:
    """`inventory` of the backend contract."""

    opened: Opened

    def protected_datasets(self, site: str) -> set[str]:
        return protected_datasets.managed_datasets(self.opened.databases, self.opened.generation, site)

    def list_files(self, site: str) -> list[ListedFile]:
        return inventory.list_files(self.opened.databases, self.opened.generation, site)

    def stream(self, site: str) -> Iterator[pa.RecordBatch]:
        return inventory.stream(self.opened.databases, self.opened.generation, site)

    def look_up(self, site: str, files: Sequence[bytes]) -> dict[bytes, Known]:
        return lookup.look_up(self.opened.databases, self.opened.generation, site, files)


@dataclass(frozen=True)
class Registry:
    """`registry` of the backend contract."""

    opened: Opened
    tables: registry.RequestTables | None

    def request_deletion(self, site: str, files: Sequence[bytes]) -> list[Outcome]:
        return registry.request_deletion(self.opened.databases, self.opened.generation, self.tables, site, files)

    def request_transfer(self, site: str, files: Sequence[bytes]) -> list[Outcome]:
        return registry.request_transfer(self.opened.databases, self.opened.generation, self.tables, site, files)

    def withdraw(self, site: str, asked: Sequence[Asked]) -> list[Withdrawn]:
        return registry.withdraw(self.opened.databases, self.opened.generation, self.tables, site, asked)

    def delete(self, site: str, files: Iterable[str]) -> int:
        """The number of files whose deletion is requested now, also if it was already; the others are logged."""
        return number_requested(self.request_deletion(site, [paths.to_bytes(name) for name in files]))

    def transfer(self, site: str, files: Iterable[str]) -> tuple[list[str], list[str]]:
        """Requests those that a disk has; what is refused for another reason than its sources is logged."""
        names = list(files)
        no_disk, nowhere = self.sources(site, names)
        lacking = set(no_disk)
        number_requested(self.request_transfer(site, [paths.to_bytes(name) for name in names if name not in lacking]))
        return no_disk, nowhere

    def sources(self, site: str, files: Iterable[str]) -> tuple[list[str], list[str]]:
        """(files that no disk elsewhere has, of those: also none on tape), in the order given; only reads."""
        return other_copies.without_source(self.opened.databases, self.opened.generation, site, files)


class DynamoBackend:
    """A `contract.Backend`. Nothing is asked of a server before the first name is used."""

    DatasetFilter = DatasetFilter

    def __init__(self, options: Options, databases: Databases) -> None:
        self.options = options
        self._opened = Opened(databases)
        self.inventory = Inventory(self._opened)
        self.registry = Registry(self._opened, options.requests)
        self.siteinfo = sites.SiteInfo(databases.inventory)

    def describe(self) -> str:
        """One sentence: which database, and which generation of Dynamo's schema was found there."""
        return f"{errors.place(self._opened.databases.inventory)}: {self._opened.generation.describe()}"

    def check_site(self, site: str) -> bool:
        return self.siteinfo.check_site(site)

    def deletion_requests(self, site: str) -> set[str]:
        return protected_datasets.datasets_being_deleted(self._opened.databases, self._opened.generation, site)

    def filelist_to_blocklist(self, site: str, infile: str, outfile: str) -> None:
        write_blocklist(self._opened.databases, site, infile, outfile)

    def init(self) -> None:
        """Create the tables in an empty database; see `schema.init`."""
        schema.init(self._opened.databases)

    def import_files(self, site: str, path: str | Path, *, even_none: bool = False) -> int:
        """Replace what a database of our own says of the site by a list of files; their number.

        `even_none`: take a list without a file, too. Raises as `sqlite_inventory.import_files` does.
        """
        return import_files.import_files(self._opened.databases, site, path, even_none=even_none)

    def export_files(self, site: str, path: str | Path) -> int:
        """Write the files of the site as a list that `import_files` reads; their number."""
        return export_files.export_files(self._opened.databases, self._opened.generation, site, path)

    def get_listers(self, site: str) -> tuple[ListerFactory, list[tuple[Any, ...]]]:
        return sites.get_listers(site, self.options.sites)

    def listing_source(self, site: str) -> Source | None:
        """The same in the words of a check, for an engine that can list better than a directory at a time."""
        return self.options.sites.get(site)


def open_backend(options: Options) -> DynamoBackend:
    """The backend that an entry of `backends.yaml` describes. Raises ConfigurationError."""
    return DynamoBackend(options, connect(options))
