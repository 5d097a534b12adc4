"""Findings that are confirmed and yet not taken up: marked by the comparison, or by a check that is stricter now."""

from collections.abc import Iterable
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from laboratory import FOUND, HOLLOW, HOLLOWS, MISMATCH, MISSING, ORPHAN, Laboratory

from dynamo_consistency.check import Source
from dynamo_consistency.checkfile import dump_check
from dynamo_consistency.run.gates.stricter import stricter
from dynamo_consistency.run.pipeline import act_on

TIGHTENED = "the check has been tightened since"


def mark(lab: Laboratory, finding: str, path: bytes, word: str | None) -> None:
    """Write the comparison's mark on a finding of all runs."""
    for run in lab.runs():
        with run.reading(f"findings/{finding}.parquet") as file:
            table = pq.read_table(file)
        marks = [word if name == path else None for name in table["path"].to_pylist()]
        if "mark" in table.column_names:
            table = table.drop_columns("mark")
        with run.writing(f"findings/{finding}.parquet") as file:
            pq.write_table(table.append_column("mark", pa.array(marks, pa.string())), file)


def paths(lab: Laboratory) -> list[bytes]:
    return [path for _, path in lab.asked()]


def but(*left_out: bytes) -> list[bytes]:
    return [path for path in FOUND if path not in left_out]


@pytest.mark.parametrize(("finding", "path"), [("missing", MISSING), ("orphan", ORPHAN)])
def test_a_renamed_file_is_never_asked_for_approved_or_not(waiting, finding, path):
    mark(waiting, finding, path, "renamed")
    waiting.approve()
    assert paths(waiting) == but(path)


def test_a_file_of_another_size_that_has_another_name_is_never_fetched_anew_approved_or_not(waiting):
    """Its link would be followed, and the file behind it removed."""
    mark(waiting, "mismatch", MISMATCH, "other-name")
    waiting.approve()
    assert paths(waiting) == but(MISMATCH)


def test_a_file_missing_from_a_directory_that_answered_empty_waits_for_an_approval_of_this_very_run(copied):
    lab = copied()
    mark(lab, "missing", MISSING, "empty-directory")
    lab.policy["approval"] = "OnlyAboveLimits"
    run = lab.runs()[-1]
    run.write_text("check.yaml", dump_check(lab.check()))
    summary = lab.act(run)
    assert paths(lab) == but(MISSING)
    assert summary["actions"]["missing"]["heldBack"] == {"waits for approval": 1}
    assert summary["actions"]["missing"]["leftOver"] == 0, "it is not the budget that left it"
    assert lab.reasons()[MISSING].startswith("waits for approval: its directory")
    lab.act(run, "another run")
    assert paths(lab) == but(MISSING)
    lab.approve()
    assert paths(lab) == [*but(MISSING), MISSING]


def test_a_mode_that_was_tightened_counts_for_a_run_that_waits_and_can_be_loosened_again(waiting):
    for mode in ("Report", "Ignore"):
        waiting.policy["orphans"]["mode"] = mode
        waiting.policy["missing"]["mode"] = mode
    summary = waiting.approve()
    assert paths(waiting) == but(MISSING, ORPHAN)
    assert TIGHTENED in told(summary, "Mode")
    waiting.policy["orphans"]["mode"] = waiting.policy["missing"]["mode"] = "Enforce"
    waiting.approve()
    assert sorted(paths(waiting)) == sorted(FOUND)


def told(summary, gate: str) -> str:
    return next(each["message"] for each in summary["gates"] if each["name"] == gate)


