"""Which paths of the unmerged area may go, and at what age: one set of rules for findings and action. Pure."""

from collections.abc import Iterable
from typing import Literal

from dynamo_consistency import paths
from dynamo_consistency.check import SiteConsistencyCheck, Unmerged

Keeper = Literal["", "protected", "excluded", "ignored"]


def cleaned(check: SiteConsistencyCheck) -> Unmerged | None:
    """The unmerged area of a check; None where there is none, or where it is to be ignored."""
    unmerged = check.spec.unmerged
    return None if unmerged is None or unmerged.mode == "Ignore" else unmerged


class Subtrees:
    """Directories with all that is in them."""

    def __init__(self, directories: Iterable[bytes]) -> None:
        self._directories = frozenset(directories)

    def cover(self, path: bytes) -> bool:
        """Is `path`, which is normalised, one of the directories, or below one?"""
        while path not in self._directories:
            if path in (b"", b"/"):
                return False
            path = path.rpartition(b"/")[0] or b"/"
        return True


class UnmergedRules:
    """The rules of one check with the protected directories as they were at one time."""

    def __init__(self, check: SiteConsistencyCheck, unmerged: Unmerged, protected: Iterable[bytes]) -> None:
        self.areas = [paths.to_bytes(area) for area in unmerged.areas]
        self.logs = [paths.join(self.areas[0], paths.to_bytes(unmerged.logs.path)), *self.areas[1:]]
        self._min_age = unmerged.min_age_seconds
        self._min_age_of_logs = unmerged.logs.min_age_seconds
        self._protected = Subtrees(map(paths.folded, protected))  # in whatever spelling, as in rule 13
        self._excluded = paths.PatternFilter(unmerged.exclude)
        self._ignored = paths.PatternFilter(check.spec.comparison.ignored)

    def keeper(self, path: bytes) -> Keeper:
        """What keeps `path` whatever its age; nothing, as a rule."""
        if self._protected.cover(paths.folded(path)):
            return "protected"
        if self._excluded.ignored(self._below_its_area(path)):
            return "excluded"
        return "ignored" if self._ignored.ignored(path) else ""

    def is_log(self, path: bytes) -> bool:
        return paths.is_in(path, self.logs)

    def is_young(self, path: bytes, mtime: int | None, now: float) -> bool:
        """Too young to go, or of unknown age. A time in the future is young."""
        min_age = self._min_age_of_logs if self.is_log(path) else self._min_age
        return mtime is None or mtime + min_age >= now

    def _below_its_area(self, path: bytes) -> bytes:
        return next((path[len(area) :] for area in self.areas if paths.is_in(path, [area])), path)
