"""What must hold in every history of a true world, beside what the world itself finds wrong."""

from collections import Counter
from typing import Any

from simulated import DAY
from true_world import TrueWorld

from dynamo_consistency.backend.dataset_filter import dataset_of
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.kinds import KIND_BY_NAME


class Laws:
    """Watches a world; `broken` are sentences."""

    def __init__(self, world: TrueWorld, itemising: bool) -> None:
        self.world, self.itemising = world, itemising
        self.broken: list[str] = []
        self._empty: set[bytes] = set()
        self._approved: set[str] = set()

    def hold(self) -> None:
        """Raises AssertionError when a law is broken."""
        asked = Counter((ask.run, ask.what, ask.path) for ask in self.world.asked)
        for (run, what, path), number in asked.items():
            most = 1 + (self.world.losses[run] if self.itemising else 0)
            assert number <= most, f"{path!r} was asked for {number} times by run {run} ({what})"
        assert self.world.wrongs == [], "; ".join(self.world.wrongs)
        assert self.broken == [], "; ".join(self.broken)

    def listing(self) -> None:
        """A run begins to list: some directories will be listed without any entry."""
        world = self.world
        shown = {name.rpartition(b"/")[0] for name in world.aliases}
        bare = {path for path in world.directories if not set(world.inside(path)) - world.left_out} - shown
        self._empty = world.answers_empty | bare

    def acted(
        self,
        run: str,
        check: SiteConsistencyCheck,
        today: SiteConsistencyCheck | None,
        approved: str | None,
        first: int,
    ) -> None:
        """An action has ended, that has made the requests from number `first` on."""
        world = self.world
        if approved == run:
            self._approved.add(run)
        made = list(zip(world.asked[first:], world.kinds[first:], strict=True))
        for ask, kind in made:
            for spec in (one.spec for one in (check, today) if one is not None):
                if spec.policy.of_kinds[kind].mode != "Enforce":
                    self.broken.append(f"{ask.what} of {ask.path!r}, although {kind} are not enforced")
                if any(ask.path.startswith(path.encode() + b"/") for path in spec.listing.exclude):
                    self.broken.append(f"{ask.what} of {ask.path!r}, which is excluded")
                if spec.policy.approval == "Required" and approved != run:
                    self.broken.append(f"{ask.what} of {ask.path!r} without approval")
                if spec.policy.max_requests_per_run < self._asked_by(run):
                    self.broken.append(f"{ask.what} of {ask.path!r} beyond the budget")
            above = ask.path.rsplit(b"/", 1)[0]
            if kind == "missing" and above in self._empty and run not in self._approved and run == world.acting:
                self.broken.append(f"transfer of {ask.path!r} from a directory without entries, not approved")
        if approved != run and not world.skew:
            self._over_time(check, {kind for _, kind in made})

    def _asked_by(self, run: str) -> int:
        return len({(ask.what, ask.path) for ask in self.world.asked if ask.run == run})

    def _over_time(self, check: SiteConsistencyCheck, kinds: set[str]) -> None:
        """Of each of the `kinds` no more paths in 30 days than the check allows."""
        lately = self.world.now - 29 * DAY
        runs = {ask.run for ask in self.world.asked if ask.at >= lately and self.world.check_of.get(ask.run)}
        mine = {run for run in runs if self.world.check_of[run] == check.metadata.name}
        for kind in kinds & set(KIND_BY_NAME):
            limit = check.spec.policy.of_kinds[kind].count_limit_per_30_days
            pairs = zip(self.world.asked, self.world.kinds, strict=True)
            paths = {ask.path for ask, of in pairs if of == kind and ask.run in mine and ask.at >= lately}
            if len(paths) > limit:
                self.broken.append(f"{len(paths)} {kind} asked for in 30 days, more than {limit}")

    def told(self, check: str, began: float, summary: dict[str, Any]) -> None:
        """A complete run: a request of which the reason is gone, and that cannot be withdrawn, is told."""
        world = self.world
        outliving = [
            path
            for (what, path), order in world.orders.items()
            if what == "delete" and order.check == check and order.at < began and began - order.at < 29 * DAY
            if path in world.entries and order.began < world.since[path] < began and order.at < world.since[path]
        ]
        if outliving and not summary["counts"].get("requestsOutliving"):
            self.broken.append(f"the deletions of {outliving} wait, are claimed, and a run has not told so")

    def open_findings(self, calm: float) -> set[bytes]:
        """What is ill, and not given up because no other disk has it."""
        world = self.world
        given_up = {
            ask.path
            for ask in world.asked
            if ask.at >= calm and ask.answer == "refused" and world.entries[ask.path].elsewhere != "disk"
        }
        ill = {path for path, entry in world.entries.items() if self._is_ill(path, entry.size)}
        stray = {path for path in world.files if path not in world.entries and not self._is_protected(path)}
        return (ill | stray) - given_up

    def _is_ill(self, path: bytes, size: int) -> bool:
        stored = self.world.files.get(path)
        if self.world.entries[path].in_flight or (stored is not None and stored.size == size):
            return False
        return dataset_of(path.decode()) not in self.world.being_deleted

    def _is_protected(self, path: bytes) -> bool:
        return dataset_of(path.decode()) in self.world.being_deleted | self.world.protected
