"""Connections to all servers: made when they are needed, and kept for the next request."""

import ssl
import threading
import time
from collections import defaultdict
from functools import partial

from dynamo_consistency.listers.loop.loop import Loop
from dynamo_consistency.listers.loop.tasks import Later
from dynamo_consistency.listers.webdav.connecting import connect
from dynamo_consistency.listers.webdav.connection import HttpConnection
from dynamo_consistency.listers.webdav.errors import DoorIsDownError, WebDavError
from dynamo_consistency.listers.webdav.url import WebDavDoor

LONGEST_CONNECT_SECONDS = 15.0
GRACE_SECONDS = 2.0  # a connection that is being made keeps its time itself, but for the look-up of a name


class Connections:
    """A `connection.Owner`. All of it is used on the loop's thread. `most_idle` are kept while nobody asks."""

    def __init__(self, loop: Loop, most_idle: int) -> None:
        self._loop, self._most_idle = loop, most_idle
        self._all: set[HttpConnection] = set()
        self._idle: dict[WebDavDoor, list[HttpConnection]] = defaultdict(list)
        self._longest_idle: dict[HttpConnection, None] = {}  # in this order
        self._closed = False

    async def to(self, door: WebDavDoor, context: ssl.SSLContext, deadline: float) -> HttpConnection:
        """One that is idle and was made with `context`, or a new one. Raises WebDavError."""
        idle = self._idle[door]
        while idle:
            connection = idle.pop()
            del self._longest_idle[connection]
            if connection.context is context:
                return connection
            connection.give_up()
        return await self._made(door, context, deadline - time.monotonic())

    def _made(self, door: WebDavDoor, context: ssl.SSLContext, left: float) -> Later[HttpConnection]:
        later = Later[HttpConnection]()
        late = DoorIsDownError(f"{door}: the connection could not be made in time", retry=True)
        self._loop.after(left + GRACE_SECONDS, lambda: later.fail(late))
        seconds = min(left, LONGEST_CONNECT_SECONDS)
        threading.Thread(
            target=self._make, args=(door, context, seconds, later), name="webdav-connect", daemon=True
        ).start()
        return later

    def _make(self, door: WebDavDoor, context: ssl.SSLContext, seconds: float, later: Later[HttpConnection]) -> None:
        try:
            connection = HttpConnection(connect(door, context, seconds), door, context, self)
        except WebDavError as error:
            self._loop.call(partial(later.fail, error))
        except Exception as error:  # noqa: BLE001 (whatever went wrong, who waits must be told)
            self._loop.call(partial(later.fail, WebDavError(f"{door}: {error!r}", retry=True)))
        else:
            self._loop.call(partial(self._connected, connection, later))

    def _connected(self, connection: HttpConnection, later: Later[HttpConnection]) -> None:
        if self._closed:
            connection.close()
            return
        self._all.add(connection)
        self._loop.watch(connection)
        if later.done:  # nobody waits for it any more
            self.free(connection)
        else:
            later.resolve(connection)

    def free(self, connection: HttpConnection) -> None:
        """As `connection.Owner`."""
        self._idle[connection.door].append(connection)
        self._longest_idle[connection] = None
        if len(self._longest_idle) > self._most_idle:
            next(iter(self._longest_idle)).give_up()

    def gone(self, connection: HttpConnection) -> None:
        """As `connection.Owner`."""
        self._loop.leave(connection)
        self._all.discard(connection)
        if connection in self._longest_idle:
            del self._longest_idle[connection]
            self._idle[connection.door].remove(connection)

    def close(self) -> None:
        """Close all of them; nobody is told."""
        self._closed = True
        for connection in list(self._all):
            connection.give_up()
