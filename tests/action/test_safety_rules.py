"""The gates of docs/explanation/rules.md in long stories: runs, outages, edits, approvals, and what is requested."""

from decimal import Decimal

import pytest
from laboratory import FOUND, HOLLOWS, KINDS, MISSING, ORPHAN, WEEK
from simulated import DAY, START

from dynamo_consistency.check import Approve, OrphanPolicy, Source
from dynamo_consistency.run.gates import all_ready, evaluate, gather
from dynamo_consistency.run.gates.excesses import of_run
from dynamo_consistency.run.gates.facts import Scope
from dynamo_consistency.run.pipeline import resolved
from dynamo_consistency.run.records.history import find_run, latest_complete
from dynamo_consistency.run.records.path_history import history_of_path
from dynamo_consistency.run.records.summary import fingerprint

BACKENDS = [
    pytest.param({}, id="itemising"),
    pytest.param({"looking": False, "itemising": False}, id="eleven names"),
]
STRAYS = [b"/store/data/X/P/AOD/v1/o%d" % number for number in range(3)]


def gate(summary, name):
    return next(gate for gate in summary["gates"] if gate["name"] == name)


def asked_paths(lab) -> list[bytes]:
    return [path for _, path in lab.asked()]


def test_the_first_run_never_acts_and_the_second_does(lab, world):
    world.store(ORPHAN)
    assert gate(lab.run(), "Confirmation")["state"] == "Pending"
    assert lab.asked() == []
    lab.run()
    assert asked_paths(lab) == [ORPHAN]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("mode", ["Report", "Ignore"])
def test_a_check_that_does_not_enforce_requests_nothing_from_any_backend(copied, backend, mode):
    lab = copied(**backend)
    lab.policy["approval"] = "Never"
    for kind in KINDS:
        lab.policy[kind]["mode"] = mode
    directories = dict(lab.world.directories)
    for _ in range(2):
        summary = lab.run(2 * DAY)
        lab.approve()
    assert gate(summary, "Mode")["state"] == "Pending"
    assert lab.asked() == []
    assert lab.world.directories == directories


def test_of_several_kinds_only_the_enforced_one_is_acted_on(copied):
    lab = copied()
    lab.policy["approval"] = "Never"
    for kind in ("missing", "mismatches", "emptyDirectories"):
        lab.policy[kind]["mode"] = "Report"
    lab.run(2 * DAY)
    assert asked_paths(lab) == [ORPHAN]


def test_empty_directories_are_untouched_by_the_listing_itself(lab, world):
    for path in reversed(HOLLOWS):
        world.make_directory(path)
    world.while_listing.extend([lambda: None] * 3)
    lab.run()
    assert set(HOLLOWS) <= set(world.directories)
    assert lab.asked() == []


def test_five_weekly_runs_with_the_whole_catalogue_missing_never_act_however_often_confirmed_and_approved(lab, world):
    """It happened: T2_RU_IHEP, 2020."""
    world.healthy(b"/store/data/X/P/AOD/v3/f")
    world.answers_empty = {b"/store/mc/E"}
    lab.policy["health"]["minListedFraction"] = "0"
    for _ in range(5):
        summary = lab.run(WEEK)
        assert summary["result"] == "Complete"
        assert summary["counts"]["missing"] == 20
        lab.approve()
    assert gate(summary, "Confirmation")["observed"].startswith("mismatches 0 of 0, missing 20 of 20")
    assert gate(summary, "ListingHealth")["state"] == "Rejected"
    assert lab.asked() == []


def test_a_site_that_lists_nothing_at_all_has_no_findings(lab, world):
    world.answers_empty = {b"/store/mc", b"/store/data"}
    summary = lab.run()
    assert (summary["result"], summary["counts"]) == ("Invalid", {})
    assert "no file was listed although the inventory expects 20" in summary["reason"]


def test_a_root_that_is_empty_where_files_are_expected_is_not_accepted(lab, world):
    world.healthy(b"/store/data/X/P/AOD/v3/f")
    world.answers_empty = {b"/store/data"}
    lab.policy["health"]["minListedFraction"] = "0"
    for _ in range(3):
        summary = lab.run()
    assert "/store/data was listed as empty" in gate(summary, "ListingHealth")["message"]
    assert lab.asked() == []


# ------------------------------------------------------------------------------------------------------- confirmation


def test_an_invalid_run_neither_counts_nor_resets_and_leaves_the_findings_before_in_force(lab, world):
    world.store(ORPHAN)
    lab.policy["orphans"]["confirmRuns"] = 3
    lab.run()
    for trouble in ("site_down", "inventory_down"):
        setattr(world, trouble, True)
        assert lab.run()["result"] == "Invalid"
        setattr(world, trouble, False)
    assert latest_complete(lab.store, "T2_Test").url == lab.runs()[0].url
    assert find_run(lab.store, "T2_Test", None).url == lab.runs()[0].url
    lab.run()
    assert lab.asked() == []
    lab.run()
    assert asked_paths(lab) == [ORPHAN]


