"""The eleven names that every backend has."""

from collections.abc import Iterable
from typing import Any, Protocol

from dynamo_consistency.backend.contract.data import ListedFile
from dynamo_consistency.listers.contract import ListerFactory


class DatasetFilter(Protocol):
    """Says whether a file belongs to one of a set of datasets, by its name alone."""

    def protected(self, filename: str) -> bool:
        """Does the file (LFN) belong to one of the datasets? True also when its dataset is unknown."""
        ...


class Inventory(Protocol):
    """What should be at the sites."""

    def protected_datasets(self, site: str) -> set[str]:
        """Datasets whose files at the site must not be called orphans."""
        ...

    def list_files(self, site: str) -> Iterable[ListedFile]:
        """Every file that the inventory knows at the site: (LFN, bytes, time of its last change)."""
        ...


class Registry(Protocol):
    """Where requests go. Nothing else changes a site."""

    def delete(self, site: str, files: Iterable[str]) -> int:
        """Request deletion of files and (empty) directories at the site, by LFN; the number requested."""
        ...

    def transfer(self, site: str, files: Iterable[str]) -> tuple[list[str], list[str]]:
        """Request transfer of files to the site; (files without a disk source, of those: also none on tape)."""
        ...


class SiteInfo(Protocol):
    """Which sites there are."""

    def site_list(self) -> list[str]:
        """All sites that the backend knows."""
        ...

    def ready_sites(self) -> set[str]:
        """Those that are ready to run on."""
        ...


class Backend(Protocol):
    """The eleven names. `DatasetFilter` is a class, the others functions or holders of functions.

    The smallest backend: one site with one file, whose registry takes no requests.

        >>> from types import SimpleNamespace as Names
        >>> from dynamo_consistency import backend
        >>> from dynamo_consistency.backend.dataset_filter import DatasetFilter
        >>> mine = Names(
        ...     DatasetFilter=DatasetFilter,
        ...     check_site=lambda site: True,
        ...     deletion_requests=lambda site: set(),
        ...     filelist_to_blocklist=lambda site, infile, outfile: None,
        ...     get_listers=lambda site: (lambda directory: (True, [], [("a", 5, 0.0)]), [()]),
        ...     inventory=Names(protected_datasets=lambda site: set(), list_files=lambda site: [("/store/a", 5, None)]),
        ...     registry=Names(delete=lambda site, files: 0, transfer=lambda site, files: (list(files), list(files))),
        ...     siteinfo=Names(site_list=lambda: ["T2_MINE"], ready_sites=lambda: {"T2_MINE"}),
        ... )
        >>> configured = backend.configure(mine)
        >>> backend.siteinfo.ready_sites(), backend.inventory.list_files("T2_MINE")
        ({'T2_MINE'}, [('/store/a', 5, datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))])
        >>> function, arguments = backend.get_listers("T2_MINE")
        >>> function(*arguments[0], "/store")
        (True, [], [('a', 5, 0.0)])
    """

    inventory: Inventory
    registry: Registry
    siteinfo: SiteInfo

    def DatasetFilter(self, datasets: set[str]) -> DatasetFilter:  # noqa: N802 (the name is fixed)
        """A filter for these datasets, named as `protected_datasets` and `deletion_requests` name them."""
        ...

    def check_site(self, site: str) -> bool:
        """True if the site is ready to run on. Raises BackendError for a site that the backend does not know."""
        ...

    def deletion_requests(self, site: str) -> set[str]:
        """Datasets with pending deletion requests at the site."""
        ...

    def filelist_to_blocklist(self, site: str, infile: str, outfile: str) -> None:
        """Summarise a list of files, one LFN a line, by block and owning group; worst first."""
        ...

    def get_listers(self, site: str) -> tuple[ListerFactory, list[tuple[Any, ...]]]:
        """What lists the site: (constructor or function, argument tuples), one tuple per lister.

        What each returns for a directory is `listers.contract.SimpleListing`. Raises BackendError when nothing lists
        the site.
        """
        ...
