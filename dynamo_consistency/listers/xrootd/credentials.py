"""Proxies and tokens where the XRootD library looks for them, and whether they are still good.

Nothing here is passed on to the library, which finds them by itself; and nothing of them is ever shown.
"""

import base64
import binascii
import json
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dynamo_consistency.errors import ListingError
from dynamo_consistency.secrets import remember

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Credential:
    """One that was found. `chosen`: somebody set a variable for it, so that it must be good.

    `problem` says what is wrong with it and what to do, None when nothing is.
    """

    chosen: bool
    problem: str | None


def check_credentials(now: float | None = None) -> None:
    """Raises ListingError, with one sentence, when a proxy or token that a variable names has expired or is unusable.

    What merely lies at a default place is not judged here: the door may not want it (see `stale_defaults`).
    """
    for credential in found(time.time() if now is None else now):
        if credential.chosen and credential.problem:
            raise ListingError(credential.problem)


def stale_defaults() -> str:
    """What is wrong with credentials at default places, to be added to a door's refusal; empty when nothing is."""
    problems = [credential.problem for credential in found(time.time()) if credential.problem]
    return f" ({'; '.join(problems)})" if problems else ""


def found(now: float) -> Iterator[Credential]:
    """The proxy and the token that the library would use, in its order of search."""
    uid = os.getuid()
    proxy = os.environ.get("X509_USER_PROXY")
    path = Path(proxy or f"/tmp/x509up_u{uid}")  # noqa: S108
    if proxy or path.exists():
        yield Credential(bool(proxy), _judge_file("X.509 proxy", path, _proxy_expiry, "voms-proxy-init", now))
    if token := os.environ.get("BEARER_TOKEN"):
        where = "token in BEARER_TOKEN"
        yield Credential(True, _judge(where, lambda: _token_expiry(token), "a new token", now))
        return
    chosen = os.environ.get("BEARER_TOKEN_FILE")
    directories = [os.environ.get("XDG_RUNTIME_DIR"), "/tmp"]  # noqa: S108
    defaults = [Path(directory) / f"bt_u{uid}" for directory in directories if directory]
    for path in [Path(chosen)] if chosen else [path for path in defaults if path.exists()][:1]:
        yield Credential(bool(chosen), _judge_file("token", path, _token_expiry, "a new token", now))


def _judge_file(what: str, path: Path, expiry: Callable[[str], float | None], renewal: str, now: float) -> str | None:
    return _judge(f"{what} {path}", lambda: expiry(path.read_text(encoding="utf-8")), renewal, now)


def _judge(what: str, expiry: Callable[[], float | None], renewal: str, now: float) -> str | None:
    try:
        ends = expiry()
    except OSError as error:
        return f"the {what} cannot be read: {error.strerror}"
    except (ValueError, IndexError):
        return f"the {what} is not valid: renew it with {renewal}"
    if ends is None or ends > now:
        return None
    when = datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"the {what} expired at {when}: renew it with {renewal}"


def _proxy_expiry(pem: str) -> float:
    """A proxy ends with the first certificate of its chain to end."""
    return min(not_after(ssl.PEM_cert_to_DER_cert(block)) for block in _CERTIFICATE.findall(pem))


def _token_expiry(text: str) -> float | None:
    """The `exp` of a JWT; None for a token without one, and for one of another kind, which only its issuer can read."""
    token = remember(text.strip())
    parts = token.split(".")
    if not token:
        raise ValueError
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, UnicodeDecodeError):
        return None
    ends = claims.get("exp") if isinstance(claims, dict) else None
    return float(ends) if isinstance(ends, int | float) else None


def not_after(der: bytes) -> float:
    """When a certificate ends, in seconds since 1970. Raises ValueError or IndexError for what is none.

    Reads just the way there (RFC 5280): Certificate > TBSCertificate > [version] serial algorithm issuer *validity*.
    """
    signed = _content(_content(der))
    fields = list(_elements(signed))
    validity = fields[4 if fields[0][0] == 0xA0 else 3]
    end = list(_elements(_content(validity)))[1]
    text = _content(end).decode()
    if end[0] == 0x17:  # UTCTime has two digits of the year; RFC 5280 puts 50 to 99 into the last century
        text = ("19" if text >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _elements(der: bytes) -> Iterator[bytes]:
    while der:
        start, length = _header(der)
        yield der[: start + length]
        der = der[start + length :]


def _content(element: bytes) -> bytes:
    start, length = _header(element)
    return element[start : start + length]


def _header(element: bytes) -> tuple[int, int]:
    """Where the content of a DER element starts, and how long it is."""
    length = element[1]
    if length < 0x80:
        return 2, length
    size = length & 0x7F
    return 2 + size, int.from_bytes(element[2 : 2 + size], "big")
