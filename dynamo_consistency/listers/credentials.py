"""Proxies, certificates and tokens where grid tools look for them, and whether they are still good.

Nothing of their content is ever shown.
"""

import base64
import binascii
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.certificates import chain_end
from dynamo_consistency.secrets import remember
from dynamo_consistency.text import timestamp


class Credential(NamedTuple):
    """A credential that was found: in the files `paths`, or in the environment where there are none.

    `chosen`: somebody set a variable for it, so that it must be good. `problem` says what is wrong with it and what to
    do, None when nothing is.
    """

    paths: tuple[Path, ...]
    chosen: bool
    problem: str | None


def check_credentials(now: float | None = None, *, certificates: bool = False) -> None:
    """Raises ListingError, with one sentence, when a credential that a variable names has expired or is unusable.

    What merely lies at a default place is not judged here: the door may not want it (see `stale_credentials`).
    `certificates`: the tool takes a certificate with its key as well as a proxy.
    """
    for credential in found(time.time() if now is None else now, certificates=certificates):
        if credential.chosen and credential.problem:
            raise ListingError(credential.problem)


def stale_credentials(*, certificates: bool = False) -> str:
    """What is wrong with the credentials that there are, to be added to a door's refusal; empty when nothing is."""
    problems = [each.problem for each in found(time.time(), certificates=certificates) if each.problem]
    return f" ({'; '.join(problems)})" if problems else ""


def found(now: float, *, certificates: bool = False) -> list[Credential]:
    """The credentials that grid tools would use at `now` (seconds since 1970), in their order of search."""
    both = (x509(now, certificates=certificates), token(now))
    return [credential for credential in both if credential is not None]


def x509(now: float, *, certificates: bool = False) -> Credential | None:
    """What X509_USER_PROXY names, else X509_USER_CERT with X509_USER_KEY, else a proxy at its default place.

    None where there is none. `now` in seconds since 1970. `certificates`: whether X509_USER_CERT counts.
    """
    chosen, certificate = os.environ.get("X509_USER_PROXY"), os.environ.get("X509_USER_CERT")
    if certificates and certificate and not chosen:
        return _certificate(Path(certificate), Path(os.environ.get("X509_USER_KEY") or certificate), now)
    path = Path(chosen or f"/tmp/x509up_u{os.getuid()}")  # noqa: S108
    if not chosen and not path.exists():
        return None
    problem = _judge(f"X.509 proxy {path}", lambda: chain_end(_text(path)), "voms-proxy-init", now)
    return Credential((path,), bool(chosen), problem)


def _certificate(certificate: Path, key: Path, now: float) -> Credential:
    def end() -> float:
        key.open("rb").close()
        return chain_end(_text(certificate))

    problem = _judge(f"certificate {certificate} with the key {key}", end, "your certificate authority", now)
    return Credential((certificate, key), True, problem)


def token(now: float) -> Credential | None:
    """BEARER_TOKEN, else the file that BEARER_TOKEN_FILE names, else one at a default place; None where there is none.

    The order is that of WLCG's Bearer Token Discovery. `now` in seconds since 1970.
    """
    if text := os.environ.get("BEARER_TOKEN"):
        return Credential((), True, _judge("token in BEARER_TOKEN", lambda: token_end(text), "a new token", now))
    chosen = os.environ.get("BEARER_TOKEN_FILE")
    directories = [os.environ.get("XDG_RUNTIME_DIR"), "/tmp"]  # noqa: S108
    defaults = [Path(directory) / f"bt_u{os.getuid()}" for directory in directories if directory]
    path = Path(chosen) if chosen else next((path for path in defaults if path.exists()), None)
    if path is None:
        return None
    problem = _judge(f"token {path}", lambda: token_end(_text(path)), "a new token", now)
    return Credential((path,), bool(chosen), problem)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _judge(what: str, end: Callable[[], float | None], renewal: str, now: float) -> str | None:
    try:
        ends = end()
    except OSError as error:
        return f"the {what} cannot be read: {error.strerror}"
    except (ValueError, IndexError):
        return f"the {what} is not valid: renew it with {renewal}"
    if ends is None or ends > now:
        return None
    return f"the {what} expired at {timestamp(ends)}: renew it with {renewal}"


def token_end(text: str) -> float | None:
    """When a token expires, in seconds since 1970: the `exp` of a JWT (RFC 7519).

    None for a JWT without it, and for a token of another kind, which only its issuer can read. Raises ValueError for a
    text that is no token. The token is remembered as a secret.
    """
    token = remember(text.strip())
    parts = token.split(".")
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, UnicodeDecodeError):
        return None
    ends = claims.get("exp") if isinstance(claims, dict) else None
    return float(ends) if isinstance(ends, int | float) else None
