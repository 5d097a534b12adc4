"""The service as a process: its socket, its end."""

import contextlib
import socket
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp

from dynamo_consistency.errors import ConfigurationError, ConsistencyError

_AT_ONCE = 100
"""Connections and requests; what is more is answered with 503."""
_LONGEST_HEADERS = 32_768


class Address(NamedTuple):
    """Where it listens. `host`: an address or a name, without brackets."""

    host: str
    port: int

    @classmethod
    def read(cls, text: str) -> "Address":
        """Raises ConfigurationError for what is no `host:port`."""
        host, separator, port = text.rpartition(":")
        if not separator or not port.isdecimal() or int(port) > 65535 or not host:
            raise ConfigurationError(f"--listen wants HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080; it is {text!r}")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))


def bound(address: Address) -> socket.socket:
    """A socket at that address. Raises ConsistencyError when it cannot be had."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigurationError(f"there is no address {address.host}: {error.strerror}") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
        listening.listen(128)
    except OSError as error:
        listening.close()
        reason = f"{address.host}:{address.port} cannot be listened on: {error.strerror}"
        raise ConsistencyError(f"{reason}; choose another address with --listen") from None
    return listening


def url_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def serve(app: ASGIApp, listening: socket.socket) -> None:
    """Answer until a signal ends it; what is being answered then has five seconds."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_AT_ONCE,
        h11_max_incomplete_event_size=_LONGEST_HEADERS,
        timeout_graceful_shutdown=5,
    )
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn has ended already, and passes on what has ended it
        uvicorn.Server(config).run(sockets=[listening])
