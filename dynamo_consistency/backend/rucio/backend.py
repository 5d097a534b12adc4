"""The names of the backend contract, on Rucio."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dynamo_consistency.backend import optional_features
from dynamo_consistency.backend.contract import DatasetFilter, Known, ListedFile
from dynamo_consistency.backend.dataset_filter import DatasetFilter as CmsFilter
from dynamo_consistency.backend.rucio.blocklist import write_blocklist
from dynamo_consistency.backend.rucio.catalogue import inventory, lookup, protected_datasets
from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue, connect
from dynamo_consistency.backend.rucio.catalogue.datasets import ContentsFilter
from dynamo_consistency.backend.rucio.options import Options
from dynamo_consistency.backend.rucio.requests.registry import Registry
from dynamo_consistency.backend.rucio.rest.client import RestClient
from dynamo_consistency.backend.rucio.sites import SiteInfo
from dynamo_consistency.check import Source
from dynamo_consistency.listers.contract import ListerFactory
from dynamo_consistency.listers.protocols import listers_of


@dataclass(frozen=True)
class Inventory:
    """`inventory` of the backend contract."""

    catalogue: Catalogue
    options: Options

    def stream(self, site: str) -> Iterator[pa.RecordBatch]:
        if site in self.options.dumps:
            return inventory.stream_dump(self.options.dumps[site], site)
        return inventory.stream(self.catalogue, self.options, site)

    def list_files(self, site: str) -> list[ListedFile]:
        """Those whose path is known: the others cannot be listed."""
        return list(optional_features.tuples(self.stream(site)))

    def look_up(self, site: str, files: Sequence[bytes]) -> dict[bytes, Known]:
        return lookup.look_up(self.catalogue, self.options, site, files)

    def protected_datasets(self, site: str) -> set[str]:
        return protected_datasets.protected_datasets(self.catalogue, self.options, site)


class RucioBackend:
    """A `contract.Backend`. Nothing is asked of database or server before the first name is used."""

    def __init__(self, options: Options) -> None:
        """Raises ConfigurationError for a password or certificate that cannot be read, or a driver that is lacking."""
        self.options = options
        self.catalogue = connect(options)
        rest = RestClient(options.rest, options.scopes) if options.rest is not None else None
        self.inventory = Inventory(self.catalogue, options)
        self.registry = Registry(self.catalogue, options, rest)
        self.siteinfo = SiteInfo(self.catalogue, options, rest)

    def DatasetFilter(self, datasets: set[str]) -> DatasetFilter:  # noqa: N802 (the name is fixed by the contract)
        if self.options.dataset_names == "cms":
            return CmsFilter(datasets)
        return ContentsFilter(self.catalogue, self.options, datasets)

    def describe(self) -> str:
        """One sentence: which catalogue."""
        return f"Rucio's catalogue {self.catalogue.place}"

    def check_site(self, site: str) -> bool:
        return self.siteinfo.check_site(site)

    def deletion_requests(self, site: str) -> set[str]:
        return protected_datasets.datasets_being_deleted(self.catalogue, self.options, site)

    def filelist_to_blocklist(self, site: str, infile: str, outfile: str) -> None:
        write_blocklist(self.catalogue, self.options, site, infile, outfile)

    def listing_source(self, site: str) -> Source | None:
        """What lists the site, in the words of a check."""
        return self.siteinfo.listing_source(site)

    def get_listers(self, site: str) -> tuple[ListerFactory, list[tuple[Any, ...]]]:
        return listers_of(site, self.listing_source(site))


def open_backend(options: Options) -> RucioBackend:
    """The backend that an entry of `backends.yaml` describes. Raises ConfigurationError."""
    return RucioBackend(options)
