"""Which findings earlier runs confirm, by the columns that the table of kinds names; in bounded memory."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dynamo_consistency.check import MissingPolicy, Unmerged
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.kinds import EMPTY_DIRECTORY, MISSING, ORPHAN, UNMERGED, FindingKind
from dynamo_consistency.run.database import SETTING
from dynamo_consistency.run.gates.confirmation import confirm, confirmed_findings
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


@pytest.fixture
def marked(tmp_path):
    """Two runs with the same missing files; each with its mark."""
    store = RunStore(str(tmp_path))

    def of(**marks: str | None) -> list[RunDirectory]:
        rows = {"path": pa.array([f"/{name}".encode() for name in marks], pa.binary())}
        for number in range(2):
            run = store.run("T2_Test", str(number))
            run.write_json("inventory/before.json", {"takenAt": number * 10**7})
            with run.writing(MISSING.file) as path:
                pq.write_table(pa.table(rows | {"mark": pa.array(list(marks.values()), pa.string())}), path)
        return [store.run("T2_Test", str(number)) for number in range(2)]

    return of


def test_a_run_in_which_a_file_was_renamed_does_not_confirm_that_it_is_missing(marked):
    run = marked(back="renamed")[1]
    plain = pa.table({"path": pa.array([b"/back"], pa.binary()), "mark": pa.array([None], pa.string())})
    with run.writing(MISSING.file) as path:
        pq.write_table(plain, path)
    before = run.store.run("T2_Test", "0")
    assert confirm(run, [before], MISSING.name, MissingPolicy(), 1).count == 0
    with before.writing(MISSING.file) as path:
        pq.write_table(plain, path)
    assert confirm(run, [before], MISSING.name, MissingPolicy(), 1).count == 1


def test_a_renamed_file_is_never_confirmed_and_one_of_an_empty_directory_waits(marked):
    before, run = marked(renamed="renamed", deep="empty-directory", plain=None)
    confirmed = confirm(run, [before], MISSING.name, MissingPolicy(), 3)
    assert [row["path"] for row in confirmed.findings(MISSING.name)] == [b"/deep", b"/plain"]
    assert (confirmed.count, confirmed.waiting) == (2, 1)


DAYS = 86400


@pytest.fixture
def area_runs(tmp_path):
    """Runs some days apart, which all find the same in the unmerged area."""
    store = RunStore(str(tmp_path))

    def of(*days: float) -> list[RunDirectory]:
        types = {"/f": "file", "/l": "log", "/d": "directory"}
        columns = COLUMNS.append(pa.field("type", pa.string()))
        rows = {"path": [path.encode() for path in types], "type": list(types.values())}
        for number, day in enumerate(days):
            run = store.run("T2_Test", str(number))
            run.write_json("inventory/before.json", {"takenAt": int(day * DAYS)})
            with run.writing(UNMERGED.file) as path:
                same = {"site_size": [1] * 3, "mtime": [1] * 3}
                pq.write_table(pa.table(rows | same, schema=columns), path)
        return [store.run("T2_Test", str(number)) for number in range(len(days))]

    return of


def found_in_area(runs: list[RunDirectory], **rules: object) -> list[bytes]:
    area = Unmerged.model_validate({"path": "/store/unmerged", "protectedFrom": {"url": "/list"}} | rules)
    confirmed = confirm(runs[-1], runs[:-1], UNMERGED.name, area, 3)
    assert confirmed.count == len(list(confirmed.findings(UNMERGED.name)))
    return [row["path"] for row in confirmed.findings(UNMERGED.name)]


@pytest.mark.parametrize(
    ("days", "rules", "confirmed"),
    [
        ((0, 0.01), {}, []),
        ((0, 6.9), {}, []),
        ((0, 7), {}, [b"/f"]),  # a quarter of 28 days
        ((0, 14), {}, [b"/f"]),
        ((0, 15), {}, [b"/f", b"/l", b"/d"]),  # a quarter of the 60 days of logs
        ((0, 0.9), {"minAgeSeconds": 3600, "logs": {"minAgeSeconds": 0}}, []),
        ((0, 1), {"minAgeSeconds": 3600, "logs": {"minAgeSeconds": 0}}, [b"/f", b"/l", b"/d"]),
        ((0, 1), {"logs": {"minAgeSeconds": 0}}, [b"/l"]),
        ((0, 0.01), {"confirmSpanSeconds": 0}, [b"/f", b"/l", b"/d"]),
        ((0, 0.01), {"confirmSpanSeconds": 3600}, []),
    ],
)
def test_in_the_unmerged_area_a_finding_stands_for_a_quarter_of_the_age_unless_a_number_is_written(
    area_runs, days, rules, confirmed
):
    assert found_in_area(area_runs(*days), **rules) == confirmed
