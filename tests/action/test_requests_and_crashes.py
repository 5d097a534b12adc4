"""Each request is written down before and after it is made (rules.md, gate 7), wherever the action ends."""

import pytest
from laboratory import FOUND, HOLLOWS, MISMATCH, MISSING, ORPHAN, die, dying_at_write
from simulated import DAY, Crash

from dynamo_consistency.errors import BackendError, ConsistencyError, InvalidRunError
from dynamo_consistency.run.action.scheduling import BATCH
from dynamo_consistency.run.action.site_lock import site_lock

PLAIN = {"looking": False, "itemising": False}


def requests_of(lab) -> list[bytes]:
    """What the registry has taken: each must be there once."""
    return sorted(asked.path for asked in lab.world.asked if asked.answer == "requested")


def test_dying_at_any_write_and_going_on_asks_for_everything_once(copied):
    for number in range(100):
        lab = copied()
        with dying_at_write(number) as moments:
            try:
                lab.approve()
            except Crash:
                pass
            else:
                assert number == moments() > 12, "the action has no more writes to die at"
                return
        lab.approve()
        assert requests_of(lab) == sorted(FOUND)
        assert set(lab.outcomes()) == set(FOUND)
        assert set(lab.outcomes().values()) <= {"requested", "waiting", "unanswered"}
        assert all(row["asked_at"] is not None for row in lab.actions())
    raise AssertionError("the action never came to its end")


@pytest.mark.parametrize(
    "number", [pytest.param(number, marks=pytest.mark.slow if number % 3 else ()) for number in range(len(FOUND))]
)
@pytest.mark.parametrize("arrived", [False, True])
def test_a_plain_registry_is_never_asked_again_when_its_answer_was_lost(copied, number, arrived):
    """It may or may not have taken the request; the next run will see."""
    lab = copied(**PLAIN)
    moments = lab.world.after_call if arrived else lab.world.before_call
    moments.extend([*[lambda: None] * number, die])
    with pytest.raises(Crash):
        lab.approve()
    lab.approve()
    doubtful = FOUND[number]
    above_it = set(HOLLOWS[HOLLOWS.index(doubtful) + 1 :]) if doubtful in HOLLOWS else set()
    assert [path for _, path in lab.asked()].count(doubtful) == arrived
    assert requests_of(lab) == sorted(set(FOUND) - above_it - (set() if arrived else {doubtful}))
    assert lab.outcomes()[doubtful] == "unanswered"
    lab.policy["approval"] = "Never"
    for _ in range(5):
        lab.run(2 * DAY)
    assert set(requests_of(lab)) >= set(FOUND)


def test_a_request_that_arrived_before_the_process_died_is_told_although_its_file_is_gone_now(waiting):
    waiting.world.after_call.extend([*[lambda: None] * 2, die])
    with pytest.raises(Crash):
        waiting.approve()
    waiting.world.pass_time(60)
    assert ORPHAN not in waiting.world.files
    waiting.approve()
    (row,) = [row for row in waiting.actions() if row["path"] == ORPHAN]
    assert (row["outcome"], row["reason"]) == ("unanswered", "gone")
    assert row["asked_at"].timestamp() == waiting.world.now - 60


def test_a_registry_that_fails_leaves_a_record_of_what_was_done_and_the_next_try_goes_on(waiting):
    def down():
        waiting.world.registry_down = True

    waiting.world.before_call.extend([lambda: None, down])
    with pytest.raises(BackendError, match="the registry did not take the request for transfer"):
        waiting.approve()
    assert waiting.outcomes() == {MISMATCH: "requested", MISSING: "unanswered"} | dict.fromkeys(FOUND[2:], "left over")
    waiting.world.calm()
    assert waiting.approve()["actions"]["missing"]["requested"] == 1
    assert requests_of(waiting) == sorted(FOUND)


@pytest.mark.parametrize("backend", [{}, PLAIN], ids=["itemising", "eleven names"])
def test_one_request_on_which_the_registry_chokes_keeps_none_of_the_others_back(copied, backend):
    lab = copied(**backend)
    others = [b"/store/data/X/P/AOD/v2/o%d" % number for number in range(4)]
    for path in others:
        lab.world.store(path, 5)
    lab.world.poison.add(others[1])
    lab.policy["approval"] = "Never"
    lab.policy["emptyDirectories"]["mode"] = "Report"
    for _ in range(8):
        lab.run(2 * DAY)
    assert set(lab.world.files) & {*others, ORPHAN} == {others[1]}


