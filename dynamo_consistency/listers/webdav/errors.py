"""What a request that gave no listing means: for the directory, and for the door."""

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from dynamo_consistency.listers.contract import Failed
from dynamo_consistency.secrets import redact

# These and most from 500 on may be gone at the next request (see `refusal`); all others from 400 on are permanent.
MAY_PASS = {408, 413, 421, 423, 425, 429}
OVERLOADED_STATUSES = {408, 413, 429, 503, 504}
NOTHING_THERE = {404, 410}
EXPLAINED = {
    401: "it wants a credential, or another one",
    403: "it does not permit that",
    405: "it does not take PROPFIND here: is that a WebDAV door?",
    501: "it does not take PROPFIND: is that a WebDAV door?",
}


class WebDavError(Exception):
    """The directory cannot be listed, or not now. `failed` is the answer for the walk, with secrets hidden.

    `absent`: the server that was asked says itself, and clearly, that there is nothing.
    """

    absent = False

    def __init__(self, reason: str, *, retry: bool = False, slow: bool = False, after: float = 0.0) -> None:
        super().__init__(reason)
        self.failed = Failed(redact(reason), retry, slow, after)


class BrokenError(WebDavError):
    """The connection broke before there was an answer."""


class DoorIsDownError(WebDavError):
    """The door takes no connections: that is not the directory's fault."""


class SilentError(WebDavError):
    """No answer in time; the cause may be the directory, or the door."""

    def __init__(self, door: object) -> None:
        super().__init__(f"{door} did not answer in time", retry=True, slow=True)


class RefusedTlsError(WebDavError):
    """The door is alive, and refuses our certificate, or that we have none: perhaps for this directory only."""


def refusal(door: object, status: int, headers: Mapping[str, str], hint: str = "") -> WebDavError:
    """The error for an answer of `door` that is no listing: its HTTP `status` and `headers`; `hint` is added to it.

    The names of headers are in lower case.
    """
    reason = f"{door}: {status} {_phrase(status)}"
    if status in EXPLAINED:
        reason += f", {EXPLAINED[status]}"
    reason += hint
    if status < 400:
        return WebDavError(f"{reason}; a listing has the status 207")
    retry = status in MAY_PASS or (status >= 500 and status not in (501, 505, 507))
    wish = seconds_to_wait(headers.get("retry-after", ""), time.time()) if retry else 0.0
    return WebDavError(reason, retry=retry, slow=status in OVERLOADED_STATUSES, after=wish)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "(a status that HTTP does not know)"


def seconds_to_wait(wish: str, now: float) -> float:
    """A `Retry-After`, which is a number of seconds or a date; 0 for one that cannot be read."""
    wish = wish.strip()
    if re.fullmatch(r"[0-9]{1,9}", wish):
        return float(wish)
    try:
        return max(0.0, parsedate_to_datetime(wish).timestamp() - now)
    except (ValueError, OverflowError, TypeError):
        return 0.0
