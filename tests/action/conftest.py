"""A laboratory: a simulated site and Dynamo, and the engine that checks the one against the other."""

import copy
import shutil
from collections.abc import Callable, Iterator

import pytest
from laboratory import HOLLOW, MISMATCH, MISSING, ORPHAN, Laboratory, quick
from simulated import World, clock_of

from dynamo_consistency.run.store.run_directory import RunStore


@pytest.fixture
def world() -> Iterator[World]:
    """A healthy site of twenty files in four directories, and its clock."""
    world = healthy_world()
    with clock_of(world), quick():
        yield world
    assert world.wrongs == []


def healthy_world() -> World:
    world = World()
    for number in range(20):
        world.healthy(b"/store/mc/E/P/AOD/v%d/f%02d" % (number % 4, number))
    world.make_directory(b"/store/data")
    return world


@pytest.fixture
def lab(world, tmp_path) -> Laboratory:
    return Laboratory(world, tmp_path)


@pytest.fixture(scope="session")
def drifted(tmp_path_factory) -> Laboratory:
    """What FOUND says is found and confirmed, and waits for an approval."""
    world = healthy_world()
    world.lose(MISSING)
    world.store(MISMATCH, 7)
    world.store(ORPHAN, 50)
    world.make_directory(HOLLOW)
    lab = Laboratory(world, tmp_path_factory.mktemp("drifted"))
    lab.policy["approval"] = "Required"
    with clock_of(world), quick():
        for _ in range(2):
            assert lab.run()["result"] == "Complete"
    assert world.asked == []
    return lab


@pytest.fixture
def copied(drifted, tmp_path) -> Iterator[Callable[..., Laboratory]]:
    """Makes copies of the drifted laboratory, one after the other; the clock is that of the last one."""
    made: list[Laboratory] = []
    clocks = []

    def make(**backend: bool) -> Laboratory:
        if clocks:
            clocks.pop().__exit__(None, None, None)
        lab = copy.copy(drifted)
        lab.policy, lab.comparison, lab.listing = copy.deepcopy((drifted.policy, drifted.comparison, drifted.listing))
        folder = tmp_path / str(len(made))
        shutil.copytree(drifted.store.url, folder)
        lab.store = RunStore(str(folder))
        lab.connect(copy.deepcopy(drifted.world), **backend)
        made.append(lab)
        clocks.append(clock_of(lab.world))
        clocks[0].__enter__()
        return lab

    with quick():
        yield make
    for clock in clocks:
        clock.__exit__(None, None, None)
    assert [lab.world.wrongs for lab in made if lab.world.wrongs] == []


@pytest.fixture
def waiting(copied) -> Laboratory:
    """A drifted laboratory of one's own, whose last run only waits for an approval."""
    return copied()
