"""An inventory from a dump: what each format says, and that a dump in any doubt is refused as a whole."""

import bz2
import gzip
import os
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dynamo_consistency.backend import optional_features
from dynamo_consistency.backend.file.inventory import InventoryDump
from dynamo_consistency.backend.file.options import InventorySource
from dynamo_consistency.errors import BackendError

SITE = "T2_X"


def rucio(path, *, rse=SITE, name="f", checksum="ad:1", size=5, created="2026-01-01 00:00:00", updated="", state="A"):
    return "\t".join([rse, "cms", name, checksum, str(size), created, path, updated, state]) + "\n"


@pytest.fixture
def read(write):
    """The rows of a dump, as dictionaries."""

    def read_dump(content, *, name="dump", **options):
        source = InventorySource.model_validate({"url": str(write(name, content)), **options}, by_alias=True)
        return [row for batch in InventoryDump(source, SITE).batches() for row in batch.to_pylist()]

    return read_dump


def known(rows):
    """What is known of each file, without what is null."""
    return {row.pop("path"): {key: value for key, value in row.items() if value is not None} for row in rows}


def test_columns_in_their_usual_order_and_the_last_ones_may_lack(read):
    assert known(read("/store/a\t5\n")) == {b"/store/a": {"size": 5, "in_flight": False}}
    assert known(read("/store/a\t5\t/a/b/c\t1-2\tAnalysis\t1\t1767225600\n")) == {
        b"/store/a": {
            "size": 5,
            "in_flight": False,
            "dataset": "/a/b/c",
            "block": "1-2",
            "group": "Analysis",
            "time": 1767225600,
        }
    }


def test_names_keep_their_bytes(read):
    lines = [b"/store/ a b \t5", b"/store/\xff\xfe\t5", b"/store/a\\nb\t5", b"/store/c\rd\t5", b"//store//e\t5"]
    names = [row["path"] for row in read(b"".join(line + b"\n" for line in lines))]
    assert names == [b"/store/ a b ", b"/store/\xff\xfe", b"/store/a\\nb", b"/store/c\rd", b"/store/e"]


@pytest.mark.parametrize(
    ("line", "in_flight"),
    [
        ("/store/a\t5\t\t\t\t1\t", False),
        ("/store/a\t5\t\t\t\t\t", False),
        ("/store/a\t5\t\t\t\ttrue\t", False),
        ("/store/a\t5\t\t\t\t0\t", True),
        ("/store/a\t5\t\t\t\tNULL\t", True),
        ("/store/a\t5\t\t\t\tperhaps\t", True),
        ("/store/a\t5\t\t\tUnsubscribed\t1\t", True),
        ("/store/a\tmany\t\t\t\t1\t", True),
        ("/store/a\t-3\t\t\t\t1\t", True),
        ("/store/a\t5\t\t\t\t1\tyesterday", True),
    ],
)
def test_what_is_not_clearly_there_is_in_flight(read, line, in_flight):
    (row,) = read(line + "\n")
    assert row["in_flight"] is in_flight


def test_columns_can_be_named(read):
    columns = {"path": "lfn", "size": "bytes", "state": "st", "checksum": "sum", "dataset": "ds"}
    rows = read('st,bytes,lfn,sum,ds\nA,5,"/store/a,b",ad:1,/x\nB,6,/store/c,,\n', format="csv", columns=columns)
    assert known(rows) == {
        b"/store/a,b": {"size": 5, "in_flight": False, "checksum": "ad:1", "dataset": "/x"},
        b"/store/c": {"size": 6, "in_flight": True},
    }


