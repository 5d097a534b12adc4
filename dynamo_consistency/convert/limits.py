"""Limits are only ever tightened: what an older tool allowed beyond the defaults of a check is noted, not taken."""

from decimal import Decimal
from typing import Any

from dynamo_consistency.convert.settings import Settings, seconds, whole

_DIGITS = Decimal("0.0000000001")


def at_most(settings: Settings, key: str, default: Decimal | int, ours: str) -> Any:
    """The value of `key` for `ours`, a field of the check, unless it allows more than `default`; else None."""
    number = settings.number(key)
    if number is None:
        return None
    if number > default:
        settings.note(key, f"{number} allows more than the default {default}, which stays; raise {ours} if you mean it")
        return None
    number = max(number, Decimal(0))  # less than 0 meant never
    if isinstance(default, Decimal):
        return f"{number.quantize(_DIGITS).normalize():f}"
    return int(number)


def at_least(settings: Settings, key: str, default: int, ours: str) -> int | None:
    """As `at_most`, for a number that protects the more the higher it is; rounded up."""
    number = settings.number(key)
    return None if number is None else raised(settings, key, whole(number), default, ours)


def days_at_least(settings: Settings, key: str, default: int, ours: str) -> int | None:
    """As `at_least`, for days of theirs and seconds of ours."""
    number = settings.number(key)
    return None if number is None else raised(settings, key, seconds(number), default, ours)


def raised(settings: Settings, key: str, number: int, default: int, ours: str) -> int | None:
    """`number`, the value of `key`, unless it protects less than `default`; then a note, and None."""
    if number < default:
        settings.note(
            key, f"{number} protects less than the default {default}, which stays; lower {ours} if you mean it"
        )
        return None
    return number


def without_nothing(values: dict[str, Any]) -> dict[str, Any]:
    """`values` without those that say nothing, so that a check's defaults are not repeated."""
    return {key: value for key, value in values.items() if value not in (None, [], {})}
