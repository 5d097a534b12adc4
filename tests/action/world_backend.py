"""The backend of a true world: its inventory may show less than it has, its lister has identities and single looks."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest import mock

from simulated import Entry, SimulatedBackend
from true_world import TrueWorld

from dynamo_consistency.backend.contract import Asked, Withdrawn
from dynamo_consistency.listers.contract import Answer
from dynamo_consistency.listers.look import FileStat, NotThere, Unsure
from dynamo_consistency.run.store.run_directory import RunDirectory


class WorldLister:
    """Lists a true world, one directory after the other, at once."""

    capacity = 1

    def __init__(self, world: TrueWorld, **_: Any) -> None:
        self.world = world
        if world.looks:
            self.look = self._look

    def prepare(self) -> None:
        """It is always ready."""

    def verify(self) -> None:
        """Each answer stands for itself."""

    def submit(self, directory: bytes, done: Callable[[Answer], None]) -> None:
        done(self.world.answer(directory))

    def forget(self, directory: bytes) -> None:
        """Nothing ever hangs."""

    def close(self) -> None:
        """Nothing is open."""

    def _look(self, file: bytes) -> FileStat | NotThere | Unsure:
        world, name = self.world, self.world.true_name(file)
        if world.site_down or any(file.startswith(hole + b"/") for hole in world.holes):
            return Unsure("it does not answer")
        if name not in world.files:
            return Unsure("a directory") if name in world.directories else NotThere()
        return FileStat(world.files[name].size, world.time(name))


class WorldBackend(SimulatedBackend):
    """See `SimulatedBackend`; one host sees one of these."""

    world: TrueWorld

    def __init__(self, world: TrueWorld, *, looking: bool = True, itemising: bool = True) -> None:
        super().__init__(world, looking=looking, itemising=itemising)
        if world.withdraws:
            self.registry.withdraw = self._withdraw
        self.inventory.protected_datasets = lambda site: self._list(world.protected)

    def get_listers(self, site: str) -> tuple[Callable, list[tuple]]:
        return WorldLister, [(self.world,)]

    def deletion_requests(self, site: str) -> set[str]:
        return self._list(self.world.being_deleted)

    def _list(self, datasets: set[str]) -> set[str]:
        if self.world.lists_cut > 0:
            self.world.lists_cut -= 1
            return self._up(set())
        return self._up(set(datasets))

    def _rows(self) -> Iterator[tuple[bytes, Entry]]:
        rows = list(super()._rows())
        shown = self.world.shorter.pop(0) if self.world.shorter else 1.0
        yield from rows[: round(shown * len(rows))]

    def _withdraw(self, site: str, asked: Sequence[Asked]) -> list[Withdrawn]:
        if self.world.registry_down:
            raise ConnectionError("the registry is down")
        return [self.world.withdraw(one.request, one.path) for one in asked]


@contextlib.contextmanager
def clock_of_hosts(world: TrueWorld) -> Iterator[None]:
    """All hosts have one clock, which may be wrong; and nothing waits for a disk."""
    with (
        mock.patch("time.time", side_effect=lambda: world.clock),
        mock.patch.object(RunDirectory, "modified", side_effect=lambda *_: world.clock),
        mock.patch("os.fsync"),
    ):
        yield
