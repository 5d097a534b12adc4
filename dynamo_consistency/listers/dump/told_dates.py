"""When a list was made, as some formats say it in their first line: it counts although a copy has a new time."""

import re
from datetime import UTC, datetime

from dynamo_consistency.listers.dump.opening import opened

_HEAD = 4096
_TOLD = {
    "hadoop": rb"^BEGIN TIME ([0-9]{9,10})\b",
    "spacemon": rb"^BEGIN TIME ([0-9]{9,10})\b",
    "syncat": rb"<(?:\w+:)?dump\b[^>]*\brecorded=[\"']([^\"']{10,40})[\"']",
}


def told_date(url: str, format_: str) -> float | None:
    """Seconds since 1970; None where the list does not say it. Raises ListingError when it cannot be read."""
    if format_ not in _TOLD:
        return None
    with opened(url) as stream:
        told = re.search(_TOLD[format_], bytes(stream.read(_HEAD)))
    try:
        return None if told is None else _seconds(told[1].decode("ascii"))
    except ValueError:
        return None


def _seconds(text: str) -> float:
    if text.isdigit():
        return float(text)
    when = datetime.fromisoformat(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