def test_a_parquet_dump_has_its_columns_by_name(read):
    table = pa.table(
        {
            "size": pa.array([5, None], pa.int32()),
            "path": ["/store/a", "/store/b"],
            "complete": [True, False],
            "time": pa.array([datetime(2026, 1, 1, tzinfo=UTC), None]),
            "unrelated": [1, 2],
        }
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    assert known(read(sink.getvalue().to_pybytes(), format="parquet")) == {
        b"/store/a": {"size": 5, "in_flight": False, "time": 1767225600},
        b"/store/b": {"in_flight": True},
    }


def test_bare_paths_and_the_format_of_ral_are_read_too(read):
    assert known(read("/pnfs/x/store/a\n", format="paths", prefix="/pnfs/x")) == {b"/store/a": {"in_flight": False}}
    assert known(read("/store/a b\t5\t20000\n", format="ral")) == {
        b"/store/a b": {"size": 5, "in_flight": False, "time": 20000 * 86400 + 86399}
    }


@pytest.mark.parametrize(
    ("pack", "name"), [(gzip.compress, "dump"), (bz2.compress, "dump.tsv"), (pa.compress, "dump.gz")]
)
def test_a_packed_dump_is_told_by_its_first_bytes(read, pack, name):
    content = b"/store/a\t5\n"
    packed = pa.Codec("zstd").compress(content, asbytes=True) if pack is pa.compress else pack(content)
    assert [row["path"] for row in read(packed, name=name)] == [b"/store/a"]


# --------------------------------------------------------------------------------------------------------------- list


def test_what_the_inventory_exports_is_read_as_it_was(tmp_path, read, write):
    from dynamo_consistency.backend import backends_file

    backend = backends_file.open_backend(backends_file.embedded(tmp_path / "inventory.sqlite"), "default")
    backend.init()
    odd = ["/store/tab\\tnew\\nback\\\\slash", "/store/plain", "/store/going", "/store/free"]
    groups = ["Analysis", "Analysis", "Analysis", "Unsubscribed"]
    lines = [
        f"{name}\t{i}\t/a/b/c\t{group}1\t{group}\t{i != 2:d}\n"
        for i, (name, group) in enumerate(zip(odd, groups, strict=True))
    ]
    backend.import_files(SITE, write("list.tsv", "".join(lines)))
    backend.export_files(SITE, tmp_path / "export.gz")

    rows = read((tmp_path / "export.gz").read_bytes(), format="list")

    mine = {row["path"]: (row["size"], row["in_flight"], row["dataset"], row["group"]) for row in rows}
    theirs = {
        row["path"]: (row["size"], row["in_flight"], row["dataset"], row["group"])
        for batch in optional_features.stream(backend, SITE)
        for row in batch.to_pylist()
    }
    assert mine == theirs
    assert b"/store/tab\tnew\nback\\slash" in mine


def test_a_list_by_hand_may_have_comments_and_lines_of_any_length(read):
    content = "# name\tsize\n/store/a\n\n/store/b\\\\n\t7\n/store/#c\t8\t/a/b/c\tx\tG\t0\t1767225600\n"
    assert known(read(content, format="list")) == {
        b"/store/a": {"in_flight": False},
        b"/store/b\\n": {"size": 7, "in_flight": False},
        b"/store/#c": {
            "size": 8,
            "in_flight": True,
            "dataset": "/a/b/c",
            "block": "x",
            "group": "G",
            "time": 1767225600,
        },
    }


# -------------------------------------------------------------------------------------------------------------- rucio


def test_a_replica_dump_says_what_is_there_and_what_is_in_flight(read):
    states = {state: f"/store/{state}" for state in "AUCBDST"}
    rows = read("".join(rucio(path, state=state) for state, path in states.items()), format="rucio")
    assert {row["path"][-1:]: row["in_flight"] for row in rows} == {state.encode(): state != "A" for state in states}


def test_a_replica_dump_hands_scope_name_and_checksum_on(read):
    (row,) = read(rucio("/store/a", name="/store/a", checksum="0cc737eb"), format="rucio")
    assert (row["scope"], row["name"], row["checksum"], row["size"]) == ("cms", "/store/a", "0cc737eb", 5)


@pytest.mark.parametrize(
    ("created", "updated", "seconds", "in_flight"),
    [
        ("2026-01-01 00:00:00", "2026-01-02 00:00:00", 1767312000, False),
        ("2026-01-01 00:00:00", "2026-01-02T00:00:00.103Z", 1767312001, False),
        ("2026-01-01 00:00:00", "2026-01-02 00:00:00.0", 1767312000, False),
        ("2026-01-01 00:00:00", "", 1767225600, False),
        ("2026-01-01 00:00:00", "null", 1767225600, False),
        ("null", "None", None, False),
        ("2026-01-01 00:00:00", "soon", None, True),
        ("soon", "", None, True),
        ("2026-01-01 00:00:00", "2026-02-30 00:00:00", None, True),
    ],
)
def test_a_replica_is_as_old_as_its_last_update_or_else_its_creation(read, created, updated, seconds, in_flight):
    (row,) = read(rucio("/store/a", created=created, updated=updated), format="rucio")
    assert (row["time"], row["in_flight"]) == (seconds, in_flight)


def test_null_is_no_size_and_no_checksum(read):
    (row,) = read(rucio("/store/null", name="null", size="null", checksum="null"), format="rucio")
    assert (row["size"], row["checksum"], row["name"], row["in_flight"]) == (None, None, "null", False)


def test_paths_without_the_first_slash_are_read_where_all_are_so(read):
    assert [row["path"] for row in read(rucio("store/a") + rucio("store/b"), format="rucio")] == [
        b"/store/a",
        b"/store/b",
    ]
    with pytest.raises(BackendError, match=r"a line of the inventory dump .* has no path"):
        read(rucio("store/a") + rucio("/store/b"), format="rucio")


def test_only_replicas_of_the_rse_count(read):
    content = rucio("/store/a") + rucio("/store/b", rse="T2_Y")
    assert [row["path"] for row in read(content, format="rucio")] == [b"/store/a"]
    assert [row["path"] for row in read(content, format="rucio", rse="T2_Y")] == [b"/store/b"]


def test_a_dump_of_another_rse_is_refused(read):
    with pytest.raises(BackendError, match="has nothing of the RSE T2_X, but of T2_Y; set rse"):
        read(rucio("/store/b", rse="T2_Y"), format="rucio")


# ------------------------------------------------------------------------------------------------------------ refused


GOOD = "".join(f"/store/{number}\t5\n" for number in range(20_000)).encode()


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lambda data: pa.Codec("zstd").compress(data, asbytes=True)]
)
@pytest.mark.parametrize("harm", ["truncated", "corrupt"])
def test_a_dump_that_is_truncated_or_corrupt_is_refused(read, pack, harm):
    packed = bytearray(pack(GOOD))
    middle = len(packed) // 2
    if harm == "truncated":
        del packed[middle:]
    else:
        packed[middle : middle + 40] = bytes(40)
    with pytest.raises(BackendError, match="the inventory cannot be read: "):
        read(bytes(packed))


