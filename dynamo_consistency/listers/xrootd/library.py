"""The one place that touches the XRootD library.

It uses `pyxrootd`, the compiled half of the bindings, and not the classes of `XRootD.client` around it: those build a
Python object out of each dictionary that the compiled half returns, which makes a listing 1.2 to 1.6 times slower.
What is used here (`FileSystem`, dictionaries with the names below) is the same in all bindings from 4.0 to 6.2.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

XRootDStatus = dict[str, Any]
"""`ok`, `fatal`, `code` (the client's), `errno` (the server's, when code is 400), `message`."""
XRootDResponse = Any
Callback = Callable[[XRootDStatus, XRootDResponse, Any], None]

STAT = 1
"""Ask for size, time and kind of each entry together with the names."""
NAMES = 0

IS_DIRECTORY = 2
IS_OTHER = 4
"""Neither file nor directory."""
IS_OFFLINE = 8
"""Not on disk: on a tape, or on a disk that does not answer. Then a size of 0 is none."""
IS_PENDING = 64
"""Being written, and removed by the server if its writer goes before the end. All four are bits of `flags`."""
SPECIAL = IS_DIRECTORY | IS_OTHER | IS_OFFLINE | IS_PENDING
"""What has none of them is a file of which everything is known."""

PREFER_NAMES = 256
"""For `deeplocate`: host names rather than addresses, for the sake of certificates."""

IS_MANAGER = 2
"""Bit of a server's `hostinfo`: it is a redirector, or a namespace that sends readers elsewhere."""


class FileSystem(Protocol):
    """What we use of `pyxrootd.client.FileSystem`: without `callback` the calls wait and return (status, response).

    With `callback` they return the status of sending, and it is called later with (status, response, hosts). Timeouts
    are in whole seconds; 0 is for ever.
    """

    def dirlist(self, path: str, flags: int, timeout: int, callback: Callback | None = ...) -> Any:
        """The entries of a directory; `flags` is `STAT` or `NAMES`."""

    def stat(self, path: str, timeout: int) -> tuple[XRootDStatus, XRootDResponse]:
        """What a path is: size, time, flags, and the server's id of it."""
        ...

    def rmdir(self, path: str, timeout: int) -> tuple[XRootDStatus, XRootDResponse]:
        """Remove a directory; the server refuses one that is not empty."""
        ...

    def protocol(self, timeout: int, callback: Callback | None = ...) -> Any:
        """What the server is: see `IS_MANAGER`."""

    def deeplocate(self, path: str, flags: int, timeout: int) -> tuple[XRootDStatus, XRootDResponse]:
        """The data servers that have `path`, over all levels of redirectors."""
        ...


def connect_seconds(timeout: int) -> int:
    """How long one attempt to connect may take, where a directory may take `timeout` seconds."""
    return max(2, min(15, timeout // 3))


def settings(timeout: int) -> dict[str, int]:
    """The library's settings for a time limit of `timeout` seconds: by default it waits for hours, ours fails soon.

    An environment variable (`XRD_CONNECTIONWINDOW`, …) has precedence over each.
    """
    return {
        "ConnectionRetry": 1,
        "ConnectionWindow": connect_seconds(timeout),
        "TimeoutResolution": 1,
        "StreamErrorWindow": 0,
        "RequestTimeout": timeout,
        "StreamTimeout": timeout,
    }


@cache
def load(timeout: int) -> Any:
    """The compiled module, set up before its first request.

    `XRootD.client` is imported first for its exit handler, without which the process hangs at its end.
    """
    import XRootD.client  # noqa: F401
    from pyxrootd import client

    for name, value in settings(timeout).items():
        client.EnvPutInt_cpp(name, value)
    return client


def connect(url: str, timeout: int) -> FileSystem:
    """The library's object for the server at `url`; the connection is made by the first request."""
    file_system: FileSystem = load(timeout).FileSystem(url)
    return file_system
