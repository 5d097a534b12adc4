"""The names of the backend contract, on files."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency import paths
from dynamo_consistency.backend import contract, optional_features
from dynamo_consistency.backend.blocks import Block, block_of, read_names, write_report
from dynamo_consistency.backend.contract import ListedFile
from dynamo_consistency.backend.dataset_filter import DatasetFilter, dataset_of
from dynamo_consistency.backend.file.cells import RUCIO
from dynamo_consistency.backend.file.dataset_filters import ContentsFilter, NamelessFilter
from dynamo_consistency.backend.file.dataset_lists import read_datasets
from dynamo_consistency.backend.file.inventory import InventoryDump
from dynamo_consistency.backend.file.options import DatasetNames, Options, SiteOptions
from dynamo_consistency.backend.file.requests import Registry
from dynamo_consistency.backend.file.shared_storage import OtherSites
from dynamo_consistency.check import Source
from dynamo_consistency.columns import before_slash, few_before_slash
from dynamo_consistency.errors import BackendError
from dynamo_consistency.listers.contract import ListerFactory
from dynamo_consistency.listers.protocols import listers_of

_COMPONENTS_OF_DATASET = 7
"""So many components of a name, the empty one before the first slash among them, are all that `dataset_of` looks at."""


@dataclass(frozen=True)
class Sites:
    """The sites of the entry in `backends.yaml`; `siteinfo` of the backend contract."""

    options: Mapping[str, SiteOptions]

    def site_list(self) -> list[str]:
        return sorted(self.options)

    def ready_sites(self) -> set[str]:
        return {name for name, options in self.options.items() if options.ready}

    def __getitem__(self, site: str) -> SiteOptions:
        """Raises BackendError for a site that is not there."""
        if site not in self.options:
            raise BackendError(f"this backend has no site {site!r}; it has {', '.join(self.site_list())}")
        return self.options[site]


@dataclass(frozen=True)
class Inventory:
    """`inventory` of the backend contract."""

    sites: Sites
    dataset_names: DatasetNames = "cms"

    _last: dict[str, tuple[str, set[str]]] = field(default_factory=dict)
    """By site the version of its dump that was read last, and the datasets that its files are of."""

    def stream(self, site: str) -> Iterator[pa.RecordBatch]:
        version = None if self.sites[site].protected else self.content_version(site)
        datasets = _Datasets(self.dataset_names)
        for batch in self._dump(site).batches():
            if version is not None:
                datasets.add(batch)
            yield batch
        if version is not None and self.content_version(site) == version:
            self._last[site] = version, datasets.found

    def content_version(self, site: str) -> str | None:
        return self._dump(site).content_version()

    def with_blocks(self, site: str) -> Iterator[pa.RecordBatch]:
        """`stream`, or nothing where the entry says that the dump has no column of what a block is told by."""
        source = self.sites[site].inventory
        without = RUCIO if source.format == "rucio" else source.columns
        if without is None or without.keys() & {"dataset", "block", "group"}:
            yield from self._dump(site).batches()

    def list_files(self, site: str) -> list[ListedFile]:
        return list(optional_features.tuples(self.stream(site)))

    def protected_datasets(self, site: str) -> set[str]:
        """Those of the site's list or, where there is none, all of which the inventory has a file.

        Where nothing tells the dataset of a file that the inventory does not have, none of them says anything of it.
        """
        if listed := self.sites[site].protected:
            return read_datasets(listed, self.dataset_names)
        if self.dataset_names == "none":
            return set()
        version, datasets = self._last.get(site, (None, set()))
        if version is not None and version == self.content_version(site):
            return set(datasets)
        all_datasets = _Datasets(self.dataset_names)
        for batch in self._dump(site).batches():
            all_datasets.add(batch)
        return all_datasets.found

    def _dump(self, site: str) -> InventoryDump:
        return InventoryDump(self.sites[site].inventory, site)


class _Datasets:
    """The datasets that the files of some batches are of: those of the column and, by the convention of CMS, of their
    names. What a column says may be written otherwise than what the name of an orphan beside its file says."""

    def __init__(self, names: DatasetNames) -> None:
        self._names = names
        self._folders: set[bytes] = set()
        self.found: set[str] = set()

    def add(self, batch: pa.RecordBatch) -> None:
        self.found.update(pc.unique(batch["dataset"]).drop_null().to_pylist())
        if self._names != "cms":
            return
        folders = set(_folders(batch["path"]).to_pylist()) - self._folders
        self._folders |= folders
        self.found.update(filter(None, map(dataset_of, map(paths.to_text, folders))))


def _folders(names: pa.Array) -> pa.Array:
    """So much of each name as tells its dataset, once."""
    few = few_before_slash(names, _COMPONENTS_OF_DATASET)
    return pc.unique(before_slash(names, _COMPONENTS_OF_DATASET)) if few is None else few.dictionary


class FileBackend:
    """A `contract.Backend`. Nothing is read before the first name is used."""

    def __init__(self, options: Options) -> None:
        self.siteinfo = Sites(options.sites)
        self.inventory = Inventory(self.siteinfo, options.dataset_names)
        self.registry = Registry(options.requests, OtherSites(options.sites, self.inventory.stream).objections)

    def describe(self) -> str:
        """One sentence, the same when a site is added: what is confirmed at the others stays so."""
        return "inventory dumps"

    def DatasetFilter(self, datasets: Iterable[str]) -> contract.DatasetFilter:  # noqa: N802 (the contract's name)
        """A filter by what `datasetNames` says."""
        if self.inventory.dataset_names == "cms":
            return DatasetFilter(datasets)
        if self.inventory.dataset_names == "none":
            return NamelessFilter(datasets)
        return ContentsFilter(lambda: ((site, self.inventory.stream(site)) for site in self.siteinfo.options), datasets)

    def check_site(self, site: str) -> bool:
        return self.siteinfo[site].ready

    def deletion_requests(self, site: str) -> set[str]:
        listed = self.siteinfo[site].deletion_requests
        return read_datasets(listed, self.inventory.dataset_names) if listed else set()

    def filelist_to_blocklist(self, site: str, infile: str, outfile: str) -> None:
        names = Counter(read_names(infile))
        wanted = pa.array(list(names), pa.binary())
        known: dict[bytes, Block] = {}
        for batch in self.inventory.with_blocks(site):
            found = batch.filter(pc.is_in(batch["path"], wanted)).select(["path", "dataset", "block", "group"])
            known |= {row["path"]: block_of(*row.values()) for row in found.to_pylist()}
        counts: Counter[Block] = Counter()
        for name, number in names.items():
            counts[known.get(name) or block_of(name)] += number
        write_report(outfile, counts)

    def listing_source(self, site: str) -> Source | None:
        """What lists the site, in the words of a check."""
        return self.siteinfo[site].listing

    def get_listers(self, site: str) -> tuple[ListerFactory, list[tuple[Any, ...]]]:
        return listers_of(site, self.listing_source(site))


def open_backend(options: Options) -> FileBackend:
    """The backend that an entry of `backends.yaml` describes."""
    return FileBackend(options)
