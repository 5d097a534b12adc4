"""A dump that is not whole is no dump; what cannot be read of it is never taken for a loss."""

import bz2
import gzip
import http.server
import threading
import traceback

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dynamo_consistency import secrets
from dynamo_consistency.check import DumpSource
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump import DumpLister, read_dump

DATE = 1_790_000_000
LINES = b"".join(b"/store/mc/%06d\t%d\t1700000000\n" % (i, i * 7919) for i in range(50_000))
PACK = {"gz": gzip.compress, "bz2": bz2.compress, "zst": lambda data: bytes(pa.Codec("zstd").compress(data))}


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("lost", [1, 8, 5000])
def test_a_packed_dump_that_was_cut_short_is_an_error(read, kind, lost):
    with pytest.raises(ListingError, match="cannot be read wholly"):
        read(PACK[kind](LINES)[:-lost])


@pytest.mark.parametrize("kind", ["gz", "bz2"])
def test_a_packed_dump_with_a_flipped_byte_is_an_error(read, kind):
    packed = bytearray(PACK[kind](LINES))
    packed[len(packed) // 2] ^= 0x10
    with pytest.raises(ListingError, match="cannot be read wholly"):
        read(bytes(packed))


def test_a_packed_dump_followed_by_garbage_is_an_error(read):
    with pytest.raises(ListingError, match="cannot be read wholly"):
        read(gzip.compress(LINES) + b"garbage")


def test_parquet_that_was_cut_short_is_an_error(read, dump_file, tmp_path):
    pq.write_table(pa.table({"path": ["/store/mc/a"] * 1000}), tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    for content in (whole[:-1], whole[: len(whole) // 2], b"", b"PAR1"):
        with pytest.raises(ListingError, match="cannot be read wholly"):
            read(content, format="parquet")


@pytest.mark.parametrize("format_", ["tsv", "csv", "paths", "ral"])
def test_a_last_line_without_its_end_is_a_dump_that_was_cut_short(read, format_):
    with pytest.raises(ListingError, match="no line end: the dump was cut short"):
        read(b"/store/mc/a\n/store/mc/b", format=format_)


def test_a_quote_that_is_never_closed_is_an_error(read):
    with pytest.raises(ListingError, match="cannot be read wholly"):
        read(b'/store/mc/a,1\n"/store/mc/b,1\n/store/mc/c,1\n', format="csv")


@pytest.mark.parametrize("format_", ["tsv", "csv", "pipe", "ral", "paths"])
def test_an_empty_dump_is_an_error(read, format_):
    with pytest.raises(ListingError, match="is empty"):
        read(b"", format=format_)


def test_a_header_alone_is_an_empty_dump(read):
    with pytest.raises(ListingError, match="is empty"):
        read(b"path\tsize\n", columns={"path": "path"})


def test_parquet_without_rows_is_an_empty_dump(read, tmp_path):
    pq.write_table(pa.table({"path": pa.array([], pa.string())}), tmp_path / "dump")
    with pytest.raises(ListingError, match="is empty"):
        read(b"", url=str(tmp_path / "dump"), format="parquet")


def test_windows_line_ends_are_refused_and_named(read):
    with pytest.raises(ListingError, match="Windows line ends"):
        read(b"/store/mc/a\r\n/store/mc/b\r\n", format="paths")


def test_something_that_is_no_list_is_refused_before_it_fills_the_memory(read):
    with pytest.raises(ListingError, match="a line of more than 1 MiB"):
        read(b"x" * (8 << 20))


def test_a_bad_line_is_counted_and_its_directory_becomes_a_hole(read):
    good = b"".join(b"/store/mc/%d\t1\t1700000000\n" % i for i in range(5000))
    result = read(good + b"/store/data/tab\there\t1\t1700000000\n" + b"/store/mc/last\t1\t1700000000\n")
    assert len(result.rows) == 5001
    assert (result.dump.lines, result.dump.bad_lines) == (5002, 1)
    assert result.dump.holes == {b"/store/data"}
    assert "tab\\there" in result.dump.notes[0]


def test_the_two_halves_of_a_name_with_a_line_break_make_a_hole_and_no_file(read):
    good = b"".join(b"/store/mc/%d\t1\t1700000000\n" % i for i in range(5000))
    result = read(good + b"/store/data/x/new\nline\t1\t1700000000\n")
    assert len(result.rows) == 5000
    assert result.dump.bad_lines == 2
    assert result.dump.holes == {b"/store/data/x"}


@pytest.mark.parametrize(
    "cells",
    [b"x\t1700000000", b"-1\t1700000000", b"1\tyesterday", b"1\t20261322", b"1\t19700", b"1e3\t1700000000", b" 1\t0"],
)
def test_a_file_with_an_unreadable_size_or_time_is_there_and_left_alone(read, cells):
    good = b"".join(b"/store/mc/%d\t1\t1700000000\n" % i for i in range(5000))
    result = read(good + b"/store/mc/odd\t" + cells + b"\n")
    assert result.rows[-1] == (b"/store/mc/odd", None, DATE)
    assert (result.dump.bad_lines, result.dump.holes) == (1, set())


@pytest.mark.parametrize("line", [b"/store/mc/./f", b"/store/mc/..", b"store/mc/f", b""])
def test_a_path_that_names_no_file_is_a_bad_line(read, line):
    result = read(b"/store/mc/a\n" * 2000 + line + b"\n", format="paths")
    assert (len(result.rows), result.dump.bad_lines) == (2000, 1)


@pytest.mark.parametrize("line", [b"/store/mc/directory/", b"/"])
def test_a_path_that_ends_with_a_slash_is_a_directory_and_no_file(read, line):
    result = read(b"/store/mc/a\n" * 3 + line + b"\n", format="paths")
    assert (len(result.rows), result.dump.lines, result.dump.bad_lines) == (3, 4, 0)


def test_too_many_bad_lines_make_the_dump_unbelievable(read):
    lines = b"/store/mc/a\t1\n" * 999 + b"/store/mc/b\n"
    assert read(lines).dump.bad_lines == 1
    with pytest.raises(ListingError, match=r"2 of 1000 lines .* more than maxBadLineFraction.*/store/mc/b"):
        read(lines[len(b"/store/mc/a\t1\n") :] + b"/store/mc/c\n")


def test_the_prefix_ends_at_a_component(read):
    lines = b"/pnfs/rwth/store/mc/a\n//pnfs//rwth//store///mc/b\n/pnfs/rwth2/store/mc/c\n/other/store/mc/d\n"
    result = read(lines, format="paths", prefix="/pnfs/rwth", max_bad_line_fraction="0.5")
    assert result.paths == [b"/store/mc/a", b"/store/mc/b"]
    assert (result.dump.bad_lines, result.dump.holes) == (2, {b"/pnfs/rwth2/store/mc", b"/other/store/mc"})


def test_relative_paths_are_taken_as_such_when_all_are_relative(read):
    result = read(b"rucio/mc/a\nrucio//mc/b\n", format="paths", prefix="/rucio")
    assert result.paths == [b"/mc/a", b"/mc/b"]


def test_many_notes_are_cut_at_a_hundred(read):
    result = read(b"/store/mc/a\t1\n" + b"/store/mc/b\tx\n" * 300, max_bad_line_fraction="1")
    assert (len(result.dump.notes), result.dump.bad_lines) == (100, 300)


def test_a_dump_that_is_not_there_is_said_in_one_sentence(tmp_path):
    with pytest.raises(ListingError, match=r"there is no dump .*/nothing"):
        read_dump(DumpSource(url=str(tmp_path / "nothing")))
    with pytest.raises(ListingError, match=r"there is no dump .*/nothing_20260101"):
        list(read_dump(DumpSource(url=str(tmp_path / "nothing_20260101"))).batches())


def test_a_directory_is_no_dump(tmp_path):
    with pytest.raises(ListingError, match="cannot be read wholly"):
        list(read_dump(DumpSource(url=str(tmp_path))).batches())


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense://host/dump_20260101", "the dump nonsense://host/dump_20260101 cannot be read wholly: .*nonsense"),
        ("http://127.0.0.1:1/dump_20260101", r"there is no dump http://127.0.0.1:1/dump_20260101 \(Cannot connect"),
    ],
)
def test_what_cannot_be_reached_is_said_in_one_sentence(url, message):
    with pytest.raises(ListingError, match=message):
        list(read_dump(DumpSource(url=url)).batches())


def test_no_credential_of_a_url_is_shown():
    url = "http://user:hunter2@127.0.0.1:1/dump_20260101?X-Amz-Signature=deadbeef"
    with pytest.raises(ListingError) as caught:
        list(read_dump(DumpSource(url=url)).batches())
    assert "hunter2" not in str(caught.value)
    assert "deadbeef" not in str(caught.value)
    assert "deadbeef" not in secrets.redact("".join(traceback.format_exception(caught.value)))


def test_a_question_mark_in_a_local_name_is_no_query(dump_file):
    dump = read_dump(DumpSource(url=str(dump_file(b"/store/mc/a\n", "dump?_20260101"))))
    assert (dump.date, sum(map(len, dump.batches()))) == (1767225600, 1)
    assert dump.name.endswith("dump?_20260101")


@pytest.fixture
def web_server():
    """Serves a dump of two lines, wholly or cut short; its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(LINES)))
            self.end_headers()
            self.wfile.write(LINES if self.path.startswith("/whole") else LINES[: LINES.rindex(b"\n", 0, 700_000) + 1])

        def do_HEAD(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(LINES)))
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_dump_is_read_from_a_web_server(read, web_server):
    assert len(read(b"", url=f"{web_server}/whole_20260101").rows) == 50_000


def test_a_download_that_breaks_off_at_the_end_of_a_line_is_an_error(read, web_server):
    with pytest.raises(ListingError, match="cannot be read wholly"):
        read(b"", url=f"{web_server}/short_20260101")


def test_a_web_server_that_tells_no_time_needs_a_date(web_server):
    with pytest.raises(ListingError, match=r"nothing tells when the dump .* was taken; set its date"):
        read_dump(DumpSource(url=f"{web_server}/whole"))
    assert read_dump(DumpSource(url=f"{web_server}/whole", date="2026-01-01")).date == 1767225600


@pytest.mark.parametrize(
    ("name", "date", "moment"),
    [
        ("dump", None, DATE),
        ("dump_20260101.gz", None, 1767225600),
        ("2026-01-01-0130.tsv", None, 1767231000),
        ("dump_20260101-20260107", None, 1767225600),
        ("run_12345678.tsv", None, DATE),
        ("dump_20260101", "2026-01-02T00:00:00+01:00", 1767308400),
    ],
)
def test_the_date_is_the_given_one_else_that_of_the_name_else_the_modification(dump_file, name, date, moment):
    assert read_dump(DumpSource(url=str(dump_file(b"", name)), date=date)).date == moment


def test_a_dump_from_the_future_is_refused(dump_file):
    with pytest.raises(ListingError, match="is dated 2093-01-01, which is in the future"):
        read_dump(DumpSource(url=str(dump_file(b"", "dump_20930101"))))


def test_a_dump_can_be_asked_directory_by_directory(dump_file):
    lines = b"/store/mc/x/a\t1\t1700000000\n/store/mc/b\t\t\n" * 1000 + b"/store/data/odd\n"
    lister = DumpLister(DumpSource(url=str(dump_file(lines))))
    assert lister.list("/store") == (True, [(b"mc", None)], [])
    ok, directories, files = lister.list(b"/store/mc")
    assert (ok, directories, files[0]) == (True, [(b"x", None)], (b"b", -1, DATE))
    assert lister.list("/store/data")[0] is False
    assert lister.list("/store/nowhere")[0] is False
