"""Which TCP connection an answer came over, and whether that connection is still open.

Why: a file that a listing leaves out counts as missing. An answer of which a part is lost must not pass as complete.

Problem: when a connection breaks in the middle of an answer, the library connects again and repeats the request by
itself. It may then report success with the first part of the answer only, or with that part followed by the complete
answer (seen with 5.9 to 6.2). Neither its status nor its response shows this.

How: the repeated request goes over another connection. The connection of this process to the door is looked up before
a request and checked after the answer: its descriptor must still be the same socket. `request.py` believes only such
an answer. Where the connection is not known (no `/proc`, several connections to one door), and after a redirection, it
asks until two answers in a row have the same number of entries.

Rejected: trusting the library's status (see above); its retry settings alone (it connects again for requests that are
in flight all the same); asking for everything twice (half the speed at every site, for a rare error); the descriptor's
number without the inode (a new connection gets the number of the old one).
"""

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from dynamo_consistency.listers.xrootd.url import XRootDDoor

_DESCRIPTORS = Path("/proc/self/fd")
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class TcpConnection:
    """One TCP connection of this process: its descriptor and, because numbers are used again, the socket's inode."""

    __slots__ = ("_descriptor", "_inode")

    def __init__(self, descriptor: int, inode: int) -> None:
        self._descriptor, self._inode = descriptor, inode

    def is_open(self) -> bool:
        """Is the descriptor still this very connection? False once it was closed, whatever has its number now."""
        try:
            return os.fstat(self._descriptor).st_ino == self._inode
        except OSError:
            return False


def connection_to(door: XRootDDoor) -> TcpConnection | None:
    """The connection of this process to `door`; None where there is none, are several, or /proc does not show it."""
    try:
        wanted = {_address(info[4][0]) for info in socket.getaddrinfo(door.host.strip("[]"), None)}
        connections = [each for each, address, port in _connections() if port == door.port and address in wanted]
    except OSError:
        return None
    return connections[0] if len(connections) == 1 else None


def _connections() -> Iterator[tuple[TcpConnection, IpAddress, int]]:
    for entry in list(_DESCRIPTORS.iterdir()):
        try:
            if not str(entry.readlink()).startswith("socket:"):
                continue
            descriptor = int(entry.name)
            inode = os.fstat(descriptor).st_ino
            peer = _peer(descriptor)
        except OSError:  # closed in the meantime, or not connected
            continue
        if peer is not None:
            yield TcpConnection(descriptor, inode), *peer


def _peer(descriptor: int) -> tuple[IpAddress, int] | None:
    with socket.socket(fileno=os.dup(descriptor)) as copy:
        if copy.family not in (socket.AF_INET, socket.AF_INET6):
            return None
        host, port = copy.getpeername()[:2]
    return _address(host), port


def _address(text: object) -> IpAddress:
    address = ipaddress.ip_address(str(text).partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address
