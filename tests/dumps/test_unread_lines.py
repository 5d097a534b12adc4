"""What a line is about that is no entry: nothing there is missing for sure."""

import pytest

DIRECTORY = b"/store/mc/d1"
GOOD = {"find": b"1 1700000000 %s\n", "paths": b"%s\n", "eos": b'path="%s" size=1 mtime=1700000000.0\n'}
TSV = {"format": "tsv", "columns": {"size": 1, "path": 2}}


def dumped(read, line: bytes, good: bytes, beginning: bytes = b"/store/data/", **options):
    lines = b"".join(good % (beginning + b"%d" % number) for number in range(2000))
    dump = read(lines + line + b"\n", **options).dump
    assert (dump.lines, dump.bad_lines) == (2001, 1)
    return dump


@pytest.mark.parametrize(
    ("format_", "line"),
    [
        ("find", b"1 1700000000 /store/mc/d1/f11 1700000000 /store/mc/d1/f2"),
        ("find", b"1 17000000001 1700000000 /store/mc/d1/f1 "),
        ("find", b"/store/mc/d1/f1"),
        ("find", b"/store/mc/d1/f1 10 checksum: unknown"),
        ("paths", b"root://door//store/mc/d1/f1"),
        ("paths", b"file:/store/mc/d2/../d1/f1"),
        ("eos", b'path="/store/mc/d1/f'),
    ],
)
def test_the_directory_of_whatever_path_is_in_the_line_is_a_hole(read, format_, line):
    assert DIRECTORY in dumped(read, line, GOOD[format_], format=format_).holes


@pytest.mark.parametrize("line", [b"1\t/store/mc/d1/tab\there", b"1700000000 /store/mc/d1/f", b"1\t2\t/store/mc/d1/f"])
def test_the_path_need_not_be_the_first_column(read, line):
    assert DIRECTORY in dumped(read, line, b"1\t%s\n", **TSV).holes


def test_both_of_two_lines_glued_together_are_in_holes(read):
    line = b"1 1700000000 /store/mc/d1/f11 1700000000 /store/mc/d2/f2"
    assert {DIRECTORY, b"/store/mc/d2"} <= dumped(read, line, GOOD["find"], format="find").holes


@pytest.mark.parametrize(
    "line",
    [
        b"find: \xe2\x80\x98/store/mc/d1\xe2\x80\x99: Permission denied",
        b"find: '/store/mc/d1': Permission denied",
        b"find: `/store/mc/d1': No such file or directory",
        b"find: /store/mc/d1: Input/output error".replace(b"/output", b" or output"),
        b"ls: cannot open directory /store/mc/d1: Permission denied",
        b'ls: Permission denied: user=x, access=READ_EXECUTE, inode="/store/mc/d1":cms:cms:drwx------',
        b"[ERROR] Server responded with an error: [3010] Unable to open directory /store/mc/d1; permission denied",
    ],
)
@pytest.mark.parametrize("format_", ["find", "paths", "eos"])
def test_what_a_program_complains_of_is_a_hole_and_its_directory_is_not(read, format_, line):
    dump = dumped(read, line, GOOD[format_], format=format_)
    assert (dump.unlisted, dump.holes) == ({DIRECTORY}, set())


@pytest.mark.parametrize("line", [b"find: './mc/d1': Permission denied", b"find: 'mc/d1': Permission denied"])
def test_a_complaint_about_a_relative_path_is_understood(read, line):
    dump = dumped(read, line, GOOD["find"], b"./data/", format="find")
    assert dump.unlisted == {b"/mc/d1"}


@pytest.mark.parametrize(
    "line", [b"/store/mc/d1/f", b"root://door//pnfs/site/store/mc/d1/f", b"/pnfs/site/./store/mc/d1/f"]
)
def test_a_path_may_lack_the_prefix_of_the_others_or_have_more_before_it(read, line):
    dump = dumped(read, line, GOOD["paths"], b"/pnfs/site/store/data/", format="paths", prefix="/pnfs/site")
    assert DIRECTORY in dump.holes


@pytest.mark.parametrize("line", [b"", b"f", b"(2 rows)", b"END /", b"\xff\xfe"])
def test_a_line_without_the_path_of_a_file_tells_nothing(read, line):
    dump = dumped(read, line, GOOD["find"], format="find")
    assert (dump.unlisted, dump.holes) == (set(), set())
