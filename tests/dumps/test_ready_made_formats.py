"""What programs print: frames and counts show whether it is whole, directories are left out, doubt is a bad line."""

import pytest

from dynamo_consistency.check import DumpSource
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump import read_dump

HADOOP = "BEGIN TIME 1700000000 x\n/store/mc/a|1|1700000000|N/A\n/store/mc/b|2|1700000000|N/A\nEND TIME 1700000060 x\n"
PSQL = " path | size | time\n------+------+-----\n /store/mc/a | 1 | 1700000000\n /store/mc/b | | \n(2 rows)\n\n"
ROWS = [(b"/store/mc/a", 1, 1700000000), (b"/store/mc/b", 2, 1700000000)]


def text(read, content, **options):
    return read(content.encode(), **options)


@pytest.mark.parametrize("format_", ["hadoop", "spacemon"])
def test_what_stands_between_begin_and_end_is_read(read, format_):
    assert text(read, HADOOP, format=format_).rows == ROWS


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (HADOOP.replace("END TIME 1700000060 x\n", ""), "has no END line: it was cut short"),
        (HADOOP + HADOOP, "has a BEGIN or END line between its entries"),
        (HADOOP + "/store/mc/c|1|1|N/A\n", "has a BEGIN or END line between its entries"),
        ("/store/mc/c|1|1|N/A\n" + HADOOP, "has a BEGIN or END line between its entries"),
        (HADOOP.replace("END TIME 1700000060 x\n", "END TIME 1\nEND TIME 1\n"), "between its entries"),
    ],
)
@pytest.mark.parametrize("format_", ["hadoop", "spacemon"])
def test_a_frame_that_is_broken_makes_the_dump_unbelievable(read, format_, content, told):
    with pytest.raises(ListingError, match=told):
        text(read, content, format=format_)


def test_hadoop_needs_its_frame_and_spacemon_does_not(read):
    bare = "".join(HADOOP.splitlines(keepends=True)[1:-1])
    assert text(read, bare, format="spacemon").rows == ROWS
    with pytest.raises(ListingError, match="has no BEGIN line"):
        text(read, bare, format="hadoop")


def test_a_frame_that_lies_across_blocks_is_whole_all_the_same(read, monkeypatch):
    from dynamo_consistency.listers.dump import lines

    monkeypatch.setattr(lines, "_BLOCK", 3)
    assert text(read, HADOOP, format="hadoop").rows == ROWS


def test_the_first_line_tells_the_date(read, dump_file):
    assert text(read, HADOOP, format="hadoop").dump.date == 1700000000
    url = str(dump_file(HADOOP.encode(), "dump_20230101"))
    assert read_dump(DumpSource(url=url, format="hadoop")).date == 1672531200
    assert read_dump(DumpSource(url=url, format="hadoop", date="2023-12-01")).date == 1701388800


def test_what_psql_prints_is_read_with_and_without_header(read):
    rows = [(b"/store/mc/a", 1, 1700000000), (b"/store/mc/b", None, None)]
    assert text(read, PSQL, format="chimera").rows == rows
    assert text(read, "/store/mc/a|1|1700000000\n/store/mc/b||\n", format="chimera").rows == rows


def test_a_number_of_rows_that_is_wrong_makes_the_dump_unbelievable(read):
    with pytest.raises(ListingError, match="announces 3 rows and has 2: it was cut short"):
        text(read, PSQL.replace("(2 rows)", "(3 rows)"), format="chimera")


@pytest.mark.parametrize(
    ("format_", "content"),
    [
        ("eos", 'path="/store/mc/x/" size=0\npath="/store/mc/a" size=1 mtime=1700000000.0\n'),
        ("find", "d 4096 1700000000.0 /store/mc/x\nf 1 1700000000.0 /store/mc/a\n"),
        (
            "hdfs",
            "Found 2 items\ndrwxr-xr-x   - x y 0 2023-11-14 22:13 /store/mc/x\n"
            "-rw-r--r--+  2 x domain users 1 2023-11-14 22:13 /store/mc/a\n",
        ),
        ("xrdfs", "dr-x 2023-11-14 22:13:20 4096 /store/mc/x\n-r-- 2023-11-14 22:13:20 1 /store/mc/a\n"),
        ("jsonl", '{"path": "/store/mc/x", "kind": "directory"}\n{"path": "/store/mc/a", "size": 1}\n'),
    ],
)
def test_lines_of_directories_are_no_files_and_no_bad_lines(read, format_, content):
    result = text(read, content, format=format_)
    assert (result.paths, result.dump.bad_lines) == ([b"/store/mc/a"], 0)


def test_a_column_may_say_what_is_a_directory(read):
    content = "".join(f"/store/mc/f{number}\tfile\n" for number in range(2000))
    content += "/store/mc/x\tdirectory\n/store/data/y/link\tsymbolic link\n"
    result = text(read, content, columns={"path": 1, "kind": 2})
    assert (len(result.rows), result.dump.bad_lines, result.dump.holes) == (2000, 1, {b"/store/data/y"})


@pytest.mark.parametrize(
    "line",
    [
        "path=/store/mc/a size=3 size=10 mtime=1700000000.0",
        'path="/store/mc/a" size=3" size=10',
        "/store/mc/a size=10",
        'path="/store/mc/a size=10',
    ],
)
def test_a_line_of_eos_that_is_ambiguous_is_a_bad_line(read, line):
    content = "".join(f'path="/store/mc/f{number}" size=1 mtime=1700000000.0\n' for number in range(2000))
    assert text(read, content + line + "\n", format="eos").dump.bad_lines == 1


