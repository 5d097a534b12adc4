"""Numbers, times, durations and what others wrote as text for people; heavy libraries are not needed for it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dynamo_consistency.paths import visible
from dynamo_consistency.secrets import redact
from dynamo_consistency.sizes import UNKNOWN


def said(value: object) -> str:
    """What others wrote, as it may be shown: without credentials, and with every character visible."""
    return visible(redact(str(value)))


def count(number: int | None) -> str:
    return UNKNOWN if number is None else f"{number:,}"


def word_for(number: int, word: str) -> str:
    """`word`, or its plural with an s, as `number` wants it."""
    return word if number == 1 else f"{word}s"


def timestamp(seconds: float | None, form: str = "%Y-%m-%d %H:%M:%S UTC") -> str:
    """Seconds since 1970 as a date and time in UTC; a number that is no date is shown as it is."""
    if seconds is None:
        return UNKNOWN
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime(form)
    except (OverflowError, ValueError, OSError):
        return str(seconds)


def duration(seconds: float | None) -> str:
    """A time span in the two largest units that matter: `3 h 20 min`."""
    if seconds is None or seconds < 0:
        return UNKNOWN
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next(index for index, (number, _) in enumerate(parts) if number)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number)


def snapshot(taken_at: float | None, rows: int, description: str) -> str:
    """When a snapshot of the inventory was taken, and what it has; `description`: the backend, in its own words."""
    return f"{timestamp(taken_at)}, {count(rows)} files. {description}"


_NUMBERS = (("waiting", "waiting already"), ("unanswered", "unanswered"), ("leftOver", "left for the next run"))


def outcomes(action: Mapping[str, Any]) -> list[str]:
    """What was requested of one kind, by an entry of a summary's `actions`, and what was not and why: some phrases."""
    confirmed = f" of {action['confirmed']} confirmed" if "confirmed" in action else ""
    request = f" ({action['request']})" if "request" in action else ""
    parts = [f"{action.get('requested', 0)} requested{request}{confirmed}"]
    parts += [f"{action[key]} {said}" for key, said in _NUMBERS if action.get(key)]
    for key, said in (("refused", "refused"), ("skipped", "skipped"), ("heldBack", "held back")):
        parts += [f"{number} {said}: {reason}" for reason, number in action.get(key, {}).items()]
    return parts
