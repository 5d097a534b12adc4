"""What tells the dataset of a file that the inventory does not know: its name, nothing, or other inventories."""

import json
import os

import pyarrow as pa
import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamo_consistency import paths
from dynamo_consistency.backend import configure
from dynamo_consistency.backend.dataset_filter import dataset_of
from dynamo_consistency.backend.file.backend import _Datasets
from dynamo_consistency.errors import BackendError, ConfigurationError

DUMPS = {
    "T2_X": "/mc16/ab/a\t1\tmc16:ds1\n/mc16/ab/b\t1\tmc16:ds2\n/mc16/ab/free\t1\t\n",
    "T2_Y": "/mc16/ab/elsewhere\t1\tmc16:ds1\n/mc16/ab/other\t1\tmc16:ds3\n",
}


@pytest.fixture
def opened(write):
    def open_with(names=None, dumps=DUMPS, **site):
        sites = {name: {"inventory": {"url": str(write(name, dump))}} | site for name, dump in dumps.items()}
        entry = {"type": "file", "sites": sites} | ({"datasetNames": names} if names else {})
        return configure(write("backends.yaml", json.dumps({"backends": {"default": entry}})))

    return open_with


@pytest.fixture
def run_of_foreign_site(tmp_path, opened, run_whole):
    """A check of a site with what is in the first inventory, and an orphan; all old."""
    for name in ("a", "b", "free", "orphan"):
        file = tmp_path / "mount/mc16/ab" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"1")
        os.utime(file, (1_600_000_000, 1_600_000_000))
    listing = {"source": {"posix": {"prefix": str(tmp_path / "mount")}}, "roots": [{"path": "/mc16"}]}
    return lambda names: run_whole(opened(names, {"T2_TEST": DUMPS["T2_X"]}), listing=listing)


def test_a_name_that_is_no_cms_name_is_protected_where_nothing_else_is_said(opened):
    assert opened().DatasetFilter(set()).protected("/mc16/ab/orphan")


def test_every_name_of_an_inventory_tells_the_dataset_that_a_filter_sees_in_it(opened):
    version = "/store/mc/Era/Primary/TIER/x-v"
    names = [f"{version}1/00000/f", f"{version}2/f", f"{version}3", f"{version}4/a/b/c/f", "/store/mc/Era/f"]
    names += [f"{version}5x/f", "/store/user/a/b/c/d/e/f", f"{version}1/00000/g", "/store/mc/Era/other/TIER/x-v1/f"]
    backend = opened(dumps={"T2_X": "".join(f"{name}\t1\n" for name in names)})
    known = {dataset for name in names if (dataset := dataset_of(name))}
    assert backend.inventory.protected_datasets("T2_X") == known
    assert len(known) == 5
    list(backend.inventory.stream("T2_X"))
    assert backend.inventory.protected_datasets("T2_X") == known


def test_where_nothing_tells_the_dataset_a_file_is_free_as_long_as_no_dataset_is_protected(opened):
    backend = opened("none")
    assert backend.inventory.protected_datasets("T2_X") == set()
    assert not backend.DatasetFilter(set()).protected("/mc16/ab/orphan")
    assert not backend.DatasetFilter(set()).protected("/store/mc/Era/Primary/TIER/x-v1/orphan")
    assert backend.DatasetFilter({"mc16:ds1"}).protected("/mc16/ab/orphan")


def test_a_list_of_protected_datasets_protects_all_where_nothing_tells_the_dataset(opened, write):
    backend = opened("none", protected=str(write("protected", "mc16:ds9\n")))
    protected = backend.inventory.protected_datasets("T2_X")
    assert backend.DatasetFilter(protected).protected("/mc16/ab/orphan")


def test_other_inventories_tell_the_dataset_of_a_file(opened):
    backend = opened("contents")
    assert backend.inventory.protected_datasets("T2_X") == {"mc16:ds1", "mc16:ds2"}
    names = [f"/mc16/ab/{name}" for name in ("a", "free", "elsewhere", "other", "orphan")]
    of_x = backend.DatasetFilter({"mc16:ds1", "mc16:ds2"})
    assert of_x.protected_among(names) == {"/mc16/ab/a", "/mc16/ab/free", "/mc16/ab/elsewhere"}
    assert [of_x.protected(name) for name in names] == [True, True, True, False, False]


@pytest.mark.parametrize("dump", ["/mc16/ab/a\t1\n", "/mc16/ab/a\t1\n\t1\n"])
def test_an_inventory_that_tells_no_dataset_or_cannot_be_read_is_no_answer(opened, dump):
    backend = opened("contents", {"T2_X": DUMPS["T2_X"], "T2_Y": dump})
    with pytest.raises(BackendError):
        backend.DatasetFilter({"mc16:ds1"}).protected("/mc16/ab/orphan")


def test_other_words_are_refused(opened):
    with pytest.raises(ConfigurationError, match="datasetNames"):
        opened("rucio")


@pytest.mark.parametrize(("names", "orphans"), [("cms", []), ("none", ["/mc16/ab/orphan"])])
def test_a_run_says_that_names_tell_no_dataset(run_of_foreign_site, found, names, orphans):
    run, summary = run_of_foreign_site(names)
    told = [note for note in summary["notes"] if "datasetNames" in note]
    assert found(run, "orphan") == orphans
    assert bool(told) is (names == "cms")


PARTS = [b"/store/mc/E/P/T/x-v1", b"/store/mc/E/P/T/", b"/store", b"/", b"/", b"a", b"/v1", b"v2", b"\n", b"\xff"]
ROWS = st.lists(
    st.tuples(st.lists(st.sampled_from(PARTS), max_size=8).map(b"".join), st.sampled_from([None, None, "/A", "/B"])),
    max_size=6,
)


@settings(max_examples=examples(500), deadline=None)
@given(batches=st.lists(ROWS, max_size=3))
def test_the_datasets_of_batches_are_those_that_each_row_tells(batches):
    datasets = _Datasets("cms")
    for rows in batches:
        columns = zip(*[(b"/first", None), *rows], strict=True)
        path, dataset = (
            pa.array(column, kind) for column, kind in zip(columns, (pa.binary(), pa.string()), strict=True)
        )
        datasets.add(pa.record_batch({"path": path, "dataset": dataset}).slice(1))
    told = {name for rows in batches for path, dataset in rows for name in (dataset, dataset_of(paths.to_text(path)))}
    assert datasets.found == told - {None}
