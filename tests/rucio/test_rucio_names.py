"""Names of files: odd ones, ones that Rucio cannot have, and ones that are alike."""

import pytest
from rucio_reading import known, rows

NAMES = [
    "with space",
    "100%25?#&",
    "ünïcode-日本",
    "quote'\"",
    "x" * 250,
    "semi;colon",
    "back\\slash",
    "tab\t",
    "\u202e",
]


@pytest.mark.parametrize("algorithm", ["hash", "identity", "cmstfc"])
def test_odd_names_are_found_by_the_stream_and_by_their_path(rucio_sqlite, algorithm):
    rucio = rucio_sqlite
    site = rucio.rse(algorithm=algorithm)
    for name in NAMES:
        rucio.row(site, name)
    found = rows(rucio, site)
    assert set(found) == set(NAMES)
    paths = {row["path"] for row in found.values()}
    assert rucio.backend(scope=rucio.scope).inventory.look_up(site.name, sorted(paths)).keys() == paths


def test_the_path_of_a_name_with_two_slashes_is_folded(rucio_sqlite):
    """Of the folded path nobody can tell the name; the snapshots have it."""
    site = rucio_sqlite.rse(algorithm="identity")
    rucio_sqlite.row(site, "a//b")
    path = rows(rucio_sqlite, site)["a//b"]["path"]
    assert path == f"/{rucio_sqlite.scope}/a/b".encode()
    assert known(rucio_sqlite, site, path) is None


def test_a_look_up_of_names_that_rucio_cannot_have_finds_nothing(rucio):
    site = rucio.rse()
    rucio.file(site, "f")
    wanted = [b"/\xff\xfe", b"/", b"/a", b"/" + b"x" * 5000, b"/a\nb", b"/s/ab/cd/'; DROP TABLE replicas"]
    assert rucio.backend().inventory.look_up(site.name, wanted) == {}


def test_many_files_are_looked_up_at_a_time(rucio):
    site = rucio.rse(algorithm="identity")
    rucio.rows(site, 1500)
    wanted = [f"/{rucio.scope}/f{number}".encode() for number in range(1, 2001)]
    found = rucio.backend().inventory.look_up(site.name, wanted)
    assert {path: entry.size for path, entry in found.items()} == dict(zip(wanted, range(1, 1501), strict=False))


def test_names_that_differ_only_in_case_are_two_files(rucio):
    site = rucio.rse(algorithm="identity")
    path = rucio.file(site, "Name")
    assert known(rucio, site, path).size == 3
    assert known(rucio, site, path.lower()) is None


def test_of_two_dids_with_one_path_each_is_found(rucio):
    """Below user and group the path `identity` does not tell where the scope ends."""
    number = rucio.number.replace("-", "")
    for scope in (f"user.u{number}", f"user.u{number}.v"):
        rucio.add_scope(scope)
    site = rucio.rse(algorithm="identity")
    path = rucio.file(site, "v/f", b"12", scope=f"user.u{number}")
    assert rucio.file(site, "f", b"345", scope=f"user.u{number}.v") == path
    [batch] = rucio.backend().inventory.stream(site.name)
    assert [row["path"] for row in batch.to_pylist()] == [path, path]
    assert known(rucio, site, path).size is None  # they do not agree


OF_CSV = ["a,b", 'a"b', '"', "a\nb", "a\rb", "\\.", "NULL", "\\N", "1", "a\\nb", "'", "nan", "true", "2020-01-01"]


@pytest.mark.postgresql
def test_postgresql_gives_names_and_what_is_lacking_as_they_are(rucio_postgresql):
    """They come as CSV: what means something there, and nothing at all beside an empty text."""
    rucio = rucio_postgresql
    site = rucio.rse(deterministic=False)
    for number, name in enumerate([*NAMES, *OF_CSV]):
        rucio.row(
            site, name, path=f"/p/{name}" if number % 3 else ["", None][number % 2], adler32=["", None][number % 2]
        )
    found = rows(rucio, site)
    wanted = {
        name: (f"/p/{name}".encode() if number % 3 else None, ["", None][number % 2])
        for number, name in enumerate([*NAMES, *OF_CSV])
    }
    assert {name: (row["path"], row["checksum"]) for name, row in found.items()} == wanted


@pytest.mark.postgresql
def test_the_way_in_which_a_server_writes_dates_makes_no_difference(rucio_postgresql, postgresql_server):
    rucio = rucio_postgresql
    site = rucio.rse(algorithm="identity")
    rucio.row(site, "f", tombstone="2099-02-03 04:05:06.789")
    usual = rows(rucio, site)
    database = rucio.server.database.rsplit("/", 1)[-1]
    with postgresql_server.connect() as connection:
        connection.execute(f"ALTER DATABASE {database} SET DateStyle = 'SQL, DMY'")
        try:
            assert rows(rucio, site) == usual
        finally:
            connection.execute(f"ALTER DATABASE {database} RESET DateStyle")
    assert not usual["f"]["in_flight"]
