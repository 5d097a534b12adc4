"""Whether two hosts may be doors of one storage: what one site claims there is nothing that another may delete.

A storage has several doors, and inventories write them in several ways: an alias, the door's own name, an address.
Taking two storages for one costs a request that is refused; taking one for two costs a file. So an address in common or
one DNS domain is enough. Ports do not matter: each protocol has its own.
"""

import functools
import ipaddress
import socket
from collections.abc import Iterable


def same_storage(one: str, other: str) -> bool:
    """May the hosts be doors of one storage? Names that cannot be resolved are compared as they are.

    No host at all, as in `file:///pool`, is a storage that is mounted: it may be any.
    """
    one, other = (host.strip("[]").rstrip(".").lower() for host in (one, other))
    if not one or not other or one == other:
        return True
    return _in_one_domain(one, other) or not addresses(one).isdisjoint(addresses(other))


def any_same_storage(some: Iterable[str], others: Iterable[str]) -> bool:
    """May one of the hosts be a door of the same storage as one of the others?"""
    listed = list(others)
    return any(same_storage(one, other) for one in some for other in listed)


@functools.cache
def addresses(host: str) -> frozenset[str]:
    """The IP addresses of a host, asked for once in the life of the process; none where it cannot be resolved."""
    try:
        return frozenset(str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError):
        return frozenset()


def _in_one_domain(one: str, other: str) -> bool:
    domains = [_domain(host) for host in (one, other)]
    return all(domains) and any(f".{a}".endswith(f".{b}") for a, b in (domains, reversed(domains)))


def _domain(host: str) -> str:
    """`example.org` of `door.example.org`, and of `example.org`; none of a single word or an address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        rest = host.partition(".")[2]
        return (rest if "." in rest else host) if rest else ""
    return ""
