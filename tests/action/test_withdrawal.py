"""A request that still waits when its reason has gone is taken back, or told; one whose reason stands is left alone."""

import pyarrow.parquet as pq
import pytest
from laboratory import HOLLOW, HOLLOWS, MISMATCH, MISSING, ORPHAN, die
from simulated import DAY, SITE, Crash

from dynamo_consistency.backend.contract import Asked
from dynamo_consistency.errors import BackendError
from dynamo_consistency.run.action import reasons_gone
from dynamo_consistency.run.action.reasons_gone import Seen, why_gone
from dynamo_consistency.run.action.site_lock import site_lock
from dynamo_consistency.run.action.waiting_requests import WaitingRequest
from dynamo_consistency.run.gates.confirmation import OTHER_NAME, RENAMED
from dynamo_consistency.run.records.history import WITHDRAWN
from dynamo_consistency.run.records.path_history import history_of_path
from dynamo_consistency.run.unmerged.rules import Subtrees


@pytest.fixture
def asked(copied):
    """Everything that was found has been asked for, and Dynamo's daemons sleep."""
    lab = copied()
    lab.world.asleep = True
    lab.approve()
    lab.policy["approval"] = "Required"
    return lab


def able(lab, answers=None):
    """A registry that withdraws; what it was asked to withdraw is in the list."""
    heard = []

    def withdraw(site, requests):
        heard.extend((one.request, one.path, one.run_id) for one in requests)
        for one in requests:
            waiting = lab.world.deletions if one.request == "delete" else lab.world.transfers
            if (answers or {}).get(one.path, "withdrawn") == "withdrawn":
                waiting.pop(one.path, None)
        return [(answers or {}).get(one.path, "withdrawn") for one in requests]

    lab.backend.registry.withdraw = withdraw
    return heard


def rows(run):
    with run.reading(WITHDRAWN) as path:
        return {row["path"]: (row["outcome"], row["reason"]) for row in pq.read_table(path).to_pylist()}


def test_a_request_for_an_orphan_that_was_registered_is_withdrawn_and_those_that_stand_are_not(asked):
    heard = able(asked)
    made_by = asked.runs()[-1].run_id
    asked.world.register(ORPHAN, 50)
    summary = asked.run(DAY)
    assert heard == [("delete", ORPHAN, made_by)]
    assert ORPHAN not in asked.world.deletions
    assert set(HOLLOWS) <= set(asked.world.deletions)
    assert set(asked.world.transfers) == {MISSING, MISMATCH}
    assert summary["counts"]["requestsWithdrawn"] == 1
    assert any(ORPHAN.decode() in note and reasons_gone.CLAIMED in note for note in summary["notes"])


@pytest.mark.parametrize("had_acted", [False, True], ids=["its first action", "its second action"])
def test_what_was_asked_for_by_an_action_that_was_killed_is_taken_back_as_well(copied, had_acted):
    """`actions.parquet` is written at the end, and a killed action has had none; of one before, it tells too little."""
    lab = copied()
    lab.world.asleep = True
    if had_acted:
        lab.policy["maxRequestsPerRun"] = 1
        lab.approve()
        assert [path for _, path in lab.asked()] == [MISMATCH]
        lab.policy["maxRequestsPerRun"] = 1000
    lab.world.after_call.extend([*[lambda: None] * (1 if had_acted else 2), die])
    with pytest.raises(Crash):
        lab.approve()
    killed = lab.runs()[-1]
    assert lab.asked()[-1] == ("delete", ORPHAN)
    heard = able(lab)
    lab.world.register(ORPHAN, 50)
    lab.policy["approval"] = "Required"
    lab.run(DAY)
    assert heard == [("delete", ORPHAN, killed.run_id)]
    assert lab.outcomes(killed) == {MISMATCH: "requested", MISSING: "requested", ORPHAN: "unanswered"}


