"""Every format of dumps gives the same files, with their names byte for byte."""

import bz2
import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dynamo_consistency.check import DumpSource
from dynamo_consistency.errors import ListingError

DAY = 86400
TSV = b"/store/mc/a\t10\t1700000000\n/store/mc/b\t0\t1700000001\n"
FILES = [(b"/store/mc/a", 10, 1700000000), (b"/store/mc/b", 0, 1700000001)]


def test_columns_separated_by_tabs(read):
    assert read(TSV).rows == FILES


def test_columns_separated_by_bars(read):
    assert read(TSV.replace(b"\t", b"|"), format="pipe").rows == FILES


def test_columns_separated_by_commas(read):
    assert read(TSV.replace(b"\t", b","), format="csv").rows == FILES


@pytest.mark.parametrize(
    "pack",
    [gzip.compress, bz2.compress, lambda data: bytes(pa.Codec("zstd").compress(data))],
    ids=["gz", "bz2", "zst"],
)
def test_what_is_packed_is_told_by_its_bytes_and_not_by_its_name(read, dump_file, pack):
    assert read(b"", url=str(dump_file(pack(TSV), "dump.tsv"))).rows == FILES
    assert read(b"", url=str(dump_file(TSV, "dump.tsv.gz"))).rows == FILES


def test_packed_dumps_may_be_glued_together(read):
    one, two = TSV.splitlines(keepends=True)
    assert read(gzip.compress(one) + gzip.compress(two)).rows == FILES


def test_bare_paths_have_neither_size_nor_time(read):
    assert read(b"/store/mc/a b\tc\n", format="paths").rows == [(b"/store/mc/a b\tc", None, None)]


def test_columns_are_found_by_number(read):
    lines = b"T2|17|/store/mc/a|1700000000|x\n"
    assert read(lines, format="pipe", columns={"path": 3, "size": 2, "mtime": 4}).rows == [
        (b"/store/mc/a", 17, 1700000000)
    ]


def test_columns_are_found_by_the_names_of_a_header(read):
    lines = b"size,name\n17,/store/mc/a\n"
    assert read(lines, format="csv", columns={"path": "name", "size": "size"}).rows == [(b"/store/mc/a", 17, None)]
    assert read(lines.replace(b",", b"\t"), columns={"path": "name"}).rows == [(b"/store/mc/a", None, None)]


def test_fewer_columns_are_taken_in_their_order(read):
    assert read(b"/store/mc/a\t5\n").rows == [(b"/store/mc/a", 5, None)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"path": 3}}, "there is no column 3"),
        ({"columns": {"path": "lfn"}}, "must name the column lfn once; it has /store/mc/a, 1"),
    ],
)
def test_a_column_that_is_not_there_is_an_error(read, options, message):
    with pytest.raises(ListingError, match=message):
        read(b"/store/mc/a\t1\n", **options)


def test_more_columns_than_have_a_known_meaning_are_not_guessed_at(read):
    with pytest.raises(ListingError, match="has 4 columns; say in `columns` where the path is"):
        read(b"T2\t/store/mc/a\t1\t2\n")


def test_a_day_of_the_ral_format_is_believed_to_be_its_end(read):
    rows = read(b"/store/mc/a file\t10\t19700\n/store/mc/b 11 19701\n", format="ral").rows
    assert rows == [(b"/store/mc/a file", 10, 19701 * DAY - 1), (b"/store/mc/b", 11, 19702 * DAY - 1)]


def test_a_name_of_the_ral_format_that_may_end_in_a_blank_is_not_guessed_at(read):
    result = read(b"/store/mc/a  10\t19700\n/store/mc/b 1 19700\n", format="ral", max_bad_line_fraction="0.5")
    assert result.paths == [b"/store/mc/b"]
    assert result.dump.holes == {b"/store/mc"}


def test_parquet_columns_are_found_by_name_and_keep_their_types(read, tmp_path):
    table = pa.table(
        {
            "lfn": pa.array(["/store/mc/a", "/store//mc/b"]).dictionary_encode(),
            "bytes": pa.array([10, None], pa.uint32()),
            "changed": pa.array([1700000000001, None], pa.timestamp("ms", tz="Europe/Zurich")),
        }
    )
    pq.write_table(table, tmp_path / "dump_20260101")
    columns = {"path": "lfn", "size": "bytes", "mtime": "changed"}
    result = read(b"", url=str(tmp_path / "dump_20260101"), format="parquet", columns=columns)
    assert result.rows == [(b"/store/mc/a", 10, 1700000001), (b"/store/mc/b", None, None)]


def test_a_null_in_parquet_is_unknown_and_nothing_else(read, tmp_path):
    table = pa.table(
        {
            "path": ["/store/mc/a", "/store/mc/b", "/store/mc/c"],
            "size": pa.array([None, 5, -1]),
            "mtime": pa.array([1700000000.5, None, 1.0]),
        }
    )
    pq.write_table(table, tmp_path / "dump_20260101")
    result = read(b"", url=str(tmp_path / "dump_20260101"), format="parquet", max_bad_line_fraction="0.5")
    assert result.rows == [
        (b"/store/mc/a", None, 1700000001),
        (b"/store/mc/b", 5, None),
        (b"/store/mc/c", None, 1767225600),
    ]
    assert result.dump.bad_lines == 1