@pytest.mark.parametrize(
    ("content", "options", "reason"),
    [
        (b"", {}, "is empty"),
        (gzip.compress(b"", mtime=0), {}, "is empty"),
        (b"/store/a\t5\n/store/b", {}, "has no line end"),
        (b"/store/a\t5\n/store/b\n", {}, "does not have the columns: '/store/b'"),
        (b"/store/a\t5\n\n", {}, "does not have the columns"),
        (b"/store/a\t5\n\t5\n", {}, "has no path of a file below the prefix"),
        (b"/store/a\t5\n/store/b/\t5\n", {}, "has no path of a file below the prefix"),
        (b"/store/a\t5\n/store/../b\t5\n", {}, "has no path of a file below the prefix"),
        (b"/pnfs/a\t5\n/pnfs2/b\t5\n", {"prefix": "/pnfs"}, "has no path of a file below the prefix"),
        (b"/store/a\t5\r\n", {}, "Windows line ends"),
        (rucio("/store/a").rpartition("\t")[0].encode() + b"\n", {"format": "rucio"}, "there is no column 9"),
        (rucio("").encode(), {"format": "rucio"}, "has no path of a file"),
        (b"# only a comment\n", {"format": "list"}, "is empty"),
        (b"/store/a\t1\t2\t3\t4\t5\t6\t7\n", {"format": "list"}, "does not have the columns"),
        (b"no parquet at all", {"format": "parquet"}, "cannot be read wholly"),
    ],
)
def test_a_dump_in_doubt_is_refused_as_a_whole(read, content, options, reason):
    with pytest.raises(BackendError, match=reason):
        read(content, **options)