def test_what_the_registry_refuses_does_not_eat_up_the_budget_of_others_for_ever(copied):
    lab = copied()
    others = [b"/store/data/X/P/AOD/v2/o%d" % number for number in range(5)]
    for path in others:
        lab.world.store(path, 5)
    lab.world.refused |= {MISMATCH, MISSING, *others[:3]}
    lab.policy |= {"approval": "Never", "maxRequestsPerRun": 2}
    lab.policy["emptyDirectories"]["mode"] = "Report"
    for _ in range(7):
        lab.run(2 * DAY)
    assert set(lab.world.files) & {*others, ORPHAN} == set(others[:3])


def test_the_budget_holds_over_all_kinds_and_what_is_left_over_goes_first_next_time(waiting):
    waiting.policy |= {"maxRequestsPerRun": 2, "approval": "Never"}
    waiting.world.deletions_fail = True
    for _ in range(3):
        waiting.run(2 * DAY)
    asked = [path for _, path in waiting.asked()]
    assert asked == [*FOUND[:4], ORPHAN, HOLLOWS[0]]


def test_the_budget_of_a_run_holds_when_the_action_is_run_again(copied):
    lab = copied()
    lab.policy |= {"maxRequestsPerRun": 2, "approval": "Required"}
    lab.run(2 * DAY)
    for _ in range(3):
        lab.approve()
    assert len(lab.asked()) == 2


def test_more_than_one_batch_is_asked_for_once_each(lab):
    many = [b"/store/data/X/P/AOD/v1/%03d" % number for number in range(2 * BATCH + 5)]
    for path in many:
        lab.world.store(path)
    lab.policy["health"]["minListedFraction"] = "0"
    for _ in range(2):
        lab.run()
    assert [path for _, path in lab.asked()] == many


def test_asking_again_for_what_waits_already_is_said_and_writes_nothing(waiting):
    waiting.approve()
    waiting.policy["approval"] = "Never"
    waiting.world.asleep = True
    waiting.run(2 * DAY)
    assert waiting.outcomes()[ORPHAN] == "waiting"
    assert requests_of(waiting) == sorted(FOUND)


def test_a_last_copy_is_reported_and_never_touched(waiting):
    waiting.world.entries[MISSING].elsewhere = "tape"
    waiting.world.entries[MISMATCH].elsewhere = "nowhere"
    waiting.approve()
    assert waiting.outcomes()[MISSING] == waiting.outcomes()[MISMATCH] == "refused"
    assert MISMATCH in waiting.world.files


def test_a_plain_registry_says_which_last_copies_there_are(copied):
    lab = copied(**PLAIN)
    lab.world.entries[MISSING].elsewhere, lab.world.entries[MISMATCH].elsewhere = "tape", "nowhere"
    lab.approve()
    assert lab.reasons()[MISSING] == "no disk elsewhere has it"
    assert lab.reasons()[MISMATCH] == "neither disk nor tape elsewhere has it"


def test_a_registry_that_answers_for_other_files_is_not_believed(waiting):
    ask = waiting.backend.registry.request_transfer
    waiting.backend.registry.request_transfer = lambda site, files: ask(site, files)[1:]
    with pytest.raises(BackendError, match="did not answer for each file"):
        waiting.approve()
    assert waiting.outcomes()[MISMATCH] == "unanswered"


def test_actions_tell_of_each_file_what_when_and_behind_which_gates(waiting):
    waiting.approve()
    rows = {row["path"]: row for row in waiting.actions()}
    assert {path: row["request"] for path, row in rows.items()} == dict.fromkeys(FOUND[:2], "transfer") | dict.fromkeys(
        FOUND[2:], "delete"
    )
    for row in rows.values():
        assert row["asked_at"].timestamp() == row["answered_at"].timestamp() == waiting.world.now
        assert '"Approval"' in row["gates"]


def test_a_run_without_findings_is_not_acted_on(lab, world):
    world.site_down = True
    assert lab.run()["result"] == "Invalid"
    with pytest.raises(InvalidRunError, match="no findings to act on"):
        lab.approve()


def test_two_actions_of_a_site_at_once_are_refused(waiting):
    with (
        site_lock(waiting.store, "T2_Test"),
        pytest.raises(ConsistencyError, match="another action of T2_Test is under way"),
    ):
        waiting.approve()
    assert waiting.asked() == []
    waiting.approve()
    assert requests_of(waiting) == sorted(FOUND)


def test_comparing_again_keeps_what_was_requested_in_the_summary(waiting):
    from dynamo_consistency.run.pipeline import conclude

    told = waiting.approve()
    assert conclude(waiting.runs()[-1], waiting.backend)["actions"] == told["actions"]
