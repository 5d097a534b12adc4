"""How a server numbers its directories, so that one that has two names is noticed."""

from collections.abc import Iterable

_FIRST, _MASK = 1 << 32, (1 << 63) - 1


class Numbering:
    """Of one server; called from any thread.

    A number is the inode (upper half) on the device (lower half). Servers without inodes, dCache for one, send 0 there,
    and some might send the same for all: a number that came again while no two have differed identifies nothing.

    `name` tells numberings apart, since each server may number the devices in its own way. Servers of one storage that
    number its roots alike have the same numbering, and then the same name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.roots: dict[bytes, int] = {}
        self.differ = False
        self._first: int | None = None
        self._repeats = False

    def observe(self, identifiers: Iterable[str]) -> None:
        """Take note of the numbers in an answer, before any is asked for its identity."""
        if self.differ:
            return
        for number in map(_number, identifiers):
            if self._first is None:
                self._first = number
            elif number == self._first:
                self._repeats = True
            else:
                self.differ = True

    def observe_root(self, root: bytes, identifier: str) -> None:
        """Take note of the number of a root."""
        self.roots[root] = _number(identifier)
        self.observe([identifier])

    def identity(self, identifier: str) -> tuple[str, int] | None:
        """Which directory it is; None where the number does not say."""
        number = _number(identifier)
        return (self.name, number) if number >> 32 and (self.differ or not self._repeats) else None


def file_identity(identifier: str) -> int:
    """Which file it is, as `contract.Files` says it; 0 where the number does not say."""
    return file_identities([_number(identifier)])[0]


def file_identities(numbers: list[int]) -> list[int]:
    """The same for many numbers of a server."""
    if not numbers or (min(numbers) >= _FIRST and max(numbers) <= _MASK):
        return numbers
    return [number & _MASK if number >= _FIRST else 0 for number in numbers]


def share_names(numberings: Iterable[Numbering]) -> None:
    """Give the same name to those that number all roots alike; a numbering that has none keeps its own."""
    first: dict[tuple[tuple[bytes, int], ...], str] = {}
    for numbering in numberings:
        roots = tuple(sorted(numbering.roots.items()))
        if roots:
            numbering.name = first.setdefault(roots, numbering.name)


def _number(identifier: str) -> int:
    return int(identifier) if identifier.isdecimal() else 0
