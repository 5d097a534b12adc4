"""Which files a set of datasets protects, by their names; what cannot be told is protected."""

import pyarrow as pa
import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamo_consistency.backend.dataset_filter import DatasetFilter, dataset_of, datasets_of

NAMES = [
    ("/store/mc/Summer12/TTJets/AODSIM/PU_v1/0000/a.root", "/TTJets/Summer12-PU_v1/AODSIM"),
    ("/store/mc/Summer12/TTJets/AODSIM/PU_v12", "/TTJets/Summer12-PU_v12/AODSIM"),
    ("/store/data/Run2012A/DoubleMu/RAW/v1/000/190/a.root", "/DoubleMu/Run2012A-v1/RAW"),
    ("/store/hidata/HIRun/X/RAW/v1/a.root", "/X/HIRun-v1/RAW"),
    ("/store/mc/E/P/T/my version-v1/f", "/P/E-my version-v1/T"),
    ("/store/mc/x.root", None),
    ("/store/mc/E/P/T/v/f", None),
    ("/store/mc/E/P/T/v1x/f", None),
    ("/store/mc/E/P/T/1/f", None),
    ("/store/mc/E//P/T/v1/f", None),
    ("/storage/mc/E/P/T/v1/f", None),
    ("store/mc/E/P/T/v1/f", None),
    ("/eos/store/mc/E/P/T/v1/f", None),
    ("", None),
    ("/store/backfill/1/data/E/P/T/v1/f.root", None),
]


@pytest.mark.parametrize(("filename", "dataset"), NAMES)
def test_the_dataset_is_told_by_the_name(filename, dataset):
    assert dataset_of(filename) == dataset


@pytest.mark.parametrize(("filename", "dataset"), NAMES)
def test_a_file_is_protected_by_its_dataset_and_by_a_name_that_does_not_parse(filename, dataset):
    assert DatasetFilter({dataset, "/other"}).protected(filename)
    assert DatasetFilter(set()).protected(filename) is (dataset is None)
    assert DatasetFilter({"/other"}).protected(filename) is (dataset is None)


def test_any_collection_of_datasets_will_do():
    assert DatasetFilter(name for name in ["/P/E-v1/T"]).protected("/store/mc/E/P/T/v1/f")


PARTS = ["/store/mc/E/P/T/x-v1", "/store/mc/E/P/T/", "/store", "/", "/", "a", "/v1", "v2", "x", "\n", "é", "/store/mc"]

ANY_NAME = st.lists(st.sampled_from(PARTS), max_size=8).map("".join)
WITH_LAST_PARTS_ALIKE = st.builds("{}/{}".format, ANY_NAME, st.sampled_from(["ab", "x1", "é", "/c", "v2"]))


@settings(max_examples=examples(500), deadline=None)
@given(
    names=st.one_of(st.lists(st.one_of(ANY_NAME, st.none()), max_size=8), st.lists(WITH_LAST_PARTS_ALIKE, max_size=8))
)
def test_many_names_tell_the_datasets_that_each_of_them_tells(names):
    found = datasets_of(pa.array(["/first", *names], pa.string()).slice(1))
    assert found.to_pylist() == [None if name is None else dataset_of(name) for name in names]
    assert found.dictionary.null_count == 0
    assert len(found.dictionary.unique()) == len(found.dictionary)