def test_a_dump_that_is_not_there_is_told_without_its_signature():
    source = InventorySource(url="memory://nothing?signature=hunter2")
    with pytest.raises(BackendError, match="nothing") as told:
        list(InventoryDump(source, SITE).batches())
    assert "hunter2" not in str(told.value)


def test_a_dump_that_is_too_old_is_refused(write, read):
    path = write("dump", "/store/a\t5\n")
    os.utime(path, (time.time() - 90_000, time.time() - 90_000))
    with pytest.raises(BackendError, match="is 25 hours old, more than maxAgeSeconds allows; publish a new one"):
        list(InventoryDump(InventorySource(url=str(path)), SITE).batches())
    assert list(InventoryDump(InventorySource(url=str(path), max_age_seconds=100_000), SITE).batches())


def test_the_date_in_the_name_counts_more_than_the_file_s_time(read):
    with pytest.raises(BackendError, match="hours old"):
        read("/store/a\t5\n", name="dump_20260101.tsv")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    assert read("/store/a\t5\n", name="dump_20260101.tsv", date=now)


def test_how_many_lines_are_in_doubt_is_logged(read, caplog):
    read("/store/a\t5\n/store/b\tx\n/store/c\ty\n")
    assert "2 lines of" in caplog.text


def test_memory_does_not_grow_with_the_dump(tmp_path):
    """Measured in a process of its own: 600,000 rows need hardly more than 60,000."""
    code = """
        import resource, sys
        from dynamo_consistency.backend.file.inventory import InventoryDump
        from dynamo_consistency.backend.file.options import InventorySource
        dump = InventoryDump(InventorySource(url=sys.argv[1], format="rucio"), "T2_X")
        print(sum(batch.num_rows for batch in dump.batches()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    """
    peaks = []
    for rows in (60_000, 600_000):
        path = tmp_path / f"{rows}.tsv"
        with path.open("w") as file:
            for number in range(rows):
                file.write(rucio(f"/store/mc/Era/Primary/TIER/x-v1/{number:020}.root", created="", updated=""))
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code), str(path)], capture_output=True, text=True, check=True
        )
        read, peak = done.stdout.split()
        assert int(read) == rows
        peaks.append(int(peak))
    assert peaks[1] < peaks[0] + 60 * 1024, f"{peaks} KiB"


# ------------------------------------------------------------------------------------------------------- misreadings


MANY = [f"/store/mc/f{number}" for number in range(20)]


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("".join(map(rucio, MANY)), {"format": "rucio"}),
        ("".join(f"{path[1:]}\t1\n" for path in MANY), {}),
        ("lfn,size\n" + "".join(f"{path},1\n" for path in MANY), {"format": "csv", "columns": {"path": "lfn"}}),
        ("# x\n" + "".join(f"{path}\t1\n" for path in MANY), {"format": "list"}),
    ],
)
def test_a_byte_order_mark_hides_no_row_and_is_in_no_name(read, mark, content, options):
    assert [row["path"].decode() for row in read(mark + content.encode(), **options)] == MANY
    with pytest.raises(BackendError, match="byte order mark within it"):
        read((mark + content.encode()) * 2, **options)


