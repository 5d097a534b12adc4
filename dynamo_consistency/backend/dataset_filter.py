"""Which dataset a file belongs to, by its name: the CMS naming convention (rules.md, rule 6)."""

import re
from collections.abc import Iterable

# /store/<area>/<era>/<primary>/<tier>/<version>[/…], where the version ends in v and digits
_CMS_NAME = re.compile(
    r"/store/[^/]+/(?P<era>[^/]+)/(?P<primary>[^/]+)/(?P<tier>[^/]+)/(?P<version>[^/]*v[0-9]+)(?:/|\Z)"
)


def dataset_of(filename: str) -> str | None:
    """The dataset `/<primary>/<era>-<version>/<tier>` of a CMS file name; None when the name does not parse."""
    match = _CMS_NAME.match(filename)
    return "/{primary}/{era}-{version}/{tier}".format(**match.groupdict()) if match else None


def datasets_of(filenames: Iterable[str]) -> list[str | None]:
    """The same of many names: what a directory's files have in common is looked for once."""
    of_folder = _DatasetsOfFolders()
    return [of_folder[name[: name.rfind("/") + 1]] or dataset_of(name) for name in filenames]


class _DatasetsOfFolders(dict[str, str | None]):
    """By directories, which end in a slash. None may still be a file that is the last part of its dataset's name."""

    def __missing__(self, folder: str) -> str | None:
        self[folder] = dataset_of(folder)
        return self[folder]


class DatasetFilter:
    """Protects the files of a set of datasets, and every file whose name does not give its dataset."""

    def __init__(self, datasets: Iterable[str]) -> None:
        self._datasets = frozenset(datasets)

    def protected(self, filename: str) -> bool:
        dataset = dataset_of(filename)
        return dataset is None or dataset in self._datasets
