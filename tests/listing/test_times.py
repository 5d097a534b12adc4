"""Times and sizes that a storage gives and that cannot be are unknown, one by one and in columns alike."""

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamo_consistency.listers.times import known_size, known_sizes, known_time, known_times

NOW = 1_700_000_000.5
YEAR_1980 = 315_532_800
INT64 = st.integers(-(2**63), 2**63 - 1)


@pytest.mark.parametrize(
    "mtime",
    [None, 0, -1, -(2**63), -62_135_596_800, YEAR_1980 - 1, YEAR_1980, NOW + 86_401, 2**63 - 8, 2**80, 1e300,
     math.nan, math.inf, -math.inf],
)  # fmt: skip
def test_what_is_no_time_is_unknown(mtime):
    assert known_time(mtime, NOW) is None


def test_a_time_is_rounded_up_so_that_no_file_looks_older_than_it_is():
    assert known_time(YEAR_1980 + 0.5, NOW) == YEAR_1980 + 1
    assert known_time(1_000_000_000, NOW) == 1_000_000_000
    assert known_time(NOW + 86_400, NOW) == 1_700_086_401


@pytest.mark.parametrize("size", [None, -1, -(2**63), 2**62, 2**63 - 1, 2**70])
def test_what_is_no_size_is_unknown(size):
    assert known_size(size) is None


@pytest.mark.parametrize("size", [0, 1, 2**62 - 1])
def test_what_a_file_may_have_is_its_size(size):
    assert known_size(size) == size


@given(
    st.lists(st.none() | INT64 | st.integers(YEAR_1980 - 2, YEAR_1980 + 2) | st.integers(1_700_086_398, 1_700_086_403))
)
def test_columns_of_times_are_judged_as_single_ones(mtimes):
    column = known_times(pa.array(mtimes, pa.int64()), NOW)
    assert column.to_pylist() == [known_time(mtime, NOW) for mtime in mtimes]
    assert column.type == pa.int64()


@given(st.lists(st.none() | INT64))
def test_columns_of_sizes_are_judged_as_single_ones(sizes):
    column = known_sizes(pa.array(sizes, pa.int64()))
    assert column.to_pylist() == [known_size(size) for size in sizes]
