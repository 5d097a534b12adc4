"""What is written to a person: a subject of one line, what has happened, what to do next, and the command to look."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from dynamo_consistency.notify.events import EVENTS, Event, RunFacts
from dynamo_consistency.paths import visible
from dynamo_consistency.secrets import redact
from dynamo_consistency.sentences import shortened
from dynamo_consistency.text import word_for

_LONGEST_SUBJECT, _LONGEST_PART = 150, 600
_MOST_TOLD = 100
"""Of the messages that are sent as one."""
_TITLES: dict[Event, str] = {
    "RunFailed": "runs have failed",
    "ApprovalRequired": "runs wait for approval",
    "GateClosed": "runs have closed a gate",
    "ActionsRequested": "runs have made requests",
}


@dataclass(frozen=True)
class Message:
    """A message as it is sent; it has no credential, and the subject is one line."""

    event: Event
    subject: str
    text: str

    def to_json(self) -> str:
        """As one line, for the process that sends it."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Commands:
    """What a person types: to look at the run, and to approve it."""

    look: str
    approve: str


def message(event: Event, facts: RunFacts, commands: Commands) -> Message:
    """What is written about a run."""
    lines = [f"{name}: {_part(sentence)}" for name, sentence in facts.gates.items()]
    parts = [
        _happened(facts),
        "\n".join(lines),
        f"What to do: {_next(event)}",
        f"Look: {commands.look}" + (f"\nApprove: {commands.approve}" if facts.wants_approval else ""),
    ]
    text = "\n\n".join(part for part in parts if part)
    return Message(event, _one_line(f"{facts.site}: {_subject(event, facts)}"), redact(text) + "\n")


def digest(messages: Sequence[Message]) -> Message:
    """Many messages as one: a line each."""
    kinds = Counter(each.event for each in messages)
    numbers = ", ".join(f"{kinds[event]} {_TITLES[event]}" for event in EVENTS if kinds[event])
    lines = [each.subject for each in messages[:_MOST_TOLD]]
    lines += [f"and {more} more"] if (more := len(messages) - _MOST_TOLD) > 0 else []
    worst = next(event for event in EVENTS if kinds[event])
    text = "\n".join(lines) + "\n\nWhat to do: look for what they have in common first.\n"
    return Message(worst, _one_line(f"{len(messages)} messages: {numbers}"), text)


def _subject(event: Event, facts: RunFacts) -> str:
    run = f"run {facts.run_id}" if facts.run_id else "the run"
    match event:
        case "RunFailed":
            return f"{run} {'is invalid' if facts.result == 'Invalid' else 'has failed'}"
        case "ApprovalRequired":
            return f"{run} waits for approval"
        case "GateClosed":
            names = " and ".join(facts.gates)
            return f"{word_for(len(facts.gates), 'gate')} {names} closed in {run}"
        case "ActionsRequested":
            return f"{_requested(facts)} requested by {run}"


def _happened(facts: RunFacts) -> str:
    sentences = []
    if facts.failed:
        sentences.append(_part(facts.reason or "nothing says why"))
    elif facts.found:
        sentences.append(f"Found: {facts.found}")
    if sum(facts.requested.values()):
        sentences.append(f"Requested: {_requested(facts)}")
    return "\n".join(sentences)


def _requested(facts: RunFacts) -> str:
    numbers = {word: number for word, number in facts.requested.items() if number}
    return " and ".join(f"{number} {word_for(number, word)}" for word, number in numbers.items())


def _next(event: Event) -> str:
    match event:
        case "RunFailed":
            return "find out why. The findings of the last complete run stay in force, and nothing else is requested."
        case "ApprovalRequired":
            return "look at the findings. Approve the run if they are right; if not, do nothing: it ends with the next."
        case "GateClosed":
            return "look before anything is deleted. Nothing is requested while the gate is closed."
        case "ActionsRequested":
            return "nothing, if you expect that. The next run tells what became of the requests."


def _part(text: str) -> str:
    return shortened(" ".join(visible(text).split()), _LONGEST_PART)


def _one_line(text: str) -> str:
    return shortened(redact(" ".join(visible(text).split())), _LONGEST_SUBJECT)
