"""What an answer that is not a listing means."""

from dataclasses import dataclass

from dynamo_consistency.listers.contract import Failed
from dynamo_consistency.listers.xrootd.library import XRootDStatus
from dynamo_consistency.secrets import redact

# The client's codes.
INVALID_ARGUMENTS = 9
TIMED_OUT = frozenset({103, 206})
# Of our own client, which has no code for them.
NEEDS_LIBRARY, NO_LOG_IN, UNEXPECTED = -1, -2, -3
CONNECTION_FAILED = frozenset(
    {NEEDS_LIBRARY, NO_LOG_IN, 101, 102, 104, 105, 106, 107, 108, 109, 110, 202, 203, 204, 208}
)
OUT_OF_STREAMS = 301
INVALID_RESPONSE = 303
REFUSED_BY_SERVER = 400

# The server's errors (kXR_…), when the client's code is REFUSED_BY_SERVER.
NOT_FOUND = 3011
# Name too long, no permission, unsupported, no file, a directory, TLS required, authentication failed: for good.
FINAL = frozenset({3002, 3010, NOT_FOUND, 3013, 3015, 3016, 3028, 3030})
# No memory, overloaded, request timed out, timer expired.
OVERLOADED_ERRORS = frozenset({3008, 3024, 3034, 3035})


class NotFound(Failed):
    """The server does not have the directory; another server of its cluster may."""


@dataclass(slots=True)
class RequestProblem:
    """A request that gave no listing: the answer for the walk, and what it means for the door."""

    failed: Failed
    door_is_down: bool = False
    timed_out: bool = False


def problem_of(status: XRootDStatus, door: object) -> RequestProblem | None:
    """What is wrong with an answer of `door`; None for a success: ok, and the code 0.

    With ok and the code 3 (partial) parts of the listing are missing. The codes are those of XrdCl (`XrdClStatus.hh`)
    and of the protocol (kXR_…).
    """
    code = status["code"]
    if status["ok"]:
        return RequestProblem(Failed(f"{door} answered in part only (code {code})", retry=True)) if code else None
    reason = f"{door}: {_message(status)}"
    if code == REFUSED_BY_SERVER:
        return RequestProblem(_refusal(status["errno"], reason))
    if code in TIMED_OUT:
        return RequestProblem(Failed(f"{door} did not answer in time", retry=True, slow=True), timed_out=True)
    if code in CONNECTION_FAILED:
        return RequestProblem(Failed(reason, retry=True), door_is_down=True)
    if code == INVALID_RESPONSE:
        return RequestProblem(
            Failed(f"{door}: the listing cannot be read; a line end in the name of an entry does that")
        )
    return RequestProblem(Failed(reason, retry=True, slow=code == OUT_OF_STREAMS))


def _refusal(errno: int, reason: str) -> Failed:
    if errno == NOT_FOUND:
        return NotFound(reason)
    final = errno in FINAL or "not a directory" in reason
    return Failed(reason, retry=not final, slow=errno in OVERLOADED_ERRORS)


def _message(status: XRootDStatus) -> str:
    text = " ".join(str(status["message"]).split())
    for noise in ("[ERROR] ", "[FATAL] ", "Server responded with an error: "):
        text = text.removeprefix(noise)
    return redact(text) or f"error {status['code']}"
