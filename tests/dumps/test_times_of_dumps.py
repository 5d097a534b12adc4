"""Times in whatever unit, pattern and zone: never older than they are, and refused where they are of another unit."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dynamo_consistency.errors import ListingError

DATE = 1_790_000_000
MOMENT = 1_700_000_000  # 2023-11-14T22:13:20Z


def times(read, *cells, **options):
    content = "".join(f"/store/mc/f{number}\t1\t{cell}\n" for number, cell in enumerate(cells)).encode()
    return [row[2] for row in read(content, **options).rows]


@pytest.mark.parametrize(
    ("unit", "cell", "seconds"),
    [
        ("s", "1700000000", MOMENT),
        ("s", "1700000000.0000", MOMENT),
        ("s", "1700000000.0001", MOMENT + 1),
        ("ms", "1700000000000", MOMENT),
        ("ms", "1700000000001", MOMENT + 1),
        ("us", "1700000000000001", MOMENT + 1),
        ("days", "19675", 19676 * 86400 - 1),
        ("%d/%m/%Y %H:%M:%S", "14/11/2023 22:13:20", MOMENT),
        ("%d/%m/%Y %H:%M", "14/11/2023 22:13", MOMENT + 39),
        ("%d/%m/%Y", "14/11/2023", 19676 * 86400 - 1),
        ("%Y%m%d%H%M%S", "20231114221320", MOMENT),
        ("%b %d %Y %H:%M:%S", "Nov 14 2023 22:13:20", MOMENT),
        ("%Y-%m-%d %H:%M:%S %z", "2023-11-14 23:13:20 +0100", MOMENT),
        ("%d.%m.%y %H", "14.11.23 22", MOMENT - 13 * 60 - 20 + 3599),
    ],
)
def test_a_time_is_read_in_its_unit_and_rounded_up(read, unit, cell, seconds):
    assert times(read, cell, time_format=unit) == [seconds]


def test_minutes_of_iso_dates_mean_their_ends(read):
    assert times(read, "2023-11-14 22:13", "2023-11-14T22:13") == [MOMENT + 39] * 2


@pytest.mark.parametrize("null", ["", "null", "NULL", "None", "\\N", "N/A"])
@pytest.mark.parametrize("unit", [None, "s", "ms", "days", "%Y-%m-%d"])
def test_a_time_or_size_that_says_null_is_unknown(read, null, unit):
    result = read(f"/store/mc/a\t{null}\t{null}\n".encode(), time_format=unit)
    assert (result.rows, result.dump.bad_lines) == ([(b"/store/mc/a", None, None)], 0)


def test_times_without_a_zone_are_in_the_zone_that_is_given(read):
    cells = ["2023-11-14 23:13:20", "2023-11-14T22:13:20Z", "1700000000", "2023-07-01 02:00:00"]
    assert times(read, *cells, time_zone="Europe/Zurich") == [MOMENT, MOMENT, MOMENT, 1_688_169_600]


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", None, "%a %Y-%m-%d %H:%M:%S"])
def test_a_time_that_a_clock_shows_twice_or_not_at_all_is_the_later_one(read, form):
    day = "Sun " if form and "%a" in form else ""
    cells = [f"{day}2023-10-29 02:30:00", f"{day}2023-03-26 02:30:00"]
    twice, never = times(read, *cells, time_format=form, time_zone="Europe/Zurich")
    assert twice == 1_698_543_000  # 01:30 UTC, not 00:30
    assert never >= 1_679_792_400  # 01:00 UTC, when the clock jumped


def test_typed_times_without_a_zone_are_in_the_zone_that_is_given(read, tmp_path):
    column = pa.array([MOMENT + 3600], pa.timestamp("s"))
    pq.write_table(pa.table({"path": ["/store/mc/a"], "mtime": column}), tmp_path / "dump_20260101")
    where = str(tmp_path / "dump_20260101")
    assert read(b"", url=where, format="parquet", time_zone="Europe/Zurich").rows[0][2] == MOMENT
    pq.write_table(pa.table({"path": ["/store/mc/a"], "mtime": [MOMENT * 1000]}), tmp_path / "dump_20260101")
    assert read(b"", url=where, format="parquet", time_format="ms").rows[0][2] == MOMENT


@pytest.mark.parametrize("factor", [1000, 1_000_000])
@pytest.mark.parametrize("unit", [None, "s"])
def test_times_of_another_unit_lie_after_the_dump_and_make_it_unbelievable(read, factor, unit):
    with pytest.raises(ListingError, match="cannot be read, more than maxBadLineFraction"):
        times(read, *[MOMENT * factor] * 20, time_format=unit)


def test_seconds_where_milliseconds_are_due_are_unreadable(read):
    with pytest.raises(ListingError, match="cannot be read"):
        times(read, *[MOMENT] * 20, time_format="ms")


def test_milliseconds_are_offered_where_times_lie_after_the_dump(read):
    with pytest.raises(ListingError, match=r"20 of them with a time after it \(is timeFormat: ms meant\?\)"):
        times(read, *[MOMENT * 1000] * 20)


def test_a_file_from_after_the_dump_is_left_alone(read):
    cells = [MOMENT] * 2000 + [DATE + 200_000]
    assert times(read, *cells)[-1] == DATE


def test_a_cell_that_a_pattern_does_not_fit_is_a_bad_line(read):
    cells = ["14/11/2023"] * 2000 + ["2023-11-14"]
    assert times(read, *cells, time_format="%d/%m/%Y")[-1] == DATE
