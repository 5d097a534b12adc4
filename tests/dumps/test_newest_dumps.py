"""Which files a dump is: the newest of dated ones, and all parts of it or none."""

import functools
import http.server
import os
import threading
import time
from datetime import UTC, datetime, timedelta

import fsspec
import pytest

from dynamo_consistency.check import DumpSource
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump import read_dump

DAY = 86400
NOW = datetime.now(UTC)


def ago(days, form="%Y%m%d"):
    return (NOW - timedelta(days=days)).strftime(form)


def beginning(days):
    """The beginning of the day so long ago, in seconds since 1970."""
    return (NOW - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


@pytest.fixture
def folder(tmp_path):
    """Writes files of one line each: the LFN has the name of its file."""

    def write(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"/store/mc/{name.replace('/', '-')}\n")
        return str(tmp_path)

    return write


def read(url, **options):
    """(which files were read, the date)"""
    dump = read_dump(DumpSource(url=url, **options))
    paths = [path.decode().removeprefix("/store/mc/") for batch in dump.batches() for path in batch["path"].to_pylist()]
    return paths, dump.date


@pytest.mark.parametrize(
    ("pattern", "form"),
    [
        ("dump_%Y%m%d", "dump_%Y%m%d"),
        ("dump_*", "dump_%Y%m%d"),
        ("*.gz", "%Y-%m-%d.gz"),
        ("dump_%d-%m-%Y.txt", "dump_%d-%m-%Y.txt"),
        ("dump_*", "dump_%d-%m-%Y.txt"),
        ("%y%m%d.lst", "%y%m%d.lst"),
        ("%Y/%m/%d/list", "%Y/%m/%d/list"),
        ("%Y-%m-%d/T2_X/list", "%Y-%m-%d/T2_X/list"),
        ("*/T2_X/list", "%Y-%m-%d/T2_X/list"),
        ("%Y.%j", "%Y.%j"),
    ],
)
def test_the_newest_of_dated_dumps_is_read_and_is_of_its_date(folder, pattern, form):
    where = folder(*(ago(days, form) for days in (9, 2, 5)))
    paths, date = read(f"{where}/{pattern}")
    assert (paths, date) == ([ago(2, form).replace("/", "-")], beginning(2))


def test_the_newest_is_told_by_its_name_and_not_by_the_time_of_its_copy(folder):
    where = folder(f"dump_{ago(9)}", f"dump_{ago(2)}")
    os.utime(f"{where}/dump_{ago(9)}", (time.time(), time.time()))
    os.utime(f"{where}/dump_{ago(2)}", (1_600_000_000, 1_600_000_000))
    assert read(f"{where}/dump_*")[0] == [f"dump_{ago(2)}"]


@pytest.mark.parametrize(
    "form", ["dump_{}.tmp", "dump_{}.tsv.part", ".dump_{}.a8Fe3x", "dump_{}~", "dump_{}._COPYING_"]
)
def test_a_list_that_is_still_being_written_is_not_the_newest(folder, form):
    where = folder(f"dump_{ago(2)}", form.format(ago(1)))
    assert read(f"{where}/*dump_*")[0] == [f"dump_{ago(2)}"]


def test_a_date_of_another_time_zone_is_no_later_than_the_list_was_written(folder):
    where = folder(f"dump_{ago(2)}")
    began = beginning(2)
    for written, date in ((began - 9 * 3600, began - 9 * 3600), (began + 9 * 3600, began), (began - 2 * DAY, began)):
        os.utime(f"{where}/dump_{ago(2)}", (written, written))
        assert read(f"{where}/dump_*")[1] == date


def test_epochs_and_times_of_day_are_dates_too(folder):
    moment = int(time.time()) - 3600
    assert read(f"{folder(f'all.{moment - DAY}.txt', f'all.{moment}.txt')}/all.*.txt") == (
        [f"all.{moment}.txt"],
        moment,
    )
    paths, _ = read(f"{folder(f'd_{ago(1)}T0430', f'd_{ago(1)}T1630')}/d_*")
    assert paths == [f"d_{ago(1)}T1630"]


def test_a_dump_of_longer_ago_is_not_taken_for_the_newest(folder):
    where = folder(f"dump_{ago(40)}")
    with pytest.raises(ListingError, match=r"the newest dump .* is of .*, longer ago than newestWithinDays \(30\)"):
        read(f"{where}/dump_%Y%m%d")
    assert read(f"{where}/dump_%Y%m%d", newest_within_days=50)[0] == [f"dump_{ago(40)}"]


def test_a_dump_that_is_too_old_is_refused_however_it_is_named(folder):
    where = folder(f"dump_{ago(5)}")
    with pytest.raises(ListingError, match="hours old, more than maxAgeSeconds allows"):
        read(f"{where}/dump_{ago(5)}", max_age_seconds=2 * DAY)
    assert read(f"{where}/dump_{ago(5)}", max_age_seconds=7 * DAY)


def test_a_newest_dump_of_the_future_is_refused(folder):
    with pytest.raises(ListingError, match="which is in the future; set its date"):
        read(f"{folder(f'dump_{ago(2)}', f'dump_{ago(-9)}')}/dump_*")


def test_no_file_that_fits_is_said_in_one_sentence(folder):
    with pytest.raises(ListingError, match=r"there is no dump .*/dump_%Y%m%d; look at its url"):
        read(f"{folder('other')}/dump_%Y%m%d")
    with pytest.raises(ListingError, match="there is no dump"):
        read(f"{folder('other')}/nowhere/dump_*")


def test_brackets_and_question_marks_are_no_wildcards(folder):
    assert read(f"{folder('a[1]?_1', 'a1x_2')}/a[1]?_*")[0] == ["a[1]?_1"]


# -------------------------------------------------------------------------------------------------------------- parts


def test_a_list_of_urls_is_one_dump(folder):
    where = folder("a", "b")
    assert read([f"{where}/a", f"{where}/b"])[0] == ["a", "b"]


def test_numbered_files_of_one_date_are_one_dump(folder):
    names = [f"dump_{ago(1)}.{number:05}" for number in range(3)]
    paths, date = read(f"{folder(*names, f'dump_{ago(4)}.00000')}/dump_%Y%m%d.*")
    assert (paths, date) == (names, beginning(1))


def test_numbered_files_without_a_date_are_one_dump_if_they_were_written_together(folder):
    where = folder("part-1", "part-2")
    assert read(f"{where}/part-*")[0] == ["part-1", "part-2"]
    for left_from_the_day_before in (0.9 * DAY, 3 * DAY):
        os.utime(f"{where}/part-1", (time.time() - left_from_the_day_before,) * 2)
        with pytest.raises(ListingError, match="the parts of the dump are not of one date"):
            read(f"{where}/part-*")


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["part-1", "part-3"], "not numbered from 0 or 1 without a gap"),
        (["part-2", "part-3"], "not numbered from 0 or 1 without a gap"),
        (["T2_X", "T2_Y"], "not numbered from 0 or 1 without a gap"),
        (["list.gz", "list.gz.md5"], "not numbered from 0 or 1 without a gap"),
        (["1of3", "2of3"], "2 of 3 parts: it is not all there"),
        (["1of3"], "1 of 3 parts: it is not all there"),
    ],
)
def test_parts_that_are_not_all_there_are_no_dump(folder, names, why):
    with pytest.raises(ListingError, match=why):
        read(f"{folder(*names)}/*")


