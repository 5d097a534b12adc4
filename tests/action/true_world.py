"""A simulated site and Dynamo of which it is known which file is whose, whatever name it goes by.

A storage may show one directory under two names (`aliases`), leave entries out of its answers, and know no times or
wrong ones; it may have a file under another spelling of its name. Its registry takes days to carry out a request, or
never does. `wrongs` says what was asked for or carried out although the file is claimed or intact under any name.

`now` is the true time, by which the site and the inventory go; hosts of the engine see `clock`.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

from simulated import World
from true_judge import Judge, Order, Request

from dynamo_consistency.listers.contract import Answer, Failed, File, Files, Listed, Subdirectory

NO_TIME = -1


@dataclass
class TrueWorld(Judge, World):
    """See the module. Keys of `files` and `directories` are the true names; all else may use any name."""

    skew: float = 0.0
    """What the clock of the engine's host is ahead of the true time."""

    looks: bool = True
    """The storage can be asked for a single file."""
    identities: bool = True
    """It says which directory is which."""
    withdraws: bool = True
    """The registry takes requests back."""

    aliases: dict[bytes, bytes] = field(default_factory=dict)
    belongs: dict[bytes, bytes] = field(default_factory=dict)
    """The entry that a file is of, where it is spelt in another way."""
    left_out: set[bytes] = field(default_factory=set)
    """Files that are missing in listings of their directories, and only there."""
    shown_times: dict[bytes, int] = field(default_factory=dict)
    """What the storage says instead of a file's time."""
    shorter: list[float] = field(default_factory=list)
    """Which fraction of its entries the inventory shows in its next answers."""
    lists_cut: int = 0
    """How many of the next lists of datasets come back empty."""

    chance: random.Random = field(default_factory=random.Random)
    delays: tuple[float, ...] = (0.0,)
    orders: dict[tuple[Request, bytes], Order] = field(default_factory=dict)
    since: dict[bytes, float] = field(default_factory=dict)
    """When each entry came into the inventory."""
    back_since: dict[bytes, float] = field(default_factory=dict)
    """When each file came to the site."""
    completed: dict[str, list[float]] = field(default_factory=dict)
    """By check, when those of its complete runs began that could withdraw requests."""
    kinds: list[str] = field(default_factory=list)
    """Of which kind of finding each of `asked` was."""
    check_of: dict[str, str] = field(default_factory=dict)
    """The checks of runs that have acted."""
    acting_check: str = ""
    acting_since: float = 0.0
    """When the run began that acts."""

    @property
    def clock(self) -> float:
        return self.now + self.skew

    # ------------------------------------------------------------------------------------------------- which is which

    def true_name(self, path: bytes) -> bytes:
        """The name of what is reached as `path`."""
        for alias, target in self.aliases.items():
            if path == alias or path.startswith(alias + b"/"):
                return target + path[len(alias) :]
        return path

    def claims(self, path: bytes) -> list[bytes]:
        """The entries of the inventory that mean the file which is reached as `path`."""
        name = self.true_name(path)
        spelt = self.belongs.get(name, name)
        return [entry for entry in self.entries if self.true_name(entry) in (name, spelt)]

    def copies(self, path: bytes) -> list[bytes]:
        """The files at the site, by their true names, that are the one which the inventory calls `path`."""
        name = self.true_name(path)
        return [file for file in self.files if file == name or self.belongs.get(file) == path]

    def register(self, path: bytes, size: int = 100, **facts: object) -> None:
        super().register(path, size, **facts)
        self.since.setdefault(path, self.now)

    def forget(self, path: bytes) -> None:
        self.entries.pop(path, None)
        self.since.pop(path, None)

    def store(self, path: bytes, size: int = 100, mtime: float | None = None) -> None:
        super().store(path, size, mtime)
        self.back_since[path] = self.now
        self.shown_times.pop(path, None)

    def lose(self, path: bytes) -> None:
        super().lose(path)
        self.belongs.pop(path, None)
        self.left_out.discard(path)

    def respell(self, path: bytes, other: bytes) -> None:
        """The file goes by another name of the same letters."""
        if path in self.files and other not in self.files:
            self.files[other] = self.files.pop(path)
            self.belongs[other] = path
            self.back_since[other] = self.back_since.get(path, 0.0)

    def calm(self) -> None:
        super().calm()
        self.skew, self.lists_cut = 0.0, 0
        for trouble in (self.aliases, self.left_out, self.shown_times, self.shorter):
            trouble.clear()
        for other, path in list(self.belongs.items()):
            self.files[path] = self.files.pop(other)
        self.belongs.clear()

    # -------------------------------------------------------------------------------------------- what the site answers

    def answer(self, path: bytes) -> Answer:
        """What a listing of a directory gives."""
        if self.while_listing:
            self.while_listing.popleft()()
        name = self.true_name(path)
        if self.site_down or path in self.holes or name not in self.directories:
            return Failed("it cannot be listed")
        here = self._identity(path)
        if path in self.answers_empty:
            return Listed(identity=here)
        there = [entry for entry in self.inside(name) if entry not in self.left_out]
        directories = [entry for entry in there if entry in self.directories]
        directories += [alias for alias in self.aliases if alias.rsplit(b"/", 1)[0] == path]
        return Listed(
            [Subdirectory(_last(entry), self._time_of(entry), self._identity(entry)) for entry in directories],
            Files.of(
                File(_last(entry), self.files[entry].size, self.time(entry)) for entry in there if entry in self.files
            ),
            identity=here,
        )

    def _time_of(self, directory: bytes) -> int:
        return self.directories[self.true_name(directory)]

    def _identity(self, path: bytes) -> object:
        return ("storage", self.true_name(path)) if self.identities else None

    def time(self, file: bytes) -> int | None:
        """What the storage says of a file's time."""
        shown = self.shown_times.get(file, self.files[file].mtime)
        return None if shown == NO_TIME else shown

    # ------------------------------------------------------------------------------------------------- the registry

    def delete(self, path: bytes) -> str:
        self._judge_deletion(path)
        if path in self.refused or path in self.entries:
            return self._note("delete", path, "refused")
        return self._order("delete", path)

    def transfer(self, path: bytes) -> str:
        self._judge_transfer(path)
        entry = self.entries.get(path)
        if path in self.refused or entry is None or entry.elsewhere != "disk":
            return self._note("transfer", path, "refused")
        entry.in_flight = True
        return self._order("transfer", path)

    def _order(self, what: Request, path: bytes) -> str:
        if (what, path) in self.orders:
            return self._note(what, path, "waiting")
        waits = self.chance.choice(self.delays)
        self.orders[what, path] = Order(self.acting_check, self.acting, self.now, self.now + waits, self.acting_since)
        waiting = self.deletions if what == "delete" else self.transfers
        waiting[path] = self.now
        return self._note(what, path, "requested")

    def _note(self, what: Request, path: bytes, answer: str) -> str:
        name = self.true_name(path)
        if what == "delete":
            self.kinds.append("emptyDirectories" if name in self.directories else "orphans")
        else:
            self.kinds.append("mismatches" if name in self.files else "missing")
        return super()._note(what, path, answer)

    def withdraw(self, what: Request, path: bytes) -> str:
        if (what, path) not in self.orders:
            return "unknown"
        self._end(what, path)
        self.events[f"{what}: withdrawn"] += 1
        if what == "transfer" and path in self.entries:
            self.entries[path].in_flight = False
        return "withdrawn"

    def _end(self, what: Request, path: bytes) -> None:
        self.orders.pop((what, path), None)
        (self.deletions if what == "delete" else self.transfers).pop(path, None)

    def due(self, what: Request) -> Iterator[tuple[bytes, Order]]:
        for (request, path), order in list(self.orders.items()):
            if request == what and order.due <= self.now and order.due != inf:
                self._end(what, path)
                yield path, order

    def _delete(self) -> None:
        for path, order in self.due("delete"):
            self._judge_carried_out(path, order)
            name = self.true_name(path)
            if self.deletions_fail:
                continue
            if name in self.files:
                self.lose(name)
                self._touch_above(name)
                self.events["delete: done"] += 1
            elif name in self.directories and not self.inside(name):
                del self.directories[name]
                self._touch_above(name)

    def _transfer(self) -> None:
        for path, order in self.due("transfer"):
            if (entry := self.entries.get(path)) is None:
                continue
            self._judge_dropped(path, entry.size, order)
            self.lose(self.true_name(path))
            entry.in_flight, entry.time = False, int(self.now)
            if entry.elsewhere == "disk":
                self.store(self.true_name(path), entry.size, self.now)
                self.events["transfer: done"] += 1


def _last(path: bytes) -> bytes:
    return path.rsplit(b"/", 1)[1]
