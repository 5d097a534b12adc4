"""What is told of a run, and in which words."""

import pytest

from dynamo_consistency.notify.events import EVENTS, RunFacts, event_of, waits_for_approval_alone
from dynamo_consistency.notify.messages import Commands, digest, message
from dynamo_consistency.secrets import remember

COMMANDS = Commands("look here", "approve this")
DONE = RunFacts("T2_X", "7", result="Complete", found="3 orphans")
FAILED = RunFacts("T2_X", "7", result="Failed", reason="no door answers")
CLOSED = RunFacts("T2_X", "7", result="Complete", found="3 orphans", gates={"Limits": "3 of 4"})
ASKING = RunFacts("T2_X", "7", found="3 orphans", gates={"Limits": "3 of 4"}, wants_approval=True)
REQUESTED = RunFacts("T2_X", "7", result="Complete", found="4 missing", requested={"deletion": 1, "transfer": 4})


@pytest.mark.parametrize(
    ("now", "event"),
    [
        (DONE, None),
        (FAILED, "RunFailed"),
        (RunFacts("T2_X", "7", result="Invalid"), "RunFailed"),
        (RunFacts("T2_X", "7"), None),
        (CLOSED, "GateClosed"),
        (ASKING, "ApprovalRequired"),
        (REQUESTED, "ActionsRequested"),
    ],
)
def test_each_event_is_told_once_for_each_run(now, event):
    assert event_of(now, None, set(), EVENTS) == event
    assert event_of(now, now, set(), EVENTS) is None


def test_a_gate_that_was_closed_in_the_run_before_is_not_told_again():
    assert event_of(CLOSED, None, {"Limits"}, EVENTS) is None
    assert event_of(CLOSED, None, {"Inventory"}, EVENTS) == "GateClosed"


def test_what_is_not_wanted_is_not_told_and_what_comes_with_it_is():
    assert event_of(ASKING, None, set(), {"GateClosed"}) == "GateClosed"
    assert event_of(FAILED, None, set(), {"GateClosed"}) is None


@pytest.mark.parametrize(
    ("closed", "waits"),
    [
        ({}, False),
        ({"Approval": "Pending"}, True),
        ({"Approval": "Pending", "Limits": "Rejected"}, True),
        ({"Approval": "Pending", "Inventory": "Rejected"}, False),
        ({"Approval": "Rejected"}, False),
        ({"Limits": "Rejected"}, False),
    ],
)
def test_an_approval_is_wanted_where_it_would_open_all_that_is_closed(closed, waits):
    assert waits_for_approval_alone({"Mode": "Ready"} | closed) == waits


@pytest.mark.parametrize(
    ("facts", "event", "subject", "parts"),
    [
        (FAILED, "RunFailed", "T2_X: run 7 has failed", ["no door answers", "What to do: find out why."]),
        (RunFacts("T2_X", result="Failed"), "RunFailed", "T2_X: the run has failed", ["nothing says why"]),
        (CLOSED, "GateClosed", "T2_X: gate Limits closed in run 7", ["Limits: 3 of 4", "Found: 3 orphans"]),
        (ASKING, "ApprovalRequired", "T2_X: run 7 waits for approval", ["Limits: 3 of 4", "Approve: approve this"]),
        (REQUESTED, "ActionsRequested", "T2_X: 1 deletion and 4 transfers requested by run 7", ["Found: 4 missing"]),
    ],
)
def test_a_message_says_what_has_happened_what_to_do_and_how_to_look(facts, event, subject, parts):
    told = message(event, facts, COMMANDS)
    assert told.subject == subject
    for part in (*parts, "What to do: ", "Look: look here"):
        assert part in told.text
    assert not set("{}") & set(told.subject + told.text)


def test_a_subject_is_one_line_and_neither_it_nor_the_text_has_a_secret_or_a_control_character():
    remember("hidden-password")
    names = RunFacts("T2_X\r\nBcc: all", "7", result="Failed", reason="a\x1b[31m\nb hidden-password " + "long " * 500)
    told = message("RunFailed", names, COMMANDS)
    assert told.subject.isprintable()
    assert len(told.subject) <= 150
    assert "\x1b" not in told.text
    assert "hidden-password" not in told.text
    assert len(told.text) < 1500


def test_many_messages_are_one_with_a_line_each():
    messages = [message("RunFailed", FAILED, COMMANDS)] * 120 + [message("ApprovalRequired", ASKING, COMMANDS)]
    told = digest(messages)
    assert told.subject == "121 messages: 120 runs have failed, 1 runs wait for approval"
    assert told.text.count("T2_X: run 7 has failed\n") == 100
    assert "and 21 more" in told.text
