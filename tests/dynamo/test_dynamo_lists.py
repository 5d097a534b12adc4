"""Lists of files, in and out, to try things without a Dynamo."""

import gzip
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamo_consistency.errors import BackendError, ConfigurationError, ListingError

HEADER = b"# name\tsize\tdataset\tblock\tgroup\tcomplete\ttime\n"
ODD = b"/store/tab\\tline\\nreturn\\rback\\\\slash \xff %s 'q' $() #\xe6\x97\xa5 "


@pytest.fixture
def load(own_world, tmp_path):
    """Imports lines as the files of a site."""

    def make(content: bytes, site: str = "T2_HERE") -> int:
        (tmp_path / "list.tsv").write_bytes(content)
        return own_world.backend().import_files(site, tmp_path / "list.tsv")

    return make


@pytest.fixture
def dump(own_world, tmp_path):
    """The lines of an export, sorted, without the header."""

    def make(site: str = "T2_HERE") -> list[bytes]:
        own_world.backend().export_files(site, tmp_path / "export.tsv")
        content = (tmp_path / "export.tsv").read_bytes()
        assert content.startswith(HEADER)
        return sorted(content.removeprefix(HEADER).splitlines())

    return make


def test_a_bare_list_of_names_and_sizes_is_expected_at_the_site(own_world, load):
    assert load(b"# made by hand\n\n/store/mc/Era/Prim/AOD/x-v1/a\t5\n/store/other\n") == 2
    [batch] = own_world.backend().inventory.stream("T2_HERE")
    assert sorted(batch.to_pylist(), key=lambda row: row["path"]) == [
        {
            "path": b"/store/mc/Era/Prim/AOD/x-v1/a",
            "size": 5,
            "time": None,
            "in_flight": False,
            "dataset": "/Prim/Era-x-v1/AOD",
            "block": "imported",
            "group": "imported",
        },
        {
            "path": b"/store/other",
            "size": -1,
            "time": None,
            "in_flight": False,
            "dataset": None,
            "block": "imported",
            "group": "imported",
        },
    ]
    assert own_world.backend().check_site("T2_HERE")
    assert own_world.backend().inventory.protected_datasets("T2_HERE") == {"/Prim/Era-x-v1/AOD"}


def test_what_is_incomplete_or_unsubscribed_is_in_flight(own_world, load):
    load(b"/a\t1\t/D\tb\tg\t1\n/b\t1\t/D\tb\tg\t0\n/c\t1\t/D\tu\tUnsubscribed\t1\n")
    assert own_world.in_flight("T2_HERE") == {b"/a": False, b"/b": True, b"/c": True}


def test_an_export_is_imported_as_it_was(load, dump):
    lines = sorted(
        [
            b"/store/a\t1\t/D\tb1\tDataOps\t1\t1550000000",
            b"/store/b\t\t/D\tb1\tDataOps\t0\t1550000000",
            b"/store/c\t0\t/D\tb2\tUnsubscribed\t1\t",
            ODD + b"\t7\t/E\tb\tg\t1\t",
        ]
    )
    load(b"\n".join(lines) + b"\n")
    assert dump() == lines
    load(b"/store/else\t1\n")
    assert dump() == [b"/store/else\t1\t\timported\timported\t1\t"]
    load(HEADER + b"\n".join(lines) + b"\n")
    assert dump() == lines


def test_odd_names_are_kept_to_the_byte(own_world, load):
    load(ODD + b"\n")
    assert list(own_world.in_flight("T2_HERE")) == [
        b"/store/tab\tline\nreturn\rback\\slash \xff %s 'q' $() #\xe6\x97\xa5 "
    ]


def test_packed_lists_are_read_and_written(embedded, tmp_path):
    (tmp_path / "in.gz").write_bytes(gzip.compress(b"/store/a\t1\n"))
    assert embedded.backend().import_files("T2_HERE", tmp_path / "in.gz") == 1
    assert embedded.backend().export_files("T2_HERE", tmp_path / "out.gz") == 1
    assert gzip.decompress((tmp_path / "out.gz").read_bytes()).endswith(b"/store/a\t1\t\timported\timported\t1\t\n")


