"""`storage.json`: numbers of files and bytes of each root and of the directories in it."""

import duckdb
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamo_consistency.run.report import storage, write_reports
from dynamo_consistency.run.report.tables import Tables


def listed(path: bytes, size: int | None = 1) -> dict:
    return {"path": path, "kind": "file", "size": size}


def shares(finished, backend, summary) -> dict[str, tuple[int, int]]:
    write_reports(finished.directory, backend, summary())
    service = finished.directory.read_json("reports/storage.json")["storageservice"]
    return {share["path"][0]: (share["numberoffiles"], share["usedsize"]) for share in service["storageshares"]}


def test_a_directory_counts_what_is_in_it_and_below_it_down_to_two_levels(finished, backend, summary):
    finished.list_site(
        [listed(b"/store/mc/top", 1), listed(b"/store/mc/a/f", 10), listed(b"/store/mc/a/b/f", 100)],
        [listed(b"/store/mc/a/b/c/d/f", 1000), listed(b"/store/data/x/f", 10000)],
    )
    assert shares(finished, backend, summary) == {
        "/store/mc": (4, 1111),
        "/store/mc/a": (3, 1110),
        "/store/mc/a/b": (2, 1100),
        "/store/data": (1, 10000),
        "/store/data/x": (1, 10000),
    }


def test_a_root_without_files_is_there_and_other_directories_without_files_are_not(finished, backend, summary):
    finished.list_site([listed(b"/store/mc/f"), {"path": b"/store/mc/empty", "kind": "directory", "size": 0}])
    assert shares(finished, backend, summary) == {"/store/mc": (1, 1), "/store/data": (0, 0)}


def test_a_neighbour_of_a_root_is_not_counted_for_it(finished, backend, summary):
    finished.list_site([listed(b"/store/mc2/f"), listed(b"/store/mc/f"), listed(b"/store/mc-old/f")])
    assert shares(finished, backend, summary)["/store/mc"] == (1, 1)


def test_names_of_any_bytes_are_told_apart_and_shown(finished, backend, summary):
    names = [b"\xff", b"\xfe", b"back\\slash", b"quo\"te's", b"two\nlines", b"caf\xc3\xa9"]
    finished.list_site([listed(b"/store/mc/" + name + b"/f") for name in names])
    found = shares(finished, backend, summary)
    shown = ["\\xff", "\\xfe", "back\\slash", "quo\"te's", "two\\nlines", "café"]
    assert {path for path in found if path.count("/") > 2} == {f"/store/mc/{name}" for name in shown}


def test_files_of_unknown_size_are_counted_as_files(finished, backend, summary):
    finished.list_site([listed(b"/store/mc/a/f", None), listed(b"/store/mc/a/g", 5)])
    assert shares(finished, backend, summary)["/store/mc/a"] == (2, 5)


def test_the_summary_is_dated_by_the_shard_that_began_first(finished, backend, summary):
    finished.list_site([listed(b"/store/mc/f")], [listed(b"/store/mc/g")])
    write_reports(finished.directory, backend, summary())
    service = finished.directory.read_json("reports/storage.json")["storageservice"]
    first = finished.directory.read_json("listing/shard-0000.json")["listedAt"]
    assert service["latestupdate"] == first
    assert {share["timestamp"] for share in service["storageshares"]} == {first}


NAMES = st.sampled_from(
    [b"a", b"ab", b"\xff", b"caf\xc3\xa9", b"\xc3", b"x\ny", b"\\x41", b"\xed\xa0\x80", b"\0", b" ", b"'"]
)
ROOTS = st.sampled_from([b"/", b"/a", b"/caf\xc3\xa9/a", b"/\xff"])


@settings(max_examples=examples(200), deadline=None)
@given(root=ROOTS, below=st.lists(st.tuples(st.booleans(), st.lists(NAMES, min_size=1, max_size=5)), max_size=6))
def test_what_is_counted_in_sql_is_what_is_counted_path_by_path(root, below):
    before = root.rstrip(b"/") + b"/"
    listed_paths = [(before if is_below else b"/other/") + b"/".join(names) for is_below, names in below]
    wanted = {root: (0, 0)}
    for path in listed_paths:
        names = path.removeprefix(before).split(b"/")[:-1][:2] if path.startswith(before) else None
        for depth in range(len(names) + 1 if names is not None else 0):
            directory = before + b"/".join(names[:depth]) if depth else root
            files, size = wanted.get(directory, (0, 0))
            wanted[directory] = (files + 1, size + 7)
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE listing (path BLOB, kind VARCHAR, size BIGINT)")
        for path in listed_paths:
            connection.execute("INSERT INTO listing VALUES (?, 'file', 7)", [path])
        assert storage._usage(Tables(connection), root) == wanted
