"""Which dataset a file belongs to, by its name: the CMS naming convention (rules.md, rule 6)."""

import re
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency.columns import joined, labels

# /store/<area>/<era>/<primary>/<tier>/<version>[/…], where the version ends in v and digits
_CMS_NAME = re.compile(
    r"/store/[^/]+/(?P<era>[^/]+)/(?P<primary>[^/]+)/(?P<tier>[^/]+)/(?P<version>[^/]*v[0-9]+)(?:/|\Z)"
)


_BEFORE_VERSION = 5
"""Slashes in the directory of a file that is the last part of its dataset's name itself."""


def dataset_of(filename: str) -> str | None:
    """The dataset `/<primary>/<era>-<version>/<tier>` of a CMS file name; None when the name does not parse."""
    match = _CMS_NAME.match(filename)
    return "/{primary}/{era}-{version}/{tier}".format(**match.groupdict()) if match else None


def datasets_of(filenames: pa.StringArray) -> pa.DictionaryArray:
    """The same of a column of names: of what stands before the last slash, each is looked at once."""
    folders = _folders_before_names_of_one_length(filenames)
    if folders is None:
        folders = pc.list_element(pc.split_pattern(filenames, "/", max_splits=1, reverse=True), 0).dictionary_encode()
    texts = folders.dictionary.to_pylist()
    of_folder = pa.array([dataset_of(f"{folder}/") for folder in texts], pa.string())
    found = labels(of_folder, folders.indices)
    last = pa.array([folder.count("/") == _BEFORE_VERSION for folder in texts], pa.bool_()).take(folders.indices)
    if not pc.any(last).as_py():
        return found
    odd = [dataset_of(name) for name in filenames.filter(last).to_pylist()]
    return pc.replace_with_mask(found.dictionary_decode(), last, pa.array(odd, pa.string())).dictionary_encode()


def _folders_before_names_of_one_length(filenames: pa.StringArray) -> pa.DictionaryArray | None:
    """What stands before the last slash, which is at one place from the end: half the work. None where it is not."""
    length = len((filenames[0].as_py() or "").encode().rpartition(b"/")[2]) if len(filenames) else 0
    texts = filenames.cast(pa.binary())
    if not length or texts.null_count or b"/" in joined(pc.binary_slice(texts, -length)):
        return None
    if not pc.all(pc.equal(pc.binary_slice(texts, -length - 1, -length), b"/")).as_py():
        return None
    folders = pc.binary_slice(texts, 0, -length - 1).dictionary_encode()
    return pa.DictionaryArray.from_arrays(folders.indices, folders.dictionary.cast(pa.string()))


class DatasetFilter:
    """Protects the files of a set of datasets, and every file whose name does not give its dataset."""

    def __init__(self, datasets: Iterable[str]) -> None:
        self._datasets = frozenset(datasets)

    def protected(self, filename: str) -> bool:
        dataset = dataset_of(filename)
        return dataset is None or dataset in self._datasets
