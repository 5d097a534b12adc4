"""Rule 15 in bulk: what of the files is above something that was listed is what is so path by path."""

import duckdb
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamo_consistency import paths
from dynamo_consistency.run.comparison.ancestors import find_listed_as_file

NAMES = st.sampled_from([b"a", b"f.root", b"\xff", b"\xc3\xa9.root", b"\xff.root", b"x\ny", b"'", b"?", b"e\xcc\x81"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda names: b"/" + b"/".join(names))


@settings(max_examples=examples(300), deadline=None)
@given(
    files=st.lists(PATHS, max_size=6),
    others=st.lists(PATHS, max_size=2),
    many=st.booleans(),
    counted=st.booleans(),
)
def test_files_that_something_lies_in_are_found(files, others, many, counted):
    endless = [b"/many/%05d" % number for number in range(20)] if many else []
    with duckdb.connect() as database:
        database.execute("CREATE TABLE listing (shard INTEGER, path BLOB, kind VARCHAR)")
        database.execute("CREATE TABLE not_counted AS SELECT 0 AS shard WHERE ?", [not counted])
        database.execute("CREATE TABLE perhaps_directory (path BLOB)")
        database.execute("CREATE TABLE listed_as_file (path BLOB)")
        for path in files:
            database.execute("INSERT INTO listing VALUES (0, ?, 'file')", [path])
        for path in others:
            database.execute("INSERT INTO listing VALUES (0, ?, 'hole')", [path])
        for path in {*files, *endless}:
            database.execute("INSERT INTO perhaps_directory VALUES (?)", [path])
        find_listed_as_file(database)
        found = {path for (path,) in database.execute("FROM listed_as_file").fetchall()}
    below = others if counted else files + others
    assert found == {path for path in files if any(paths.is_below(other, path) for other in below)}
