"""How a question ended, in the words of the XRootD library, so that both clients are understood by `status.py`."""

from typing import Any

from dynamo_consistency.listers.xrootd.status import NEEDS_LIBRARY, NO_LOG_IN, REFUSED_BY_SERVER, UNEXPECTED
from dynamo_consistency.listers.xrootd.wire.login import LogInFailed, Unreachable

Status = dict[str, Any]


def _failure(code: int, message: str, errno: int = 0) -> Status:
    return {"ok": False, "code": code, "errno": errno, "message": message}


SUCCESS: Status = {"ok": True, "code": 0, "errno": 0, "message": ""}
TIMED_OUT: Status = _failure(206, "no answer in time")


def refusal(errno: int, text: bytes) -> Status:
    """The server's error `errno`, with its own words."""
    words = text.split(b"\0", 1)[0].decode("utf-8", "replace")
    return _failure(REFUSED_BY_SERVER, f"[{errno}] {words}", errno)


def unexpected(reason: str) -> Status:
    """What may be otherwise next time."""
    return _failure(UNEXPECTED, reason)


def no_connection(failure: LogInFailed) -> Status:
    """The door is not there; or it does not let us in, and the library may know better."""
    return _failure(NO_LOG_IN if isinstance(failure, Unreachable) else NEEDS_LIBRARY, str(failure))