@pytest.mark.parametrize(
    ("form", "options", "told"),
    [
        ("{path} | 1\n", {"format": "pipe"}, "set trim: true"),
        ("{path}\t1\r\n", {}, "set trim: true"),
        ("{path}\t1\r\n", {"format": "list"}, "set trim: true"),
        ("{path} \t1\n", {"format": "list"}, "set trim: true"),
        ('"{path}"\n', {"format": "paths"}, "quotes around its cells"),
        ("{path} 1\n", {"format": "paths"}, "columns between blanks"),
        ('{{"path": "{path} "}}\n', {"format": "jsonl"}, "set trim: true"),
    ],
)
def test_cells_that_are_dressed_in_something_are_refused(read, form, options, told):
    content = "".join(form.format(path=path) for path in MANY)
    with pytest.raises(BackendError, match=told):
        read(content, **options)
    if "trim" in told:
        assert [row["path"].decode() for row in read(content, trim=True, **options)] == MANY


def test_names_that_are_padded_in_parquet_are_refused_until_they_are_to_be_trimmed(read):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"path": [f"{path:40}" for path in MANY], "size": range(20)}), sink)
    with pytest.raises(BackendError, match="set trim: true"):
        read(sink.getvalue().to_pybytes(), format="parquet")
    rows = read(sink.getvalue().to_pybytes(), format="parquet", trim=True)
    assert [row["path"].decode() for row in rows] == MANY


@pytest.mark.parametrize("factor", [1000, 1_000_000])
def test_times_of_another_unit_would_leave_all_in_flight_for_ever_and_are_refused(read, factor):
    content = "".join(f"{path}\t1\t\t\t\t1\t{1767225600 * factor}\n" for path in MANY)
    with pytest.raises(
        BackendError, match=r"20 of 20 lines .* or a time after tomorrow; look at .* timeFormat \(ms\?\)"
    ):
        read(content)
    unit = {1000: "ms", 1_000_000: "us"}[factor]
    assert {row["time"] for row in read(content, timeFormat=unit)} == {1767225600}


def test_null_words_mean_the_same_as_in_a_sites_dump(read):
    words = ["", "null", "NULL", "None", "\\N", "N/A"]
    rows = read("".join(f"/store/{number}\t{word}\t\t\t\t1\t{word}\n" for number, word in enumerate(words)))
    assert {(row["size"], row["time"], row["in_flight"]) for row in rows} == {(None, None, False)}


def test_an_inventory_may_be_described_by_a_pattern(read):
    content = "T2_X /store/a 5 ad:1\nT2_Y /store/b 6 ad:2\n"
    line = "(?P<rse>[^ ]+) (?P<path>/.*) (?P<size>[0-9]+) (?P<checksum>[^ ]+)"
    assert known(read(content, line=line)) == {b"/store/a": {"size": 5, "in_flight": False, "checksum": "ad:1"}}


def test_lines_of_directories_are_no_files_and_other_kinds_refuse_the_dump(read):
    columns = {"path": 1, "kind": 2}
    assert [row["path"] for row in read("/store/d\td\n/store/a\tf\n", columns=columns)] == [b"/store/a"]
    with pytest.raises(BackendError, match="does not have the columns: '/store/l'"):
        read("/store/l\tl\n/store/a\tf\n", columns=columns)


def test_the_parts_of_an_inventory_are_one_dump(write):
    for number in (1, 2):
        write(f"part-{number}", f"/store/{number}\t5\n")
    folder = str(write("part-1", "/store/1\t5\n").parent)
    batches = InventoryDump(InventorySource(url=f"{folder}/part-*"), SITE).batches()
    assert [path for batch in batches for path in batch["path"].to_pylist()] == [b"/store/1", b"/store/2"]


def test_the_newest_inventory_may_still_be_too_old(write):
    folder = str(write("dump_20260101", "/store/a\t5\n").parent)
    source = InventorySource(url=f"{folder}/dump_%Y%m%d", newest_within_days=3660)
    with pytest.raises(BackendError, match="hours old, more than maxAgeSeconds allows"):
        list(InventoryDump(source, SITE).batches())