def test_one_file_can_be_at_several_sites(own_world, load, dump):
    load(b"/store/both\t1\n/store/here\t1\n", "T2_HERE")
    load(b"/store/both\t1\n/store/there\t1\n", "T2_THERE")
    assert own_world.in_flight("T2_HERE") == {b"/store/both": False, b"/store/here": False}
    assert own_world.in_flight("T2_THERE") == {b"/store/both": False, b"/store/there": False}
    assert own_world.backend().registry.sources("T2_HERE", ["/store/both", "/store/here"]) == (
        ["/store/here"],
        ["/store/here"],
    )


def test_of_a_block_that_lists_name_what_only_another_site_has_is_in_flight(own_world, load):
    load(b"/store/both\t1\t/D\tb\n/store/here\t1\t/D\tb\n", "T2_HERE")
    load(b"/store/both\t1\t/D\tb\n/store/there\t1\t/D\tb\n", "T2_THERE")
    assert own_world.in_flight("T2_HERE") == {b"/store/both": False, b"/store/here": False, b"/store/there": True}
    assert own_world.in_flight("T2_THERE") == {b"/store/both": False, b"/store/here": True, b"/store/there": False}


@given(
    lists=st.lists(st.tuples(st.sampled_from(["T2_A", "T2_B", "T2_C"]), st.sets(st.sampled_from("abcdef"))), max_size=6)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_lists_that_leave_the_block_open_say_nothing_of_other_sites(embedded, tmp_path, lists):
    """Whatever is imported in whatever order: each site has what its last list says, and nothing is in flight."""
    expected = dict.fromkeys(["T2_A", "T2_B", "T2_C"], frozenset[str]())
    for site in expected:
        embedded.backend().import_files(site, empty_list(tmp_path), even_none=True)
    for site, names in lists:
        (tmp_path / "list.tsv").write_text("".join(f"/store/{name}\t1\n" for name in names))
        embedded.backend().import_files(site, tmp_path / "list.tsv", even_none=True)
        expected[site] = frozenset(names)
    for site, names in expected.items():
        assert embedded.in_flight(site) == {f"/store/{name}".encode(): False for name in names}
    sums = "SELECT b.num_files, b.size, (SELECT COUNT(*) FROM files f WHERE f.block_id = b.id) FROM blocks b"
    assert all(number == size == there for number, size, there in embedded.execute(sums))


def empty_list(folder: Path) -> Path:
    (folder / "empty.tsv").touch()
    return folder / "empty.tsv"


def test_importing_again_replaces_what_was_there(own_world, load):
    load(b"/store/a\t1\n/store/b\t1\n")
    load(b"/store/b\t2\n")
    assert own_world.in_flight("T2_HERE") == {b"/store/b": False}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"store/a\t1", "the name must be an absolute path"),
        (b"/store/a\tone", "the size must be a whole number without a unit; it is 'one'"),
        (b"/store/a\t-1", "the size must be a whole number"),
        (b"/store/a 1000", "has no tab between name and size, but ' '; behind a name that ends so, put a tab"),
        (b"/store/a, 1000", "has no tab between name and size, but ', '"),
        (b"/store/a\t1\t/D\tb\tg\tyes", "complete must be 1 or 0; it is 'yes'"),
        (b"/store/a\t1\t/D\tb\tg\t1\t5\tmore", "has 8 columns"),
        (b"/" + b"x" * 512 + b"\t1", "the name has 513 bytes"),
        (b"/store/a\t1\t" + b"d" * 513, "the dataset has 513 bytes"),
        ("/store/a\t1\t/D\tb\tgrüppe".encode(), "the group must be at most 64 ASCII characters"),
        (b"/store/first\t1", "the file is in the list twice"),
        (b"/store/a\t1\t/D\tb\tanother", "the other files of the block have another group"),
        (b"/store/elsewhere\t2", "the file has 1 bytes at another site"),
        (b"/store/elsewhere\t1\t/D\tother", "the file is in another dataset or block at another site"),
    ],
)
def test_a_bad_line_is_named(embedded, tmp_path, line, complaint):
    path = tmp_path / "list.tsv"
    path.write_bytes(b"/store/elsewhere\t1\t/D\te\tg\n")
    embedded.backend().import_files("T2_OTHER", path)
    path.write_bytes(b"/store/first\t1\n/store/second\t1\t/D\tb\tg\n" + line + b"\n")
    with pytest.raises(ConfigurationError) as caught:
        embedded.backend().import_files("T2_HERE", path)
    assert str(caught.value).startswith(f"{path}:3: ")
    assert complaint in str(caught.value)


