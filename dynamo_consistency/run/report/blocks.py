"""What the backend knows about missing files: which blocks they belong to, and which have no other copy."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from dynamo_consistency import paths, secrets
from dynamo_consistency.backend import optional_features
from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.errors import BackendError
from dynamo_consistency.kinds import MISSING
from dynamo_consistency.run.report.tables import Tables
from dynamo_consistency.run.store.leftovers import scratch_folder
from dynamo_consistency.run.store.run_directory import RunDirectory

_ARTIFACTS = {
    "missingDatasets": "reports/missing_datasets.txt",
    "noSource": "reports/nosource.txt",
    "unrecoverable": "reports/unrecoverable.txt",
}


def write_blocks(run: RunDirectory, backend: Backend, tables: Tables) -> dict[str, str]:
    """Write the blocks summary and the lists of missing files without a source; artifact name → file.

    They are a service to the reader and decide nothing: what the backend cannot answer is said in the list's place.
    """
    if MISSING.file_name not in tables.names:
        return {}
    _write_summary(run, backend, tables)
    _write_sources(run, backend, tables)
    return dict(_ARTIFACTS)


def _missing(tables: Tables) -> Iterator[list[bytes]]:
    for rows in tables.batches(f"SELECT path FROM {MISSING.file_name} ORDER BY path"):
        yield [row[0] for row in rows]


def _write_summary(run: RunDirectory, backend: Backend, tables: Tables) -> None:
    with run.writing(_ARTIFACTS["missingDatasets"]) as target, scratch_folder() as folder:
        files = folder / "missing.txt"
        with files.open("wb") as file:
            for batch in _missing(tables):  # the names as they are; only a newline cannot stand in a line
                file.writelines(path.replace(b"\n", b"\\n") + b"\n" for path in batch)
        if files.stat().st_size:  # some backends read all of an inventory, even for none
            with _errors_noted_in(target):
                backend.filelist_to_blocklist(run.site, str(files), str(target))
        target.touch()  # a backend may write nothing when it has nothing to say


def _write_sources(run: RunDirectory, backend: Backend, tables: Tables) -> None:
    with run.writing(_ARTIFACTS["noSource"]) as no_disk, run.writing(_ARTIFACTS["unrecoverable"]) as no_copy:
        no_disk.touch()
        no_copy.touch()
        with _errors_noted_in(no_disk, no_copy):
            for batch in _missing(tables):
                answer = optional_features.sources(backend, run.site, [paths.to_text(path) for path in batch])
                if answer is None:
                    raise BackendError("the backend cannot say which files have no other copy")
                _append(no_disk, answer[0])
                _append(no_copy, answer[1])


def _append(target: Path, files: Iterable[str]) -> None:
    with target.open("ab") as file:
        file.writelines(paths.one_line(path) + b"\n" for path in sorted(map(paths.to_bytes, files)))


@contextlib.contextmanager
def _errors_noted_in(*targets: Path) -> Iterator[None]:
    """A backend that fails leaves one `#` line that says why, in place of a list that would be short."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 (a module backend is anybody's code)
        reason = " ".join(secrets.redact(str(error) or type(error).__name__).split())
        for target in targets:
            target.write_text(f"# not known: {reason}\n", encoding="utf-8", errors="backslashreplace")