@pytest.mark.parametrize(
    ("sizes", "times"),
    [
        (pa.array([2**63, 5], pa.uint64()), pa.array([2**63, 1700000000], pa.uint64())),
        (pa.array([float("nan"), 5.0]), pa.array([float("nan"), 1700000000.0])),
        (pa.array([1e30, 5.0]), pa.array([float("inf"), 1700000000.0])),
        (pa.array([2**70, 5], pa.decimal128(30)), pa.array([-(2**70), 1700000000], pa.decimal128(30))),
    ],
)
def test_numbers_in_parquet_that_do_not_fit_are_unknown(read, tmp_path, sizes, times):
    pq.write_table(pa.table({"path": ["/m/a", "/m/b"], "size": sizes, "mtime": times}), tmp_path / "dump_20260101")
    result = read(b"", url=str(tmp_path / "dump_20260101"), format="parquet")
    assert result.rows == [(b"/m/a", None, None), (b"/m/b", 5, 1700000000)]


def test_parquet_without_a_path_column_says_what_it_has(read, tmp_path):
    pq.write_table(pa.table({"lfn": ["/store/mc/a"]}), tmp_path / "dump")
    with pytest.raises(ListingError, match="has no column path; it has lfn"):
        read(b"", url=str(tmp_path / "dump"), format="parquet")


ODD_NAMES = [
    b"/store/mc/with blank",
    b"/store/mc/ leading and trailing ",
    b"/store/mc/'single' \"double\"",
    b"/store/mc/$(touch x);`y`",
    b"/store/mc/%41+b,c|d",
    b"/store/mc/-rf",
    b"/store/mc/\xff\xfe\x80",
    b"/store/mc/\xc3\xa9",
    b"/store/mc/carriage\rreturn",
    b"/store/mc/\\n\\t\\\\",
    b"/store/mc/...",
    b"/store/mc/.hidden",
    b"/store/mc/\xef\xbb\xbfmark",
    b"/store/mc/#comment",
]


def test_odd_names_survive_byte_for_byte_between_tabs(read):
    assert read(b"".join(name + b"\t1\t1700000000\n" for name in ODD_NAMES)).paths == ODD_NAMES


def test_odd_names_survive_byte_for_byte_as_bare_paths(read):
    names = [*ODD_NAMES, b"/store/mc/with\ttab"]
    assert read(b"".join(name + b"\n" for name in names), format="paths").paths == names


def test_odd_names_survive_byte_for_byte_in_quotes(read):
    names = [*ODD_NAMES, b"/store/mc/with\ttab", b"/store/mc/line\nbreak", b"/store/mc/both\r\nbreaks"]
    lines = b"".join(b'"' + name.replace(b'"', b'""') + b'",1,1700000000\n' for name in names)
    assert read(lines, format="csv").paths == names


def test_times_are_seconds_or_dates_in_utc_and_never_rounded_down(read):
    times = [b"1700000000.75", b"2023-11-14T22:13:20Z", b"2023-11-14 22:13:20", b"2023-11-14T23:13:20+01:00", b"0", b""]
    lines = b"".join(b"/store/mc/f\t1\t" + time + b"\n" for time in times)
    assert [row[2] for row in read(lines).rows] == [1700000001] + [1700000000] * 3 + [0, None]


def test_a_date_without_a_time_is_believed_to_be_its_end(read):
    lines = b"/store/mc/a\t1\t2023-11-14\n/store/mc/b\t1\t20231114\n"
    assert [row[2] for row in read(lines).rows] == [1700006399] * 2


def test_a_dump_of_many_blocks_is_whole_and_in_order(read):
    names = [b"/store/mc/%07d/f%s" % (i, b"x" * (i % 300)) for i in range(60_000)]
    result = read(b"".join(b"%s\t%d\t1700000000\n" % (name, i) for i, name in enumerate(names)))
    assert result.paths == names
    assert [row[1] for row in result.rows] == list(range(60_000))
    assert (result.dump.lines, result.dump.bad_lines) == (60_000, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"size": 1}}, "must say where the path is"),
        ({"columns": {"path": 1, "size": "bytes"}}, "all numbers.*or all names"),
        ({"columns": {"path": 0}}, "numbers from 1"),
        ({"columns": {"path": 1, "size": 1}}, "two meanings"),
        ({"columns": {"path": 1}, "format": "ral"}, "must not be given where format is ral"),
        ({"columns": {"path": 1}, "format": "parquet"}, "must be names where format is parquet"),
        ({"date": "yesterday"}, "must be a date or time such as"),
    ],
)
def test_options_that_contradict_themselves_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        DumpSource(url="/dump", **options)