def test_a_finding_that_was_absent_in_one_complete_run_starts_anew(lab, world):
    world.store(ORPHAN)
    lab.policy["orphans"]["confirmRuns"] = 3
    for present in (True, True, False, True, True):
        world.lose(ORPHAN)
        if present:
            world.store(ORPHAN)
        lab.run()
    assert lab.asked() == []
    lab.run()
    assert asked_paths(lab) == [ORPHAN]


def test_a_file_that_was_rewritten_between_two_runs_is_another_finding(lab, world):
    for number in range(4):
        world.store(ORPHAN, 50, START + number * WEEK)
        lab.run()
    assert lab.asked() == []
    lab.run()
    assert asked_paths(lab) == [ORPHAN]


def test_confirmation_takes_a_least_time_between_the_first_and_the_last_of_the_runs_that_count(lab, world):
    world.store(ORPHAN)
    lab.policy["orphans"]["confirmSpanSeconds"] = 10 * DAY
    for days, expected in ((1, []), (4, []), (5, []), (1, [ORPHAN])):
        lab.run(days * DAY)
        assert asked_paths(lab) == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda lab: lab.listing["roots"].append({"path": "/store/group"}) or lab.world.make_directory(b"/store/group"),
        lambda lab: lab.listing.update(exclude=["/store/data/HC"]),
        lambda lab: lab.comparison.update(ignore=["/NoSuch"]),
        lambda lab: setattr(lab.backend, "describe", lambda: "another Dynamo"),
    ],
    ids=["roots", "exclude", "ignore rules", "backend"],
)
def test_a_change_of_what_is_compared_with_what_starts_the_count_anew(lab, world, change):
    world.store(ORPHAN)
    lab.run()
    change(lab)
    assert gate(lab.run(), "Confirmation")["state"] == "Pending"
    assert lab.asked() == []
    lab.run()
    assert asked_paths(lab) == [ORPHAN]


def test_a_door_or_prefix_that_only_the_backend_knows_is_part_of_what_is_compared(lab):
    """The run keeps it, so that a change of it in backends.yaml starts the count anew, and a dump is known as one."""
    sources = [{"posix": {"prefix": "/a"}}, {"posix": {"prefix": "/b"}}, {"dump": {"url": "/dump.tsv"}}]
    prints = set()
    for source in sources:
        lab.backend.listing_source = lambda site, source=source: Source.model_validate(source)
        check = resolved(lab.check(), lab.backend)
        assert check.spec.listing.source == Source.model_validate(source)
        prints.add(fingerprint(check))
    assert len(prints) == 3
    lab.listing["source"] = sources[0]
    assert resolved(lab.check(), lab.backend).spec.listing.source == Source.model_validate(sources[0])


def test_the_client_that_speaks_to_the_same_doors_is_not_part_of_what_is_compared(lab):
    prints = set()
    for client in ({}, {"client": "wire"}, {"client": "bindings"}):
        lab.listing["source"] = {"xrootd": {"servers": ["root://a"], **client}}
        prints.add(fingerprint(resolved(lab.check(), lab.backend)))
    assert len(prints) == 1


def test_going_back_to_earlier_rules_confirms_nothing_by_the_runs_of_then(lab, world):
    world.store(ORPHAN)
    lab.run()
    lab.comparison["ignore"] = ["/NoSuch"]
    lab.run()
    lab.comparison["ignore"] = []
    lab.run()
    assert lab.asked() == []


def test_runs_of_the_same_second_are_told_apart(lab, world):
    world.store(ORPHAN)
    lab.policy["orphans"]["confirmSpanSeconds"] = 0
    lab.run()
    lab.run(0)
    assert len(lab.runs()) == 2
    assert asked_paths(lab) == [ORPHAN]


def test_a_clock_that_goes_back_confirms_nothing_and_replaces_nothing(lab, world):
    world.store(ORPHAN)
    lab.run()
    world.now -= 2 * WEEK
    summary = lab.run(0)
    assert gate(summary, "Confirmation")["state"] == "Pending"
    assert gate(summary, "Acting")["observed"] == "file by file", "a run dated after now supersedes nothing"
    assert lab.asked() == []
    assert [ahead.run_id for ahead in lab.runs()[1:]] == summary["runsAfterNow"]
    [note] = summary["notes"]
    assert "which is after now" in note