def test_after_a_bad_line_everything_is_as_it_was(own_world, load):
    load(b"/store/old\t1\n")
    with pytest.raises(ConfigurationError):
        load(b"".join(b"/store/%d\t1\n" % number for number in range(1000)) + b"bad\n")
    assert own_world.in_flight("T2_HERE") == {b"/store/old": False}


def test_a_packed_list_that_is_cut_short_is_refused(embedded, tmp_path):
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"".join(b"/store/%d\t1\n" % n for n in range(9999)))[:-20])
    with pytest.raises(ListingError, match=r"cut\.gz cannot be read wholly: Truncated"):
        embedded.backend().import_files("T2_HERE", tmp_path / "cut.gz")


@pytest.mark.parametrize("cut", [b"/store/a\t1\n/store/b\t1", b"/store/a\t1\n/store/b", b"/store/a\t1\n/st"])
def test_a_list_that_was_cut_leaves_the_inventory_as_it_was(own_world, load, dump, cut):
    load(b"/store/a\t1\n/store/b\t1\n")
    before = dump()
    with pytest.raises(ListingError, match="has no line end"):
        load(cut)
    assert dump() == before


@pytest.mark.parametrize("empty", [b"", b"# nothing\n"])
def test_a_list_without_a_file_is_refused_unless_it_is_meant(own_world, load, dump, tmp_path, empty):
    load(b"/store/a\t1\n")
    before = dump()
    with pytest.raises(BackendError, match="would be orphans; nothing was imported"):
        load(empty)
    assert dump() == before
    (tmp_path / "empty").write_bytes(empty)
    assert own_world.backend().import_files("T2_HERE", tmp_path / "empty", even_none=True) == 0
    assert dump() == []


def test_a_list_that_is_not_there_is_refused(embedded, tmp_path):
    with pytest.raises(ListingError, match=r"there is no dump .*nowhere\.tsv"):
        embedded.backend().import_files("T2_HERE", tmp_path / "nowhere.tsv")


def test_an_export_that_breaks_off_leaves_no_file(embedded, tmp_path):
    with pytest.raises(BackendError):
        embedded.backend().export_files("T2_NOWHERE", tmp_path / "out.tsv")
    assert [path.name for path in tmp_path.iterdir()] == ["inventory.sqlite"]


def test_a_database_of_somebody_else_is_neither_filled_nor_imported_into(embedded, tmp_path):
    embedded.execute("DROP TABLE dynamo_consistency_marker")
    with pytest.raises(ConfigurationError, match="already has tables, such as active_deletions"):
        embedded.backend().init()
    (tmp_path / "list.tsv").write_text("/store/a\t1\n")
    with pytest.raises(ConfigurationError, match="was not made by `dynamo-consistency inventory init`"):
        embedded.backend().import_files("T2_HERE", tmp_path / "list.tsv")


def test_making_the_tables_twice_changes_nothing(own_world, load):
    load(b"/store/a\t1\n")
    own_world.backend().init()
    assert own_world.in_flight("T2_HERE") == {b"/store/a": False}


@pytest.mark.parametrize("site", ["", "T2 HERE", "T2_日本", "T" * 33])
def test_a_site_that_the_inventory_cannot_name_is_refused(embedded, tmp_path, site):
    (tmp_path / "list.tsv").write_text("/store/a\t1\n")
    with pytest.raises(ConfigurationError, match="must be named with at most 32 ASCII characters"):
        embedded.backend().import_files(site, tmp_path / "list.tsv")


def test_a_file_takes_as_long_to_import_among_many_as_among_few(embedded, tmp_path):
    def seconds(number: int) -> float:
        content = "".join(f"/store/mc/Era/P{n // 5000}/AOD/x-v1/{n}.root\t{n}\n" for n in range(number))
        (tmp_path / "list.tsv").write_text(content)
        begin = time.process_time()
        assert embedded.backend().import_files("T2_HERE", tmp_path / "list.tsv") == number
        return (time.process_time() - begin) / number

    few, many = seconds(5000), seconds(50_000)
    assert many < 4 * few  # were it quadratic it would be 10 times
    assert sum(batch.num_rows for batch in embedded.backend().inventory.stream("T2_HERE")) == 50_000
