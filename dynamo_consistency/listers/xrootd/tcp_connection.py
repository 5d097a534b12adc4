"""Which TCP connection an answer came over, and whether it still stands.

When a connection breaks in the middle of an answer, the library connects anew and asks again by itself, and may then
call the first part of the answer, or that part and the whole answer after it, a success (seen with 5.9 to 6.2). It says
nothing of that, but the connection is another one then: an answer is believed only when the connection over which it
was asked for still stands.
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
    """One TCP connection of this process: its descriptor and, since descriptors are used again, its inode."""

    __slots__ = ("_descriptor", "_inode")

    def __init__(self, descriptor: int, inode: int) -> None:
        self._descriptor, self._inode = descriptor, inode

    def is_open(self) -> bool:
        try:
            return os.fstat(self._descriptor).st_ino == self._inode
        except OSError:
            return False


def connection_to(door: XRootDDoor) -> TcpConnection | None:
    """The connection of this process to `door`; None when there is none, several, or when it cannot be told."""
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
