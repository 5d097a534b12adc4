"""The paths of a batch are looked at together; each is judged as if it were alone."""

import pyarrow as pa
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamo_consistency import paths
from dynamo_consistency.backend import inventory_paths
from dynamo_consistency.run.keys import keys_of, keys_of_column

USUAL = st.lists(st.sampled_from([b"/a", b"/b.c", b"/~!"]), min_size=1, max_size=3).map(b"".join)
ODD = st.sampled_from([b"/a/", b"/", b"", b"/a//b", b"//", b"a", b"/.", b"/a/..", b"/./a", b"/a/.b", b".", b"/a\x7f"])
BLANK = st.sampled_from([b"/a ", b"/ a", b"/a\n", b"/a\nb", b"/\0", b"/\xc2\xa0", b"/\xe2\x80\xa6", b"/\xff", None])
BATCHES = st.lists(st.one_of(USUAL, USUAL, ODD, BLANK), max_size=4)


def identities(some: list[bytes | None]) -> list[bytes]:
    """One by one; a batch of one that is seen to be odd goes through all that is asked of an odd path."""
    placed = [path for path in some if path is not None and inventory_paths.placed(batch([path])).num_rows]
    return [paths.normalise(path) for path in placed]


def batch(some: list[bytes | None]) -> pa.RecordBatch:
    return pa.record_batch({"path": pa.array(some, pa.binary())})


@settings(max_examples=examples(1000), deadline=None)
@given(some=BATCHES, before=BATCHES, after=BATCHES)
def test_a_batch_has_the_paths_that_each_row_alone_has(some, before, after):
    part = batch(before + some + after).slice(len(before), len(some))
    assert inventory_paths.identified(part)["path"].to_pylist() == identities(some)
    if inventory_paths.are_usual(part["path"]):
        assert identities(some) == some


def test_nearly_all_batches_are_seen_to_be_usual():
    assert inventory_paths.are_usual(batch([b"/store/mc/E/P.a/f_1~.root", b"/a"])["path"])


def test_keys_of_a_long_column_are_those_of_its_paths():
    some = [b"/store/%d" % number for number in range(4003)]
    part = pa.array([b"/x", *some], pa.binary()).slice(1)
    assert keys_of_column(part) == keys_of(some)
    assert keys_of_column(part[:0]) == keys_of([])
