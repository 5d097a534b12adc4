"""All findings of a kind as a file: text, CSV, Parquet."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from dynamo_consistency import paths
from dynamo_consistency.kinds import FindingKind
from dynamo_consistency.web.answers.run.source import RunSource

MEDIA_TYPES = {"txt": "text/plain", "csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
"""By the end of a list's name."""
SECONDS = 600.0
"""A download may take so long."""
_FORMULAS = (b"=", b"+", b"-", b"@", b"\t", b"\r")
_BLOCK = 1 << 20


def pieces(source: RunSource, kind: FindingKind, ending: str) -> Iterator[bytes]:
    """The file in pieces, with flat memory; it has none where the run has no such findings.

    The first piece is empty: it comes when the file is known to be there.
    """
    with source.findings(kind) as file:
        if file is None:
            return
        yield b""
        yield from {"txt": _text, "csv": _csv, "parquet": _parquet}[ending](source, kind, file)


def _parquet(source: RunSource, kind: FindingKind, file: str) -> Iterator[bytes]:
    with open(file, "rb") as whole:  # noqa: PTH123 (a path as the database takes it)
        while block := whole.read(_BLOCK):
            yield block


def _text(source: RunSource, kind: FindingKind, file: str) -> Iterator[bytes]:
    """One path a line, its bytes as they are; a line end in a name is `\\n` and a backslash `\\\\`."""
    query = f"SELECT path FROM read_parquet(?, file_row_number = true) {_order(kind)}"
    for rows in source.question.batches(query, [file]):
        yield b"".join(paths.one_line(path) + b"\n" for (path,) in rows)


def _csv(source: RunSource, kind: FindingKind, file: str) -> Iterator[bytes]:
    """All columns, as the command `findings` prints them, but for what a spreadsheet would not take as text."""
    query = f"SELECT * EXCLUDE (file_row_number) FROM read_parquet(?, file_row_number = true) {_order(kind)}"
    yield _lines([source.question.columns(file)])
    for rows in source.question.batches(query, [file]):
        yield _lines(rows)


def _order(kind: FindingKind) -> str:
    return "ORDER BY file_row_number" if kind.keeps_order else "ORDER BY path"


def _lines(rows: Any) -> bytes:
    lines = io.StringIO()
    # every text is quoted: an unquoted carriage return would begin a line, and what follows could be a formula
    csv.writer(lines, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC).writerows(
        [_cell(value) for value in row] for row in rows
    )
    return paths.to_bytes(lines.getvalue())


def _cell(value: Any) -> Any:
    """A spreadsheet takes what begins with one of these signs for a formula; a quote before it makes it a text."""
    if value is None or isinstance(value, int | float):
        return "" if value is None else value
    content = paths.to_bytes(value if isinstance(value, bytes) else str(value))
    return paths.to_text(b"'" + content if content.lstrip(b" ").startswith(_FORMULAS) else content)
