"""What `history SITE` prints."""

from dynamo_consistency import terminal


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
    assert "9400" in closed
    assert "17" in closed
    assert "Limits, Mode" in closed
    assert acted.split()[-1] == "7"
