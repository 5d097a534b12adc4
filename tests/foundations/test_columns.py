"""What is asked of a whole column at once is what is asked cell by cell."""

import pyarrow as pa
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamo_consistency import columns

PARTS = [b"/", b"/", b".", b"a", b"bc", b"0", b"9", b":", b"\xff", b"!", b"~", b" "]
CELLS = st.lists(st.lists(st.sampled_from(PARTS), max_size=6).map(b"".join), max_size=6)
TYPES = st.sampled_from([pa.binary(), pa.large_binary()])


def column_of(cells: list[bytes], left_out: list[bytes], kind: pa.DataType) -> pa.Array:
    """A part of a longer column."""
    return pa.array([*left_out, *cells, b"//"], kind).slice(len(left_out), len(cells))


@settings(max_examples=examples(1000), deadline=None)
@given(cells=CELLS, left_out=CELLS, kind=TYPES)
def test_bytes_are_seen_in_all_cells_together(cells, left_out, kind):
    column, text = column_of(cells, left_out, kind), b"".join(cells)
    assert columns.joined(column) == text
    assert columns.has_odd_names(column) == (b"//" in text or b"/." in text)
    assert columns.has_only(column, b"0", b"9") == (not text.strip(b"0123456789"))
    assert columns.has_only(column, b"!", b"~") == (b"\xff" not in text and b" " not in text)


@settings(max_examples=examples(1000), deadline=None)
@given(cells=CELLS, left_out=CELLS, number=st.integers(1, 4), times=st.sampled_from([1, 4, 150]))
def test_what_is_before_a_slash_is_found_for_many_at_once(cells, left_out, number, times):
    column = column_of(cells * times, left_out, pa.binary())
    wanted = [b"/".join(cell.split(b"/")[:number]) for cell in cells * times]
    assert columns.before_slash(column, number).to_pylist() == wanted
    few = columns.few_before_slash(column, number)
    if few is not None:
        assert few.to_pylist() == wanted
        assert all(cell.count(b"/") >= number for cell in cells)


def test_few_are_found_where_nearly_all_paths_begin_alike():
    names = [b"/store/mc/%d/%032x" % (number % 3, number) for number in range(1000)]
    few = columns.few_before_slash(pa.array(names), 4)
    assert few is not None
    assert few.dictionary.to_pylist() == [b"/store/mc/0", b"/store/mc/1", b"/store/mc/2"]


@given(cells=CELLS)
def test_rows_are_filtered(cells):
    column = pa.array(cells, pa.binary())
    mask = pa.array([b"a" in cell for cell in cells], pa.bool_())
    assert columns.filtered(column, mask).to_pylist() == [cell for cell in cells if b"a" in cell]