def test_the_records_of_an_action_that_still_works_are_left_to_it(copied):
    lab = copied()
    lab.world.after_call.append(die)
    with pytest.raises(Crash):
        lab.approve()
    killed = lab.runs()[-1]
    lab.policy["approval"] = "Required"
    with site_lock(lab.store, SITE):
        assert lab.run(DAY)["result"] == "Complete"
        assert not killed.exists("actions.parquet")
    lab.run(DAY)
    assert killed.exists("actions.parquet")


def test_a_missing_file_that_is_back_is_not_fetched_again(asked):
    heard = able(asked)
    asked.world.store(MISSING, 100)
    asked.world.entries[MISSING].in_flight = False
    asked.run(DAY)
    assert [path for _, path, _ in heard] == [MISSING]
    assert rows(asked.runs()[-1])[MISSING] == ("withdrawn", reasons_gone.BACK)


def test_a_file_that_nobody_wants_at_the_site_any_more_is_not_fetched(asked):
    heard = able(asked)
    del asked.world.entries[MISSING]
    asked.run(DAY)
    assert [path for _, path, _ in heard] == [MISSING]
    assert rows(asked.runs()[-1])[MISSING] == ("withdrawn", reasons_gone.UNKNOWN)


def test_a_directory_that_is_in_use_and_an_orphan_that_was_written_to_are_let_be(asked):
    heard = able(asked)
    asked.world.store(HOLLOW + b"/f", 5)
    asked.world.store(ORPHAN, 51)
    asked.run(DAY)
    assert {path for _, path, _ in heard} == {*HOLLOWS, ORPHAN}


def test_what_a_hole_hides_is_not_withdrawn(asked):
    heard = able(asked)
    asked.world.holes.add(ORPHAN.rsplit(b"/", 1)[0])
    asked.policy["health"] |= {"maxHoleFraction": "1"}
    asked.run(DAY)
    assert ORPHAN not in {path for _, path, _ in heard}


def test_a_request_that_somebody_else_made_is_never_withdrawn(copied):
    lab = copied()
    lab.world.asleep = True
    lab.world.deletions[ORPHAN] = lab.world.now  # it waits already when we ask for it
    lab.approve()
    assert lab.outcomes()[ORPHAN] == "waiting"
    lab.policy["approval"] = "Required"
    heard = able(lab)
    lab.world.register(ORPHAN, 50)
    lab.run(DAY)
    assert heard == []


def test_a_request_that_a_later_run_found_waiting_is_withdrawn_as_that_of_the_run_that_made_it(asked):
    made_by = asked.runs()[-1].run_id
    asked.run(DAY)
    asked.approve()
    assert asked.outcomes()[ORPHAN] == "waiting"
    heard = able(asked)
    asked.world.register(ORPHAN, 50)
    asked.run(DAY)
    assert heard == [("delete", ORPHAN, made_by)]


def test_what_cannot_be_withdrawn_is_told_in_every_run_and_in_the_history_of_the_file(asked):
    able(asked, {ORPHAN: "cannot"})
    asked.world.register(ORPHAN, 50)
    for _ in range(2):
        summary = asked.run(DAY)
        assert summary["counts"]["requestsOutliving"] == 1
        assert any("take them back" in note and ORPHAN.decode() in note for note in summary["notes"])
    *_, told = history_of_path(asked.store, SITE, ORPHAN.decode())
    assert (told["became"], told["reason"]) == ("outliving", reasons_gone.CLAIMED)


def test_a_registry_that_has_no_way_back_is_told_of_what_may_still_wait(asked):
    asked.world.register(ORPHAN, 50)
    asked.world.store(MISSING, 100)  # fetched, for all that such a registry can say
    summary = asked.run(DAY)
    assert summary["counts"]["requestsOutliving"] == 1
    assert rows(asked.runs()[-1]) == {ORPHAN: ("cannot", reasons_gone.CLAIMED)}


