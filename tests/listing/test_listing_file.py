"""What is written of a listing, in bulk, is what was found, row by row."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from dynamo_consistency.listers.contract import Files
from dynamo_consistency.listers.times import known_size, known_time
from dynamo_consistency.run.keys import keys_of
from dynamo_consistency.run.listing import parquet
from dynamo_consistency.run.listing.parquet import ListingFile

ROOTS = [b"/store/mc", b"/store/data", b"/"]
COLUMNS = ["kind", "root", "path", "size", "mtime", "key", "tail"]
NOW = 1_795_000_000
NAMES = st.sampled_from([b"a", b"b", b"\xff", b"a b"])
SIZES = st.sampled_from([0, 7, 1 << 61, 1 << 62, -1, None])
TIMES = st.sampled_from([NOW, 1_000_000_000, 0, -5, NOW + 86_400, NOW + 86_401, None])
FILES = st.lists(st.tuples(NAMES, SIZES, TIMES), max_size=5)
Found = tuple[bytes, bytes, list[tuple[bytes, int | None, int | None]], bool]


@st.composite
def found(draw: st.DrawFn) -> Found:
    """Root, directory and files; and whether they come as Arrow arrays, as those of a dump do."""
    root = draw(st.sampled_from(ROOTS))
    below = draw(st.sampled_from(["", "/x", "/y"])).encode()
    return root, (root + below).replace(b"//", b"/"), draw(FILES), draw(st.booleans())


def path_of(directory: bytes, name: bytes) -> bytes:
    return directory.rstrip(b"/") + b"/" + name


def write(file: ListingFile, each: Found) -> None:
    root, directory, rows, in_columns = each
    names, sizes, times = map(list, zip(*rows, strict=True)) if rows else ([], [], [])
    if in_columns:
        paths = pa.array([b"left out", *(path_of(directory, name) for name in names)], pa.binary())[1:]
        file.columns(root, paths, pa.array([1, *sizes], pa.int64())[1:], pa.array([1, *times], pa.int64())[1:])
    else:
        file.files(root, directory, Files(names, sizes, times))
    file.directory(root, directory, len(rows), 1_000_000_000, files=len(rows))
    file.hole(root, path_of(directory, b"hole"), "it is one")
    file.seen(path_of(directory, b"seen"))


def expected(kind: str, root: bytes | None, path: bytes, size: int | None, mtime: int | None) -> dict[str, Any]:
    takes_part = root is not None and path != root
    keys = {name: column[0].as_py() if takes_part else None for name, column in keys_of([path]).items()}
    number = ROOTS.index(root) if takes_part and root is not None else None
    values = kind, number, path, size, mtime, *(keys[name] for name in ("key", "tail"))
    return dict(zip(COLUMNS, values, strict=True))


@given(
    visits=st.lists(found(), max_size=6),
    excluded=st.sets(st.sampled_from([b"/store/mc/a", b"/store/data/x/b"])),
    rows_in_group=st.integers(1, 7),
)
def test_every_row_is_written_as_it_was_found(visits: list[Found], excluded: set[bytes], rows_in_group: int) -> None:
    rows, bytes_of = [], dict.fromkeys(ROOTS, 0)
    with TemporaryDirectory() as folder, patch.object(parquet, "ROWS_IN_GROUP", rows_in_group):
        path = Path(folder, "listing.parquet")
        with ListingFile(path, ROOTS, NOW, excluded) as file:
            for each in visits:
                write(file, each)
        written = pq.read_table(path).to_pylist()
    for root, directory, files, _ in visits:
        for name, size, mtime in files:
            lfn = path_of(directory, name)
            of = None if lfn in excluded else root
            rows.append(expected("file", of, lfn, known_size(size), known_time(mtime, NOW)))
            bytes_of[root] += known_size(size) or 0
        rows.append(expected("directory", root, directory, len(files), 1_000_000_000))
        rows.append(expected("hole", root, path_of(directory, b"hole"), None, None))
        rows.append(expected("seen", None, path_of(directory, b"seen"), None, None))
    shown = [{name: row[name] for name in COLUMNS} for row in written]
    assert sorted(shown, key=repr) == sorted(rows, key=repr)
    assert {root: counts.bytes for root, counts in file.roots.items()} == bytes_of
    assert {root: counts.files for root, counts in file.roots.items()} == {
        root: sum(len(files) for of, _, files, _ in visits if of == root) for root in ROOTS
    }
    assert file.counts.bytes == sum(bytes_of.values())
