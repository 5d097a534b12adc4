"""Text lists, one path a line, for people with `grep` and for scripts."""

import io

from dynamo_consistency import paths, secrets
from dynamo_consistency.paths import visible
from dynamo_consistency.run.report.tables import Tables
from dynamo_consistency.run.store.run_directory import RunDirectory

# kind of finding → its list. They are in byte order; directories as they were reported, children first.
LISTS = {
    "missing": "missing.txt",
    "orphan": "orphan.txt",
    "mismatch": "mismatch.txt",
    "empty_directory": "empty_directories.txt",
    "unmerged": "unmerged.txt",
}
UNLISTED = "unlisted.txt"

_ARTIFACTS = {
    "missing": "missingList",
    "orphan": "orphanList",
    "mismatch": "mismatchList",
    "empty_directory": "emptyDirectoryList",
    "unmerged": "unmergedList",
}
AS_FOUND = ("empty_directory", "unmerged")
"""Kinds whose findings have an order of their own."""


def write_lists(run: RunDirectory, tables: Tables) -> dict[str, str]:
    """Write a list of each kind of findings that the run has; artifact name → file.

    A kind without findings gives an empty list, a run without a comparison gives none.
    """
    artifacts = {}
    for kind, name in LISTS.items():
        if kind in tables.names:
            order = "" if kind in AS_FOUND else "ORDER BY path"
            artifacts[_ARTIFACTS[kind]] = f"reports/{name}"
            with run.writing(f"reports/{name}") as path, path.open("wb") as file:
                for rows in tables.batches(f"SELECT path FROM {kind} {order}"):
                    file.writelines(paths.one_line(row[0]) + b"\n" for row in rows)
    if "listing" in tables.names:
        artifacts["unlisted"] = f"reports/{UNLISTED}"
        with run.writing(f"reports/{UNLISTED}") as path, path.open("wb") as file:
            _write_holes(file, tables)
    return artifacts


def _write_holes(file: io.BufferedWriter, tables: Tables) -> None:
    """`path<TAB>reason`: the reason holds no tab, so it is what follows the last one."""
    for rows in tables.batches("SELECT path, reason FROM hole ORDER BY path"):
        for path, reason in rows:
            file.write(paths.one_line(path) + b"\t" + visible(secrets.redact(reason)).encode() + b"\n")
