"""What looks like another format than the one that is given is refused, and told what to write; nothing is misread."""

import json
import random

import pytest

from dynamo_consistency.errors import ListingError

NAMES = [f"/store/mc/EraX/Prim/f{number:03}.root" for number in range(20)]


def lines(form):
    return "".join(form.format(name=name, time=1700000000) + "\n" for name in NAMES).encode()


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>\n", {}, "looks like an HTML page"),
        (b"\n\n  <HTML>\n", {"format": "paths"}, "looks like an HTML page"),
        (b"<?xml version='1.0'?>\n<dump></dump>\n", {"format": "csv"}, "looks like XML; set format: syncat"),
        (lines('{{"path": "{name}", "size": 1}}'), {"format": "csv"}, "looks like JSON; set format: jsonl"),
        (json.dumps([{"path": name} for name in NAMES]).encode() + b"\n", {"format": "jsonl"}, "a JSON list"),
        (json.dumps({"path": NAMES[0]}, indent=2).encode() + b"\n", {"format": "jsonl"}, "is not in JSON lines"),
        (lines("{name}\t1"), {"format": "jsonl"}, "is not in JSON lines"),
        (lines('{{"lfn": "{name}"}}'), {"format": "jsonl"}, "have no path, .*say in `columns` which key"),
        (b"PAR1\x15\x04\n", {}, "Parquet"),
        (b"SQLite format 3\x00\n", {}, "an SQLite database"),
        (lines("{name}").replace(b"\n", b"\0"), {"format": "paths"}, "NUL bytes.*find -print0"),
        (lines("{name}")[:-100] + b"\0" * 100 + b"\n", {"format": "paths"}, "NUL bytes"),
        (lines("{name}").decode().encode("utf-16"), {"format": "paths"}, "UTF-16"),
        (lines("{name}").decode().encode("utf-16-be"), {"format": "paths"}, "UTF-16"),
        (lines("{name} 10 {time}"), {"format": "paths"}, "every path .* it looks like columns between blanks"),
        (lines("{name}\t10"), {"format": "paths"}, "it looks like tsv"),
        (lines("{name}|10|{time}"), {}, "it looks like pipe"),
        (lines("{name},10,{time}"), {}, 'it looks like csv"?$'),
        (lines("{name};10;{time}"), {"format": "csv"}, 'it looks like csv with delimiter ";"'),
        (lines("10|{name}"), {"format": "paths"}, "it looks like pipe"),
        (
            lines('path="{name}" size=1 mtime={time}.0'),
            {"format": "paths"},
            "looks like eos-find",
        ),
        (lines("-rw-r--r--   2 cms cms   1 2026-11-18 11:06 {name}"), {}, "looks like hdfs"),
        (lines("-r-- 2026-11-18 11:06:40    1 {name}"), {"format": "paths"}, "looks like xrdfs"),
        (lines("1 {time}.000 {name}"), {"format": "paths"}, "looks like find"),
        (b"BEGIN TIME 1700000000 x\n" + lines("{name}|1|{time}|N/A"), {"format": "pipe"}, "looks like hadoop"),
        (lines("{name}|1|{time}"), {"format": "eos"}, "does not|cannot be read"),
        (b"path\tsize\n" + lines("{name}\t1"), {}, "looks like a header .*'path'.*skipLines: 1"),
        (lines("{name}").replace(b"root", b"r%6Fot"), {"format": "paths"}, "look escaped, such as"),
        (lines("{name}").replace(b"root", rb"r\157ot"), {"format": "paths"}, "look escaped, such as"),
        (b"path\tsize\n" + lines("{name}\t1").replace(b"/store", b"store"), {}, "looks like a header"),
        (b"# files of T2_X\n" + lines("{name}"), {"format": "paths"}, 'begins with a comment; set comment: "#"'),
    ],
)
def test_another_format_is_refused_and_named(read, content, options, told):
    with pytest.raises(ListingError, match=told):
        read(content, max_bad_line_fraction="0.9", **options)


