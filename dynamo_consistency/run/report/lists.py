"""Text lists, one path a line, for people with `grep` and for scripts."""

import io

from dynamo_consistency import paths
from dynamo_consistency.kinds import FINDING_KINDS
from dynamo_consistency.run.report.tables import Tables
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.text import said

UNLISTED = "unlisted.txt"


def write_lists(run: RunDirectory, tables: Tables) -> dict[str, str]:
    """Write a list of each kind of findings that the run has; artifact name → file.

    A kind without findings gives an empty list, a run without a comparison gives none.
    """
    artifacts = {}
    for kind in FINDING_KINDS:
        if kind.file_name in tables.names:
            order = "" if kind.keeps_order else "ORDER BY path"
            artifacts[kind.list_artifact] = f"reports/{kind.list_file}"
            with run.writing(f"reports/{kind.list_file}") as path, path.open("wb") as file:
                for rows in tables.batches(f"SELECT path FROM {kind.file_name} {order}"):
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
            file.write(paths.one_line(path) + b"\t" + said(reason).encode() + b"\n")
