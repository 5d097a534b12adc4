"""The connection to inventories and registries: eleven names, on the backend that is configured.

    >>> from dynamo_consistency import backend
    >>> backend.configure("backends.yaml")
    >>> backend.siteinfo.ready_sites()
    {'T2_DE_RWTH', …}

`contract` says what each returns. `inventory`, `registry` and `siteinfo` are modules of functions.
"""

from typing import Any

from dynamo_consistency.backend import inventory, registry, siteinfo
from dynamo_consistency.backend.configured import configure, current
from dynamo_consistency.backend.contract import DatasetFilter as _DatasetFilter
from dynamo_consistency.listers.contract import ListerFactory

__all__ = [
    "DatasetFilter",
    "check_site",
    "configure",
    "current",
    "deletion_requests",
    "filelist_to_blocklist",
    "get_listers",
    "inventory",
    "registry",
    "siteinfo",
]


def DatasetFilter(datasets: set[str]) -> _DatasetFilter:  # noqa: N802 (the name is fixed by the contract)
    """A filter whose `protected(filename)` is True for files of one of `datasets`, and of an unknown dataset."""
    return current().DatasetFilter(set(datasets))


def check_site(site: str) -> bool:
    """True if the site is ready to run on."""
    return bool(current().check_site(site))


def deletion_requests(site: str) -> set[str]:
    """Datasets with pending deletion requests at the site."""
    return set(current().deletion_requests(site))


def filelist_to_blocklist(site: str, infile: str, outfile: str) -> None:
    """Summarise a list of files, one LFN a line, by block and owning group; worst first."""
    current().filelist_to_blocklist(site, infile, outfile)


def get_listers(site: str) -> tuple[ListerFactory, list[tuple[Any, ...]]]:
    """What lists the site: (constructor or function, argument tuples), one tuple per lister."""
    constructor, arguments = current().get_listers(site)
    return constructor, list(arguments)
