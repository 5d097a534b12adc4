"""The random histories of the action's state machine (tests/action), with Rucio in Dynamo's place.

What must hold is the same, and beside it: no last copy is ever declared bad, and what has arrived is never sent again,
whoever died and whatever got lost.
"""

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import initialize, run_state_machine_as_test
from laboratory import Laboratory
from rucio_simulated import RucioWorld, SimulatedRucio
from site_histories import HISTORIES, TOTAL, Site, long_history


class RucioLaboratory(Laboratory):
    """The same, before a Rucio in the folder."""

    def __init__(self, world: RucioWorld, folder: Path) -> None:
        self.folder = folder
        super().__init__(world, folder)

    def connect(self, world: RucioWorld, **_: bool) -> None:
        self.world, self.backend = world, SimulatedRucio(world, self.folder)


class RucioSite(Site):
    world_type = RucioWorld

    @initialize()
    def backend(self, **_: bool) -> None:
        self.start(RucioLaboratory(self.world, self.folder))

    def no_run_asks_twice(self) -> None:
        asked = Counter((ask.run, ask.what, ask.path) for ask in self.world.asked)
        assert {key: number for key, number in asked.items() if number > 1} == {}

    def given_up(self, since: float) -> set[bytes]:
        """Rucio is never asked for a file that no other disk has: a last copy is left to a person."""
        return {path for path, entry in self.world.entries.items() if entry.elsewhere != "disk"}


RUCIO_EVENTFUL = [
    *("missing requested", "mismatches requested", "orphans requested", "missing refused"),
    *("delete file: requested", "transfer file: requested", "crash", "call lost", "answer lost"),
]
SEEDS = os.environ.get("RUCIO_MACHINE_SEEDS", "3 6")
"""Of histories in which all of that happens; others search for more."""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_in_any_history_nothing_wrong_is_asked_of_rucio_nothing_twice_and_all_that_is_confirmed_in_the_end():
    run_state_machine_as_test(RucioSite, settings=settings(HISTORIES, max_examples=1))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_in_long_histories_too_in_which_all_that_can_happen_does():
    TOTAL.clear()
    for seed in map(int, SEEDS.split()):
        print("seed", seed)
        long_history(seed, steps=25, kind=RucioSite)
    print("\n".join(f"{number:6} {told}" for told, number in sorted(TOTAL.items()) if number))
    assert not [told for told in RUCIO_EVENTFUL if not TOTAL[told]]
