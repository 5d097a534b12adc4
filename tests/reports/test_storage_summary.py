"""`storage.json`: numbers of files and bytes of each root and of the directories in it."""

from dynamo_consistency.run.report import write_reports


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


def test_a_shard_that_has_counted_its_files_is_not_read(finished, backend, summary):
    finished.list_site([listed(b"/store/mc/a/f")], [listed(b"/store/data/b/g", 4)])
    name = "listing/shard-0000.json"
    usage = {"/store/mc": [1, 10], "/store/mc/a": [2, 20], "/store/mc/a/\udcff": [3, 300]}
    finished.directory.write_json(name, finished.directory.read_json(name) | {"usage": usage})
    assert shares(finished, backend, summary) == {
        "/store/mc": (6, 330),
        "/store/mc/a": (5, 320),
        "/store/mc/a/\\xff": (3, 300),
        "/store/data": (1, 4),
        "/store/data/b": (1, 4),
    }
