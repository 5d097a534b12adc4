"""When a list was made, as some formats say it in their first line: it counts although a copy has a new time."""

import re
from datetime import UTC

from dynamo_consistency.listers.dump.dates import written
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
        if told is None:
            return None
        text = told[1].decode("ascii")
        return float(text) if text.isdigit() else written(text, UTC)
    except ValueError:
        return None
