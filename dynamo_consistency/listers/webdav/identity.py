"""What this process presents to doors (a proxy or certificate, a token), and which certificates it trusts."""

import logging
import os
import ssl
import threading
import time
from pathlib import Path

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.credentials import Credential, token, x509
from dynamo_consistency.secrets import redact, remember

log = logging.getLogger(__name__)

GRID_AUTHORITIES = "/etc/grid-security/certificates"
LOOK_SECONDS = 5.0  # how often files are looked at for having been renewed

Stamp = tuple[tuple[str, int, int, int], ...]


class ClientIdentity:
    """Credentials as they are now: files are read again when they have been renewed. Used from any thread.

    One at a default place that has expired is not presented: a door that needs none would refuse it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked = -LOOK_SECONDS
        self._stamp: Stamp | None = None
        self._token: str | None = None
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def context(self) -> ssl.SSLContext:
        """For TLS: the same until there is a renewed certificate or token.

        Raises ListingError when the credentials or the authorities are unusable.
        """
        self._look()
        return self._context

    def token(self) -> str | None:
        """The bearer token; None where there is none. Raises ListingError as `context` does."""
        self._look()
        return self._token

    def _look(self) -> None:
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        with self._lock:
            if time.monotonic() - self._looked < LOOK_SECONDS:
                return
            now = time.time()
            certificate, bearer = _usable(x509(now, certificates=True)), _usable(token(now))
            stamp = _stamp(certificate, bearer)
            if stamp != self._stamp:
                self._renew(certificate, bearer, stamp)
            self._looked = time.monotonic()

    def _renew(self, certificate: Credential | None, bearer: Credential | None, stamp: Stamp) -> None:
        """Take them up; what cannot be read, because it is just being written, leaves the old ones in force."""
        try:
            text = _text(bearer)
            context = trust(certificate)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            if self._stamp is None:
                raise ListingError(f"the X.509 credential or the token cannot be used: {redact(str(error))}") from None
            log.warning("renewed credentials cannot be used yet: %s", redact(str(error)))
            return
        self._token, self._stamp, self._context = text, stamp, context


def _usable(credential: Credential | None) -> Credential | None:
    return None if credential is None or (credential.problem and not credential.chosen) else credential


def _stamp(*credentials: Credential | None) -> Stamp:
    """Changes when the files do."""
    stamps = []
    for path in (path for credential in credentials if credential for path in credential.paths):
        try:
            status = path.stat()
        except OSError:
            continue
        stamps.append((str(path), status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(stamps)


def _text(bearer: Credential | None) -> str | None:
    if bearer is None:
        return None
    text = bearer.paths[0].read_text(encoding="utf-8") if bearer.paths else os.environ["BEARER_TOKEN"]
    text = remember(text.strip())
    if not text or not text.isascii() or not text.isprintable():
        raise ValueError("the token is not valid")
    return text


def trust(certificate: Credential | None) -> ssl.SSLContext:
    """A TLS context that presents `certificate` and trusts the authorities in X509_CERT_DIR.

    By default it trusts those of the system and those of the grid.

    Raises OSError when `certificate` or that directory cannot be used.
    """
    chosen = os.environ.get("X509_CERT_DIR")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # grid authorities issue certificates that it does not like
    context.post_handshake_auth = True  # some servers ask for a certificate only for some paths
    if not chosen:
        context.load_default_certs()
    elif not Path(chosen).is_dir():
        raise OSError(f"X509_CERT_DIR names {chosen}, which is no directory")
    if chosen or Path(GRID_AUTHORITIES).is_dir():
        context.load_verify_locations(capath=chosen or GRID_AUTHORITIES)
    if certificate is not None:
        context.load_cert_chain(*map(str, certificate.paths))
    return context
