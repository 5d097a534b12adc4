"""Which findings earlier runs confirm, by the columns that the table of kinds names; in bounded memory."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.kinds import EMPTY_DIRECTORY, MISSING, ORPHAN, FindingKind
from dynamo_consistency.run.database import SETTING
from dynamo_consistency.run.gates.confirmation import confirmed_findings
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

COLUMNS = pa.schema([("path", pa.binary()), ("site_size", pa.int64()), ("mtime", pa.int64())])


@pytest.fixture
def runs(tmp_path):
    store = RunStore(str(tmp_path))

    def of(kind: FindingKind, *findings: list[tuple[bytes, int | None, int | None]]) -> list[RunDirectory]:
        made = [store.run("T2_Test", str(number)) for number in range(len(findings))]
        for run, rows in zip(made, findings, strict=True):
            with run.writing(kind.file) as path:
                columns = zip(*rows, strict=True)
                pq.write_table(pa.table(dict(zip(COLUMNS.names, columns, strict=True)), schema=COLUMNS), path)
        return made

    return of


def confirmed(runs: list[RunDirectory], kind: FindingKind) -> list[bytes]:
    return [finding["path"] for finding in confirmed_findings(runs, kind.name)]


def test_an_orphan_that_was_written_to_is_another_finding_and_two_unknown_times_are_the_same(runs):
    before = [(b"/same", 1, 10), (b"/grown", 1, 10), (b"/touched", 1, 10), (b"/ageless", 1, None), (b"/aged", 1, None)]
    now = [(b"/same", 1, 10), (b"/grown", 2, 10), (b"/touched", 1, 11), (b"/ageless", 1, None), (b"/aged", 1, 9)]
    assert confirmed(runs(ORPHAN, before, now), ORPHAN) == [b"/same", b"/ageless"]


def test_a_missing_file_is_known_by_its_path_and_must_stand_in_every_run(runs):
    assert confirmed(
        runs(MISSING, [(b"/a", 1, 1), (b"/b", 1, 1)], [(b"/a", 2, 2)], [(b"/a", 1, 1), (b"/b", 1, 1)]), MISSING
    ) == [b"/a"]


def test_empty_directories_come_the_deepest_first(runs):
    rows = [(b"/a", None, 1), (b"/a/b/c", None, 1), (b"/a/b", None, 1)]
    assert confirmed(runs(EMPTY_DIRECTORY, rows, rows), EMPTY_DIRECTORY) == [b"/a/b/c", b"/a/b", b"/a"]


def test_the_memory_is_bounded_by_the_setting_as_everywhere_else(runs, monkeypatch):
    monkeypatch.setenv(SETTING, "much")
    with pytest.raises(ConfigurationError, match=SETTING):
        confirmed(runs(MISSING, [(b"/a", 1, 1)], [(b"/a", 1, 1)]), MISSING)
