"""What workers leave, as the operator reads it: the decision of a run rests on it, so it must survive every cut."""

import json

import pytest
from consistency_operator.cluster.worker_result import parse

from dynamo_consistency.run.termination_message import LIMIT, SETTING, TerminationMessage

KINDS = ("missing", "mismatches", "orphans", "emptyDirectories", "unmerged")
GATES = ("Inventory", "ListingHealth", "Limits", "Confirmation", "Mode", "Approval", "Acting")


def summary(length: int, reasons: int) -> dict:
    """Of a run with `reasons` reasons for each kind, and texts of `length` signs."""
    long = "größe " * (length // 6)
    reported = {f"{number} {long}": number for number in range(reasons)}
    action = {"request": "delete", "confirmed": 9, "requested": 4, "waiting": 1, "unanswered": 0, "leftOver": 0}
    return {
        "result": "Complete",
        "reason": "",
        "counts": dict.fromkeys(KINDS, 10**12) | {"roots": {}, "holes": 7} | {f"count{n}": n for n in range(20)},
        "gates": [
            {"name": name, "state": "Pending", "observed": long, "limit": long, "message": long} for name in GATES
        ],
        "actions": {kind: action | {"skipped": reported, "refused": reported} for kind in KINDS},
        "holes": [{"path": f"/store/{long}", "reason": long}] * 7,
        "artifacts": {kind: f"findings/{kind}.parquet" for kind in KINDS},
    }


@pytest.fixture
def said(tmp_path, monkeypatch):
    def write(content: dict) -> str:
        monkeypatch.setenv(SETTING, str(tmp_path / "message"))
        message = TerminationMessage()
        message.begin("action", "29412180")
        message.summary(content)
        message.write(0, "", None)
        return (tmp_path / "message").read_text()

    return write


@pytest.mark.parametrize("length", [0, 12, 120, 1200, 12000])
@pytest.mark.parametrize("reasons", [0, 1, 10, 100])
def test_the_operator_learns_all_that_decides_from_a_message_however_much_was_cut(said, length, reasons):
    text = said(summary(length, reasons))
    result = parse(text)
    assert len(text.encode()) <= LIMIT
    assert [(gate.name, gate.state) for gate in result.gates] == [(name, "Pending") for name in GATES]
    assert (result.stage, result.run_id, result.result, result.exit_code) == ("Action", "29412180", "Complete", 0)
    assert result.counts["missing"] == 10**12
    assert {requests.kind: requests.requested for requests in result.requested("delete")} == dict.fromkeys(KINDS, 4)
    skipped = [sum(requests.skipped.values()) for requests in result.requested("delete")]
    assert skipped == [sum(range(reasons))] * len(KINDS)


def test_a_short_message_says_everything(said):
    content = summary(6, 1)
    reported = json.loads(said(content))
    assert reported["actions"] == content["actions"]
    assert reported["artifacts"] == content["artifacts"]
    assert reported["gates"] == content["gates"]
    assert reported["holes"] == {"number": 7, "first": content["holes"][:3]}


def test_the_operator_learns_what_was_held_back_and_why_the_unmerged_area_is_not_judged(said):
    content = summary(6, 1)
    content["actions"]["missing"]["heldBack"] = {"waits for approval": 3}
    result = parse(said(content | {"unmerged": {"trouble": "its list is empty"}}))
    held_back = {requests.kind: requests.held_back for requests in result.requested("delete")}
    assert held_back == {kind: {} for kind in KINDS} | {"missing": {"waits for approval": 3}}
    assert result.unmerged_trouble == "its list is empty"
    assert parse(said(content)).unmerged_trouble == ""