def tightened(lab: Laboratory, change: str) -> Iterable[bytes]:
    """Make the check stricter; what is held back by that."""
    if change == "a directory is excluded":
        lab.listing["exclude"] = ["/store/data/X"]
        return [ORPHAN]
    if change == "a root is taken out":
        lab.listing["roots"] = [{"path": "/store/mc"}]
        return [ORPHAN, *HOLLOWS]
    if change == "a pattern is ignored":
        lab.comparison["ignore"] = ["/P"]
        return [ORPHAN, *HOLLOWS[:2]]
    if change == "directories go by the protocol":
        lab.policy["emptyDirectories"]["method"] = "protocol"
        return HOLLOWS
    raise AssertionError(change)


@pytest.mark.parametrize(
    "change",
    ["a directory is excluded", "a root is taken out", "a pattern is ignored", "directories go by the protocol"],
)
def test_what_is_left_alone_since_is_left_alone_by_a_run_that_waits_and_said_to_be(waiting, change):
    kept = tightened(waiting, change)
    waiting.approve()
    assert not set(paths(waiting)) & set(kept)
    assert {MISMATCH, MISSING} <= set(paths(waiting))
    if change != "directories go by the protocol":  # then no such finding is enforced, and the gate says so
        assert {waiting.outcomes()[path] for path in kept} == {"left over"}
        assert {waiting.reasons()[path] for path in kept} == {TIGHTENED}


@pytest.mark.parametrize(
    ("field", "value", "gate"),
    [
        ("maxRequestsPerRun", 0, "Acting"),
        ("health", {"maxInventoryChange": "0", "minListedFraction": "1"}, "ListingHealth"),
    ],
)
def test_a_stricter_bound_counts_for_a_run_that_waits(waiting, field, value, gate):
    waiting.policy[field] = value
    summary = waiting.approve()
    assert paths(waiting) == []
    assert {each["name"]: each["state"] for each in summary["gates"]}[gate] == "Rejected"


@pytest.mark.parametrize(
    ("update", "field"),
    [
        pytest.param({"backend": "another"}, "backend", id="another backend"),
        pytest.param({"source": Source.model_validate({"posix": {"prefix": "/mnt"}})}, "listing.source", id="a source"),
    ],
)
def test_a_check_that_is_about_another_inventory_or_site_now_lets_a_run_that_waits_ask_for_nothing(
    waiting, update, field
):
    """Whoever corrects a wrong prefix does not want what was found below it to be deleted."""
    run, today = waiting.runs()[-1], waiting.check()
    listing = today.spec.listing.model_copy(update={key: value for key, value in update.items() if key == "source"})
    spec = today.spec.model_copy(update={"listing": listing} | {k: v for k, v in update.items() if k == "backend"})
    summary = act_on(run, waiting.backend, run.run_id, today.model_copy(update={"spec": spec}))
    assert paths(waiting) == []
    (acting,) = [gate for gate in summary["gates"] if gate["name"] == "Acting"]
    assert (acting["state"], acting["observed"]) == ("Rejected", field)
    assert f"the check is about something else now ({field})" in acting["message"]
    waiting.approve()
    assert paths(waiting) == FOUND, "control: the check as it was"


def test_the_client_of_an_xrootd_site_may_be_changed_while_a_run_waits():
    def check(client):
        source = Source.model_validate({"xrootd": {"servers": ["root://door:1094"], "client": client}})
        return Laboratory.check(
            SimpleNamespace(listing={"roots": [{"path": "/a"}], "source": source}, comparison={}, policy={})
        )

    assert stricter(check("wire"), check("bindings")).replaced == ()


def test_a_smaller_budget_counts_for_a_run_that_waits(waiting):
    waiting.policy["maxRequestsPerRun"] = 2
    waiting.approve()
    assert paths(waiting) == FOUND[:2]


def test_a_looser_check_lets_a_run_that_waits_do_no_more_than_before(copied):
    lab = copied()
    lab.policy["orphans"]["mode"] = "Report"
    lab.run()
    lab.policy["orphans"]["mode"] = "Enforce"
    lab.policy["approval"] = "Never"
    lab.approve()
    assert ORPHAN not in paths(lab)
    assert HOLLOW in paths(lab)
