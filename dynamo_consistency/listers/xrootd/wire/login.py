"""From nothing to a logged-in connection: TCP, TLS, handshake, log-in and authentication. Blocks; runs in a thread.

The library `xrdclient` decides what is said; it is imported here and nowhere else. What it cannot do, or what nobody
has tried, is left to the XRootD library: Kerberos, shared secrets, and requests that must be signed.
"""

import socket
import ssl
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from dynamo_consistency.listers import credentials
from dynamo_consistency.listers.credentials import Credential
from dynamo_consistency.listers.xrootd.url import XRootDDoor
from dynamo_consistency.listers.xrootd.wire.frames import DIRLIST, LOCATE, RMDIR, STAT
from dynamo_consistency.listers.xrootd.wire.private_copy import private
from dynamo_consistency.secrets import remember

OURS = frozenset({"", "gsi", "ztn", "unix", "host"})
"""The ways to authenticate that are used here."""


class LogInFailed(Exception):  # noqa: N818
    """The door cannot be used by us, though perhaps by the library; the text says why, without credentials."""


class Unreachable(LogInFailed):
    """There is no connection."""


class LoggedIn(NamedTuple):
    """A connection on which requests may be sent. `flags` say what the server is."""

    socket: socket.socket
    flags: int


def log_in(door: XRootDDoor, connect_seconds: float, seconds: float) -> LoggedIn:
    """Connect to `door` and log in. `connect_seconds` bound each attempt of TCP, `seconds` the rest.

    Raises LogInFailed.
    """
    try:
        connection = socket.create_connection((door.host.strip("[]"), door.port), connect_seconds)
    except OSError as error:
        raise Unreachable(_sentence(error)) from error
    log = _LogIn(door, connection, time.monotonic() + seconds)
    try:
        connected = log.run()
    except BaseException:
        log.socket.close()
        raise
    connected.socket.setblocking(False)
    connected.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return connected


class _LogIn:
    def __init__(self, door: XRootDDoor, connection: socket.socket, deadline: float) -> None:
        from xrdclient.proto.machine import SessionMachine

        self.socket, self._door, self._deadline = connection, door, deadline
        self._config = _settings(max(1.0, deadline - time.monotonic()))
        tls = door.scheme == "roots"
        self._machine = SessionMachine(host=door.host.strip("[]"), port=door.port, config=self._config, want_tls=tls)

    def run(self) -> LoggedIn:
        from xrdclient.errors import XRootDError
        from xrdclient.proto.machine import State

        try:
            self._machine.start()
            while self._machine.state is not State.READY:
                self._step()
        except TimeoutError as error:
            raise Unreachable("it did not answer in time") from error
        except (OSError, XRootDError, ValueError) as error:
            if foreign := sorted(set(self._machine.skipped) - OURS):
                raise LogInFailed(f"it asks for {' or '.join(foreign)}") from error
            raise LogInFailed(f"Authentication failed: {_sentence(error)}") from error
        self._leave_to_library()
        return LoggedIn(self.socket, self._machine.protocol_info.flags)

    def _step(self) -> None:
        from xrdclient.proto.machine import Disconnected, Failed, NeedTLS

        self._within_time()
        if self._machine.has_data_to_send:
            self.socket.sendall(self._machine.data_to_send())
        self._within_time()
        data = self.socket.recv(65536)
        if not data:
            raise Unreachable("it closed the connection during the log-in")
        self._machine.receive_data(data)
        for event in self._machine.drain():
            if isinstance(event, NeedTLS):
                self._encrypt()
            elif isinstance(event, Failed):
                raise event.error
            elif isinstance(event, Disconnected):
                raise Unreachable(event.reason)

    def _within_time(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)

    def _encrypt(self) -> None:
        from xrdclient.transport.base import tls_context

        context: ssl.SSLContext = tls_context(self._config)
        self.socket = context.wrap_socket(self.socket, server_hostname=self._door.host.strip("[]"))
        self._machine.tls_established()

    def _leave_to_library(self) -> None:
        from xrdclient.crypto.sigver import is_signed

        info = self._machine.protocol_info
        used, skipped = self._machine.mechanism, self._machine.skipped
        refused = [name for name in skipped if name not in OURS and skipped[name].startswith("refused")]
        if used not in OURS or refused:  # with another one that it accepts we would be somebody else
            raise LogInFailed(f"it asks for {used if used not in OURS else refused[0]}")
        if any(
            is_signed(kind, info.security_level, info.security_overrides) for kind in (DIRLIST, LOCATE, RMDIR, STAT)
        ):
            raise LogInFailed("it wants requests to be signed")


def _settings(seconds: float) -> Any:
    """With the credentials of `credentials.py`, in copies where others may read them."""
    from xrdclient.config import Config

    now = time.time()
    chosen = _with(credentials.x509(now), _proxy) | _with(credentials.token(now), _token)
    return Config(prompt=False, connect_timeout=seconds, request_timeout=seconds).evolve(**chosen)


def _with(credential: Credential | None, setting: Callable[[Credential], dict[str, str]]) -> dict[str, str]:
    """What nobody has chosen and cannot be read is as good as not there."""
    if credential is None or not credential.paths:
        return {}
    try:
        return setting(credential)
    except (OSError, UnicodeDecodeError) as error:
        if credential.chosen:
            raise LogInFailed(f"a credential cannot be read: {error}") from error
        return {}


def _proxy(credential: Credential) -> dict[str, str]:
    path = private(credential.paths[0])
    return {"proxy": path} if credential.chosen or path != str(credential.paths[0]) else {}


def _token(credential: Credential) -> dict[str, str]:
    return {"token": remember(credential.paths[0].read_text(encoding="utf-8").strip())}


def _sentence(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__
