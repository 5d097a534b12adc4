"""What `history` and `findings` print: for a pipe, and on a terminal of 80 columns."""

import io
import re

import pytest

from dynamo_consistency import terminal
from dynamo_consistency.kinds import MISSING, ORPHAN

LONG = "the root /store/mc could not be listed at all (No such file or directory), although the inventory has 200 files"


def summary(run_id: str, **fields: object) -> dict[str, object]:
    return {
        "runId": run_id,
        "startTime": "2026-11-22T03:00:00Z",
        "result": "Complete",
        "reason": "",
        "counts": {"listedFiles": 9400, "missing": 3, "unmerged": 17},
        "gates": [],
        "actions": {},
        **fields,
    }


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def on_terminal(monkeypatch):
    """Lines that are printed on a terminal of so many columns, as they are sent."""

    def lines(show, columns: int = 80, **environment: str) -> list[str]:
        out = Terminal()
        for name, value in {"COLUMNS": str(columns), "TERM": "xterm-256color", **environment}.items():
            monkeypatch.setenv(name, value)
        with monkeypatch.context() as patch:
            patch.setattr("sys.stdout", out)
            show()
        return out.getvalue().splitlines()

    return lines


def plain(line: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", line)


def test_a_line_of_the_history_has_counts_closed_gates_and_requests(capsys) -> None:
    gates = [
        {"name": "Inventory", "state": "Ready"},
        {"name": "Limits", "state": "Rejected"},
        {"name": "Mode", "state": "Pending"},
    ]
    actions = {"missing": {"requested": 2}, "orphans": {"requested": 5}}
    terminal.show_runs([summary("20261122-030000", gates=gates), summary("20261129-030000", actions=actions)])
    head, closed, acted = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["run", "started", "result"]
    assert "unmerged" in head
    assert "empty-directories" in head
    assert "9400" in closed
    assert "17" in closed
    assert "Limits, Mode" in closed
    assert acted.split()[-1] == "7"


def test_in_a_pipe_a_run_is_one_line_without_colours_and_nothing_is_cut(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    terminal.show_runs([summary("20261122T030000Z-t2-de-rwth", reason=LONG)])
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 2
    assert LONG in out
    assert "\x1b" not in out


def runs():
    counts = {"listedFiles": 20_000_000, "inventoryFiles": 20_000_000, "missing": 3, "orphans": 12_000, "holes": 0}
    counts |= {"mismatches": 1, "emptyDirectories": 5000, "twins": 0}
    gates = [{"name": name, "state": "Rejected"} for name in ("Limits", "Confirmation", "Mode")]
    terminal.show_runs(
        [
            summary("20261122T030000Z-t2-de-rwth", counts=counts, gates=gates),
            summary("20261129T030000Z-t2-de-rwth", counts={}, result="Invalid", reason=LONG),
            summary("20261129T040000Z-t2-de-rwth", counts=counts, gates=gates),
        ]
    )


def test_on_80_columns_ids_are_whole_empty_columns_are_dropped_and_the_rest_is_folded(on_terminal):
    lines = [plain(line) for line in on_terminal(runs)]
    assert max(map(len, lines)) <= 80
    for run_id in ("20261122T030000Z-t2-de-rwth", "20261129T030000Z-t2-de-rwth", "20261129T040000Z-t2-de-rwth"):
        assert [line for line in lines if line.startswith(run_id)]
    assert not [line for line in lines if "holes" in line or "twins" in line or "unmerged" in line]
    assert " ".join(line.strip() for line in lines if line.startswith(" ")).count(LONG) == 1
    assert lines[0].split()[:4] == ["run", "result", "listed", "missing"]
    assert "empty-directories 5000; closed gates: Limits, Confirmation, Mode" in " ".join(map(str.strip, lines))


def test_the_beginning_of_an_id_that_is_enough_stands_out(on_terminal):
    bold = [found for line in on_terminal(runs) if (found := re.match(r"\x1b\[1m(\d\w+)\x1b\[0m", line))]
    assert [found[1] for found in bold] == ["20261122", "20261129T03", "20261129T04"]


def test_a_person_who_wants_no_colours_gets_none(on_terminal):
    assert "\x1b[32mComplete" in "\n".join(on_terminal(runs))
    assert "\x1b" not in "\n".join(on_terminal(runs, NO_COLOR="1"))


def test_the_history_of_a_file_fits_as_well_and_says_a_reason_once(on_terminal):
    row = {"runId": "20261122T030000Z-t2-de-rwth", "startTime": "2026-11-22T03:00:00Z", "kind": "emptyDirectories"}
    row |= {"size": None, "siteSize": None, "dataset": None, "request": None, "became": None, "reason": LONG}
    lines = on_terminal(lambda: terminal.show_file("/store/mc/x", [row, row]), NO_COLOR="1")
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["run", "started", "found", "as"]
    assert "empty-directories" in lines[1]
    assert " ".join(map(str.strip, lines)).count(LONG) == 1
    assert lines[-1].strip() == "why not: as above"


def test_findings_on_a_terminal_have_sizes_and_times_where_they_are_known_and_whole_paths(on_terminal, finished):
    long = "/store/mc/" + 30 * "component/" + "f"
    finished.find("orphan", [{"path": long.encode(), "site_size": 2048, "mtime": 1_790_000_000}])
    finished.find("missing", [{"path": b"/store/mc/\x1b[31m", "size": 5}])
    orphans = on_terminal(lambda: terminal.show_findings(finished.directory, ORPHAN), NO_COLOR="1")
    assert orphans[0] == "1 orphan in run 1"
    assert orphans[1].split() == ["Size", "Changed", "File"]
    assert orphans[2].split() == ["2.0", "KiB", "2026-09-21", "14:13", long]
    missing = on_terminal(lambda: terminal.show_findings(finished.directory, MISSING), NO_COLOR="1")
    assert missing[2].split() == ["5", "B", "/store/mc/\\x1b[31m"], "a name cannot speak to the terminal"