@pytest.mark.parametrize(
    "form",
    [
        "{name} \t1",
        "{name}\u00a0\t1",
        "\u00a0{name}\t1",
        " {name}\t1",
        "{name}\t 1",
        "{name}\t1 ",
        "{name}\t1\t{time} ",
        "{name}\t \t{time} ",
    ],
)
def test_blanks_around_cells_are_refused_until_they_are_to_be_trimmed(read, form):
    with pytest.raises(ListingError, match=r"blanks around its cells .*set trim: true"):
        read(lines(form), max_bad_line_fraction="1")
    assert read(lines(form), trim=True).paths == [name.encode() for name in NAMES]
    assert read(lines(form), trim=True, format="csv", delimiter="\t").paths == [name.encode() for name in NAMES]


def test_names_that_are_padded_to_one_length_are_refused_although_the_longest_has_no_blank(read):
    random.seed(1)
    names = [f"/store/mc/{'x' * random.randint(1, 30)}" for _ in range(20)]
    with pytest.raises(ListingError, match="set trim: true"):
        read("".join(f"{name:40}|1\n" for name in names).encode(), format="pipe")


def test_a_few_names_with_blanks_at_their_ends_are_names(read):
    content = lines("{name}") + b"/store/mc/EraX/Prim/blank \n"
    assert read(content, format="paths").paths[-1] == b"/store/mc/EraX/Prim/blank "


def test_a_blank_in_the_directory_of_all_is_no_separator(read):
    content = "".join(f"/My Data/a,b/f{number}\n" for number in range(20)).encode()
    assert len(read(content, format="paths").rows) == 20


@pytest.mark.parametrize(("form", "format_"), [('"{name}"', "paths"), ('"{name}"\t"1"', "tsv"), ("'{name}'|1", "pipe")])
def test_quotes_where_the_format_has_none_are_refused(read, form, format_):
    with pytest.raises(ListingError, match="quotes around its cells"):
        read(lines(form), format=format_)


@pytest.mark.parametrize(
    "content",
    [
        b'"/store/a,1\n/store/b,1\n/store/c",1\n',
        b'/store/a,"1\n/store/b,1"\n',
        b'1,"/store/a\n1,/store/b\n1,/store/c"\n',
        b'"store/a\nstore/b"\n',
        b'/store/a,1\n"/store/b,1\n/store/c,1\n',
        b'"/store/a"b,1\n',
    ],
)
def test_a_stray_quote_swallows_no_line(read, content):
    with pytest.raises(ListingError, match="quote"):
        read(content, format="csv", max_bad_line_fraction="1", columns=None if content[:1] != b"1" else {"path": 2})


@pytest.mark.parametrize("first", ["", f"{NAMES[0]}\n", "# x\n"])
@pytest.mark.parametrize("format_", ["paths", "tsv", "rce"])
def test_windows_line_ends_are_never_part_of_a_name(read, first, format_):
    content = (first + "".join(f"{name}\r\n" for name in NAMES)).encode()
    if format_ != "rce":
        with pytest.raises(ListingError, match=r"Windows line ends \(CR LF\); set trim: true"):
            read(content, format=format_)
    result = read(content, format=format_, trim=True, comment="#")
    assert set(result.paths) == {name.encode() for name in NAMES}


@pytest.mark.parametrize("format_", ["paths", "tsv", "csv", "pipe", "jsonl", "rce"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(read, format_):
    content = lines('{{"path": "{name}"}}' if format_ == "jsonl" else "{name}")
    assert read(b"\xef\xbb\xbf" + content, format=format_).paths == [name.encode() for name in NAMES]


def test_a_mark_alone_is_an_empty_dump(read):
    with pytest.raises(ListingError, match="is empty"):
        read(b"\xef\xbb\xbf", format="paths")


def test_a_file_beside_the_directories_of_a_relative_list_is_no_header(read):
    assert read(b"README\nstore/mc/a\n", format="paths").paths == [b"/README", b"/store/mc/a"]
