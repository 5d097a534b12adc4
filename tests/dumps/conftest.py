"""Dumps to read: what is written to a file, and what comes out of it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dynamo_consistency.check import DumpSource
from dynamo_consistency.listers.dump import Dump, read_dump

DATE = 1_790_000_000


@dataclass
class ReadDump:
    """A dump that was read to its end, and its rows."""

    dump: Dump
    rows: list[tuple[bytes, int | None, int | None]]

    @property
    def paths(self) -> list[bytes]:
        return [row[0] for row in self.rows]


@pytest.fixture
def dump_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes bytes to a file that was modified at `DATE`."""

    def write(content: bytes, name: str = "dump") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        os.utime(path, (DATE, DATE))
        return path

    return write


@pytest.fixture
def read(dump_file: Callable[..., Path]) -> Callable[..., ReadDump]:
    """Reads a dump with this content to its end."""

    def read(content: bytes, **options: Any) -> ReadDump:
        path = options.pop("url", None) or str(dump_file(content))
        dump = read_dump(DumpSource(url=path, **options))
        rows = [row for batch in dump.batches() for row in zip(*(column.to_pylist() for column in batch), strict=True)]
        return ReadDump(dump, rows)

    return read