def test_what_is_withdrawn_is_withdrawn_once_and_may_be_asked_for_again(asked):
    heard = able(asked)
    asked.world.register(ORPHAN, 50)
    asked.run(DAY)
    asked.run(DAY)
    assert len(heard) == 1
    del asked.world.entries[ORPHAN]
    for _ in range(2):
        asked.run(2 * DAY)
    asked.approve()
    assert asked.outcomes()[ORPHAN] == "requested"
    asked.world.register(ORPHAN, 50)
    asked.run(DAY)
    assert len(heard) == 2


def test_a_registry_that_is_down_is_no_harm_to_the_run_and_the_next_one_withdraws(asked):
    def down(site, requests):
        raise BackendError("the register is down")

    asked.backend.registry.withdraw = down
    asked.world.register(ORPHAN, 50)
    summary = asked.run(DAY)
    assert (summary["result"], summary["counts"]["requestsOutliving"]) == ("Complete", 1)
    heard = able(asked)
    asked.run(DAY)
    assert [path for _, path, _ in heard] == [ORPHAN]


def test_of_requests_that_are_followed_only_those_that_still_wait_are_withdrawn(asked):
    asked.backend.registry.follow = lambda site, requests: [
        "queued" if one.path == ORPHAN else "removed" for one in requests
    ]
    heard = able(asked)
    asked.world.register(ORPHAN, 50)
    asked.world.store(MISSING, 100)
    asked.run(DAY)
    assert [path for _, path, _ in heard] == [ORPHAN]
    followed = []
    asked.backend.registry.follow = lambda site, requests: followed.extend(requests) or ["queued"] * len(requests)
    asked.run(DAY)
    assert followed == []


def of(kind, request, path):
    asked = Asked(path, request, "20261122T030000Z", 0.0)
    return WaitingRequest(kind, asked, asked)


@pytest.mark.parametrize(
    ("request_", "seen", "why"),
    [
        (("orphans", "delete"), Seen(), reasons_gone.GONE),
        (("orphans", "delete"), Seen(listed={b"/a/f": [1]}), reasons_gone.NO_FINDING),
        (("orphans", "delete"), Seen(standing=frozenset({("orphans", b"/a/f")}), listed={b"/a/f": [1]}), ""),
        (("orphans", "delete"), Seen(unseen=Subtrees([b"/a"])), ""),
        (("orphans", "delete"), Seen(covered=Subtrees([b"/b"])), ""),
        (("orphans", "delete"), Seen(unseen=Subtrees([b"/a"]), known={b"/a/f": [1]}), reasons_gone.CLAIMED),
        (("orphans", "delete"), Seen(excluded=Subtrees([b"/a"])), reasons_gone.EXCLUDED),
        (("unmerged", "delete"), Seen(excluded=Subtrees([b"/a"]), unseen=Subtrees([b"/a"])), ""),
        (("missing", "transfer"), Seen(), reasons_gone.UNKNOWN),
        (("mismatches", "transfer"), Seen(listed={b"/a/f": [1]}), reasons_gone.UNKNOWN),
        (("missing", "transfer"), Seen(known={b"/a/f": [1]}), ""),  # on its way
        (("missing", "transfer"), Seen(known={b"/a/f": [1]}, listed={b"/a/f": [1]}), reasons_gone.BACK),
        (("missing", "transfer"), Seen(known={b"/a/f": [2]}, listed={b"/a/f": [1]}), ""),  # half of it is there
        (("missing", "transfer"), Seen(marks={("missing", b"/a/f"): RENAMED}), reasons_gone.MARKED[RENAMED]),
        (
            ("mismatches", "transfer"),
            Seen(marks={("mismatches", b"/a/f"): OTHER_NAME}, known={b"/a/f": [1]}, listed={b"/a/f": [2]}),
            reasons_gone.MARKED[OTHER_NAME],
        ),
    ],
)
def test_why_a_reason_is_gone(request_, seen, why):
    assert why_gone(of(*request_, b"/a/f"), seen) == why