def test_a_dump_that_has_fewer_parts_than_the_one_before_is_still_being_written(folder):
    before = [f"dump_{ago(4)}.{number}" for number in range(3)]
    with pytest.raises(ListingError, match="has 2 parts, and the one before has 3"):
        read(f"{folder(*before, f'dump_{ago(1)}.0', f'dump_{ago(1)}.1')}/dump_*")


def test_parts_of_different_dates_are_no_dump_even_where_a_date_is_given(folder):
    where = folder(f"a_{ago(1)}", f"b_{ago(2)}")
    with pytest.raises(ListingError, match="the parts of the dump are not of one date"):
        read([f"{where}/a_%Y%m%d", f"{where}/b_%Y%m%d"], date=ago(1, "%Y-%m-%d"))


def test_an_empty_part_is_a_copy_that_failed(folder):
    where = folder("part-1", "part-2")
    open(f"{where}/part-2", "w").close()  # noqa: PTH123
    with pytest.raises(ListingError, match=r"a part of the dump, .*part-2, is empty"):
        read(f"{where}/part-*")


def test_parts_with_other_columns_are_no_dump(folder):
    where = folder("a", "b")
    with open(f"{where}/b", "w") as file:  # noqa: PTH123
        file.write("/store/mc/b\t1\n")
    with pytest.raises(ListingError, match="has other columns than the parts before"):
        read([f"{where}/a", f"{where}/b"])


# ------------------------------------------------------------------------------------------------------------- remote


@pytest.fixture
def web_server(tmp_path):
    """Serves the folder, with an index of it; and counts what is asked for."""
    pytest.importorskip("aiohttp", reason="pip install aiohttp")

    class Handler(http.server.SimpleHTTPRequestHandler):
        status = 404

        def send_error(self, code, *rest):
            super().send_error(self.status if code == 404 else code, *rest)

        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.url, server.handler = f"http://127.0.0.1:{server.server_port}", Handler
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_web_server_is_asked_for_each_day(folder, web_server):
    folder(f"dump_{ago(9)}", f"dump_{ago(2)}")
    assert read(f"{web_server.url}/dump_%Y%m%d") == ([f"dump_{ago(2)}"], beginning(2))


def test_a_web_server_that_is_in_trouble_has_no_newest_dump(folder, web_server):
    folder(f"dump_{ago(2)}")
    web_server.handler.status = 503
    with pytest.raises(ListingError, match=r"there is no dump .*503"):
        read(f"{web_server.url}/dump_%Y%m%d")


def test_the_index_of_a_web_server_is_searched_for_a_pattern(folder, web_server):
    names = [f"dump_{ago(2)}.{number}" for number in (1, 2)]
    folder(*names, f"dump_{ago(9)}.1")
    assert read(f"{web_server.url}/dump_%Y%m%d.*")[0] == names
    assert read(f"{web_server.url}/dump_*")[0] == names


def test_an_object_store_is_searched_as_a_folder_is():
    files = fsspec.filesystem("memory")
    try:
        for days in (9, 2, 5):
            files.pipe(f"/dumps/x/dump_{ago(days)}", b"/store/mc/%d\n" % days)
        assert read("memory://dumps/x/dump_%Y%m%d") == (["2"], beginning(2))
    finally:
        files.rm("/dumps", recursive=True)
