"""kopf's start, linear in the number of objects, and without what we do not use.

Until all objects are in the indexes, each waits for all others, and kopf (1.45) wakes all of them for each one that is
done: with 200 checks and their 2,400 Jobs the operator was ready after a minute. Here they are woken once, when there
is something to see. kopf offers no setting for that, so that what it calls is replaced before it begins.
"""

from typing import Any

import kopf
from kopf._cogs.aiokits import aiotoggles


class QuietToggleSet(aiotoggles.ToggleSet):
    """A set that wakes those who wait for it only when the set itself has turned on or off."""

    async def make_toggle(self, __val: bool = False, *, name: str | None = None) -> aiotoggles.Toggle:
        """As in kopf: add a toggle to the set."""
        toggle = aiotoggles.Toggle(__val, name=name, condition=self._condition)
        async with self._condition:
            before = self.is_on()
            self._toggles.add(toggle)
            self._notify_if_turned(before)
        return toggle

    async def drop_toggle(self, toggle: aiotoggles.Toggle) -> None:
        """As in kopf: remove a toggle from the set."""
        async with self._condition:
            before = self.is_on()
            self._toggles.discard(toggle)
            self._notify_if_turned(before)

    def _notify_if_turned(self, before: bool) -> None:
        if self.is_on() != before:
            self._condition.notify_all()


class NoDifferences(kopf.DiffBaseStorage):
    """kopf copies each object that it sees, to find out what has changed in it. Nobody here asks for that."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Nothing of the object."""
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> kopf.BodyEssence | None:
        """Nothing is remembered."""
        return None

    def store(self, **_: Any) -> None:
        """Nothing is remembered."""


def install() -> None:
    """Use `QuietToggleSet` for all operators of this process that start from now on."""
    aiotoggles.ToggleSet = QuietToggleSet  # type: ignore[misc]