def test_a_name_of_eos_may_look_like_a_value(read):
    content = 'path="/store/mc/x=1 y=2.root" fid=1 size=10 mtime=1700000000.0\n'
    assert text(read, content, format="eos-find").paths == [b"/store/mc/x=1 y=2.root"]


def test_names_keep_their_bytes_in_patterns(read):
    content = b"1 1700000000.0 /store/mc/\xff\xfe a\tb\n2 1700000000.0 /store/mc/ c\n"
    assert read(content, format="find").paths == [b"/store/mc/\xff\xfe a\tb", b"/store/mc/ c"]


def test_paths_that_begin_at_the_current_directory_are_relative(read):
    assert text(read, "1 1700000000.0 ./store/mc/a\n2 1700000000.0 ./b\n", format="find").paths == [
        b"/store/mc/a",
        b"/b",
    ]


def test_a_line_that_a_pattern_fits_only_in_part_is_a_bad_line(read):
    content = "".join(f"1 /store/mc/f{number}\n" for number in range(2000)) + "1 /store/data/x/a\ttail\n"
    result = text(read, content, line=r"(?P<size>[0-9]+) (?P<path>/[^\t]*)")
    assert (len(result.rows), result.dump.holes) == (2000, {b"/store/data/x"})
    assert result.dump.bad_lines == 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("(?P<size>[0-9]+)", "must have a group"),
        ("(?P<path>.*", "is no regular expression"),
        ("(?P<path>.*)(?=x)", "must do without look-around"),
        ("(?P<path>.*)(?P<owner>x)", "has the group owner; known are path, size"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_in_the_check(line, told):
    with pytest.raises(ValueError, match=told):
        DumpSource(url="/dump", line=line)


def test_any_separator_lines_to_skip_and_comments(read):
    content = "made by x\n\n# files\npath::size\n/store/mc/a::1\n# more\n/store/mc/b::2\n"
    options = {"delimiter": "::", "skip_lines": 2, "comment": "#", "columns": {"path": "path", "size": "size"}}
    assert [row[:2] for row in text(read, content, **options).rows] == [row[:2] for row in ROWS]
    content = content.replace("::", ";")
    assert len(text(read, content, format="csv", **(options | {"delimiter": ";"})).rows) == 2


# ------------------------------------------------------------------------------------------------------------- syncat

ENTRY = '<entry name="/store/mc/{}"><size>1</size><mtime>1700000000</mtime></entry>'
SYNCAT = '<dump recorded="2023-11-20T00:00:00Z"><entry-set>{}</entry-set></dump>'


def test_xml_is_read_piece_by_piece(read):
    result = text(read, SYNCAT.format("".join(map(ENTRY.format, range(20_000)))), format="syncat")
    assert len(result.rows) == 20_000
    assert result.dump.date == 1700438400


def test_names_in_xml_are_unescaped_and_namespaces_do_not_matter(read):
    content = SYNCAT.format(ENTRY.format("a&amp;b &#233;")).replace("<dump", '<dump xmlns="http://x"')
    assert text(read, content, format="syncat").paths == ["/store/mc/a&b é".encode()]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (BOMB + SYNCAT.format(ENTRY.format("&b;")), "has a DTD, with which XML can be blown up"),
        (SYNCAT.format(ENTRY.format("&nothing;")), "is cut short, or no XML"),
        (SYNCAT.format(ENTRY.format("a"))[:-20], "is cut short, or no XML"),
        (SYNCAT.format("".join(map(ENTRY.format, range(20_000))))[:900_000], "is cut short, or no XML"),
        (SYNCAT.format(""), "is empty"),
        ("<html/>", "begins with the element html"),
        (SYNCAT.format("<entry/>"), "without a name"),
        (SYNCAT.format("<entry name='/a'><entry name='/b'/></entry>"), "has an entry in an entry"),
        (SYNCAT.format("<entry name='/a'><size>1</size><size>2</size></entry>"), "gives the size of '/a' twice"),
        ('<?xml version="1.0" encoding="latin-1"?>' + SYNCAT.format(ENTRY.format("a")), "in latin-1"),
        ("<x>" * 50, "begins with the element x"),
        (SYNCAT.format("<x>" * 50), "nested too deeply"),
        ("/store/mc/a\t1\n", "no XML"),
    ],
)
def test_xml_in_doubt_is_refused(read, content, told):
    with pytest.raises(ListingError, match=told):
        text(read, content, format="syncat")


# --------------------------------------------------------------------------------------------------------- JSON lines


def test_a_line_of_json_in_doubt_is_a_bad_line(read):
    good = "".join(f'{{"path": "/store/mc/f{number}", "size": {number}}}\n' for number in range(9000))
    odd = [
        '{"path": "/store/mc/a", "path": "/store/mc/b"}',
        '{"path": "/store/mc/a", "mtime": 1}',
        '{"path": ["/store/mc/a"]}',
        '["/store/mc/a", 1]',
        '{"path": "/store/mc/a"',
        '{"path": "/store/mc/\\ud800"}',
        "",
    ]
    result = text(read, good + "".join(f"{line}\n" for line in odd), format="jsonl", max_bad_line_fraction="0.01")
    assert (len(result.rows), result.dump.bad_lines) == (9000, len(odd))


def test_names_in_json_keep_their_bytes(read):
    content = b'{"path": "/store/mc/\\udcff\\n"}\n{"path": "/store/mc/\xff\xe9"}\n{"path": "/store/mc/\\u00e9"}\r\n'
    assert read(content, format="jsonl").paths == [b"/store/mc/\xff\n", b"/store/mc/\xff\xe9", "/store/mc/é".encode()]
