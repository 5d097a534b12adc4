"""Waiting for all objects to be indexed costs as much as there are objects, and nobody is forgotten."""

import asyncio

import consistency_operator.loop.handlers
import pytest
from consistency_operator.loop.kopf_startup import QuietToggleSet
from kopf._cogs.aiokits import aiotoggles

assert consistency_operator.loop.handlers


def test_kopf_takes_ours() -> None:
    assert aiotoggles.ToggleSet is QuietToggleSet


class Counted(asyncio.Condition):
    reported = 0

    def notify_all(self) -> None:
        self.reported += 1
        super().notify_all()


async def all_go(number: int) -> int:
    """Each drops its toggle and waits for all others, as kopf's workers do; how often somebody was woken."""
    toggles = QuietToggleSet(all)
    toggles._condition = counted = Counted()
    each = [await toggles.make_toggle() for _ in range(number)]

    async def worker(toggle: aiotoggles.Toggle) -> None:
        await toggles.drop_toggle(toggle)
        await toggles.wait_for(True)

    await asyncio.wait_for(asyncio.gather(*map(worker, each)), 30)
    return counted.reported


@pytest.mark.parametrize("number", [1, 2, 3000])
def test_all_are_woken_when_the_last_one_is_done_and_not_before(number: int) -> None:
    assert asyncio.run(all_go(number)) == 2  # with the first toggle the set turned off, with the last one on


@pytest.mark.parametrize("kind", [all, any])
def test_it_turns_as_kopfs_own_does(kind) -> None:
    async def states(toggles: aiotoggles.ToggleSet) -> list[bool]:
        seen = [toggles.is_on()]
        on, off = await toggles.make_toggle(True), await toggles.make_toggle(False)
        seen.append(toggles.is_on())
        for change in (off.turn_to(True), on.turn_to(False), toggles.drop_toggle(on), toggles.drop_toggle(off)):
            await change
            seen.append(toggles.is_on())
        return seen

    kopfs = QuietToggleSet.__base__
    assert asyncio.run(states(QuietToggleSet(kind))) == asyncio.run(states(kopfs(kind)))
