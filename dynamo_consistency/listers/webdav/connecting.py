"""Makes connections: names are looked up, and certificates judged, by urllib3, on threads that may wait for that."""

import re
import socket
import ssl

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from dynamo_consistency.listers.credentials import stale_credentials
from dynamo_consistency.listers.webdav.errors import BrokenError, DoorIsDownError, RefusedTlsError, SilentError
from dynamo_consistency.listers.webdav.url import WebDavDoor

_CONNECTION = re.compile(r"^(<[^>]*>|HTTPS?Connection\w*\([^)]*\)): ")


def connect(door: WebDavDoor, context: ssl.SSLContext, seconds: float) -> socket.socket:
    """A socket that does not block, with TLS where `door` has it.

    Raises WebDavError; each step may take so many seconds.
    """
    host = door.host.strip("[]")
    connection = (
        HTTPSConnection(host, door.port, timeout=seconds, ssl_context=context)
        if door.secure
        else HTTPConnection(host, door.port, timeout=seconds)
    )
    try:
        connection.connect()
    except (NewConnectionError, ConnectTimeoutError) as error:
        raise DoorIsDownError(_reason(door, error), retry=True) from None
    except TimeoutError:
        raise SilentError(door) from None
    except (HTTPError, OSError) as error:
        raise broken(door, error) from None
    connected: socket.socket = connection.sock
    connected.setblocking(False)
    return connected


def broken(door: WebDavDoor, error: Exception) -> BrokenError | DoorIsDownError | RefusedTlsError:
    """Why there is no connection any more, or none after all. In TLS a refusal may come after the first request."""
    reason = _reason(door, error)
    if not isinstance(error, ssl.SSLError):
        return BrokenError(reason, retry=True)
    reason += stale_credentials(certificates=True)
    return (RefusedTlsError if "ALERT" in reason else DoorIsDownError)(reason, retry=True)


def _reason(door: WebDavDoor, error: Exception) -> str:
    return f"{door}: {_CONNECTION.sub('', str(error))}"