# ------------------------------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize("fraction", ["0", "0.0000001", "0.000"])
def test_a_tiny_limit_is_a_tight_limit_and_not_none(copied, fraction):
    """Where it was written to switch limits off, it switches everything off."""
    lab = copied()
    lab.policy["approval"] = "Never"
    lab.policy["orphans"]["maxFraction"] = fraction
    assert gate(lab.run(2 * DAY), "Limits")["state"] == "Rejected"
    assert lab.asked() == []


def test_a_limit_of_zero_allows_nothing():
    scope = Scope("the site", 10, 10, 1, 0, dict.fromkeys(KINDS, 1))
    assert list(of_run("orphans", scope, OrphanPolicy(max_count=0, max_fraction=None)))
    assert list(of_run("orphans", scope, OrphanPolicy(max_count=100, max_fraction=Decimal("0"))))


def test_limits_count_before_confirmation_and_one_exceeded_blocks_all_kinds(copied):
    lab = copied()
    lab.policy["approval"] = "Never"
    lab.policy["orphans"] |= {"maxCount": 3, "mode": "Report"}
    for path in STRAYS:
        lab.world.store(path)  # these are new: nothing confirms them
    summary = lab.run(2 * DAY)
    assert "orphans: 4 of" in gate(summary, "Limits")["message"]
    assert lab.asked() == []


# ----------------------------------------------------------------------------------------------------------- approval


def test_an_approval_opens_exactly_its_run(waiting):
    first, second = waiting.runs()
    waiting.act(second, first.run_id)
    assert waiting.asked() == []
    summary = waiting.act(second, second.run_id)
    assert gate(summary, "Approval")["message"] == f"run {second.run_id} is approved"
    assert asked_paths(waiting) == FOUND


def test_an_approval_does_not_leak_to_the_next_run_and_ends_when_there_is_one(waiting):
    approved = waiting.runs()[-1].run_id
    waiting.run(2 * DAY)
    last = waiting.runs()[-1]
    assert gate(waiting.act(last, approved), "Approval")["state"] == "Pending"
    summary = waiting.act(waiting.runs()[-2], approved)
    assert "too late" in gate(summary, "Approval")["message"]
    assert waiting.asked() == []


def test_an_approval_in_the_check_counts_like_one_on_the_command_line(waiting):
    run = waiting.runs()[-1]
    assert not gather(waiting.store, run).approved
    check = run.check()
    approve = Approve.model_validate({"run": run.run_id})
    run.check = lambda: check.model_copy(update={"spec": check.spec.model_copy(update={"approve": approve})})
    assert all_ready(evaluate(gather(waiting.store, run)))


def test_above_the_limits_a_person_may_open_the_way_for_one_run(copied):
    lab = copied()
    lab.policy |= {"approval": "OnlyAboveLimits"}
    lab.policy["orphans"]["maxCount"] = 0
    summary = lab.run(2 * DAY)
    assert {gate(summary, name)["state"] for name in ("Limits", "Approval")} == {"Rejected", "Pending"}
    lab.approve()
    assert asked_paths(lab) == FOUND


# ------------------------------------------------------------------------------------------------------------- memory


def test_the_history_of_a_file_tells_what_was_asked_and_why_not(waiting):
    waiting.world.store(MISSING, 100)
    waiting.approve()
    rows = list(history_of_path(waiting.store, "T2_Test", MISSING.decode()))
    assert [row["kind"] for row in rows] == ["missing", "missing"]
    assert rows[0]["reason"].startswith("this is the first complete run")
    assert (rows[1]["outcome"], rows[1]["reason"]) == ("skipped", "reappeared")
    (_, row) = history_of_path(waiting.store, "T2_Test", ORPHAN.decode())
    assert (row["request"], row["outcome"]) == ("delete", "requested")
    assert row["askedAt"] is not None


def test_names_that_a_shell_would_take_for_commands_and_names_with_spaces_are_only_names(lab, world):
    odd = [b"/store/data/X/P/AOD/v1/" + name for name in (b"a b", b"$(touch x)", b"`x`;'\"|&\n\xff", b"-rf")]
    for path in odd:
        world.store(path)
    for _ in range(2):
        lab.run()
    assert sorted(asked_paths(lab)) == sorted(odd)


def test_ignored_files_are_ignored_on_both_sides_alike(lab, world):
    """What is ignored at the site is not made dark by ignoring it in the inventory, nor the other way round."""
    healthy, stray = b"/store/data/X/P/AOD/v1/RAW/f", b"/store/data/X/P/AOD/v1/RAW/o"
    world.healthy(healthy)
    world.store(stray)
    lab.comparison["ignore"] = ["/RAW"]
    for _ in range(3):
        summary = lab.run()
    assert (summary["counts"]["orphans"], summary["counts"]["missing"]) == (0, 0)
    assert lab.asked() == []
