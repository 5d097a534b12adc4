"""Random histories of a site: runs, failures, outages, edits, approvals and crashes, against a Dynamo that really acts.

What must hold in all of them:
* no file that the inventory claims and the site has intact is ever requested for deletion (`World.wrongs` has more),
* no request is made twice by one run, not even by an action that is run again after a crash,
* every confirmed finding is requested in the end.
"""

import contextlib
import os
import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)
from laboratory import DAY, Laboratory, die, dying_at_write, enforcing, quick
from simulated import Crash, World, clock_of

from dynamo_consistency.backend.dataset_filter import dataset_of
from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.records.history import read_summary

HOUR = 3600
HEALTHY = [b"/store/mc/E/P/AOD/v%d/f%02d" % (number % 3, number) for number in range(24)]
STEADY = [b"/store/data/X/P/AOD/v3/s%02d" % number for number in range(12)]
"""Never touched, so that the second root stays healthy whatever becomes of the strays in it."""

STRAY = [b"/store/data/X/P/AOD/v%d/o%d" % (number % 2, number) for number in range(6)]
ODD = [b"/store/data/notes.txt", b"/store/data/X/P/AOD/v1/a b\n$(rm -rf x);\xff"]
HOLLOW = [b"/store/data/Y/P/AOD/v1/e/e", b"/store/mc/E/P/AOD/v7", b"/store/data/Z"]
TOTAL: Counter[str] = Counter()
"""What has happened in all histories of this process."""

PAUSES = [0, 1, 2 * HOUR, 2 * DAY, 2 * DAY, 2 * DAY, 8 * DAY]
DRIFTS = [
    *[(["lose", "lose", "lose", "corrupt", "corrupt", "come_back", "forget"], HEALTHY[:12])] * 2,
    (["leave_behind", "leave_behind", "register", "arrive", "forget", "during_the_next_listing"], STRAY),
    (["leave_directories"], HOLLOW),
    (["protect"], [*STRAY[:2], HEALTHY[0]]),
    (["leave_behind"], ODD),
]
DIRECTORIES = [b"/store/mc/E/P/AOD/v1", b"/store/data/X/P/AOD", b"/store/data/X/P/AOD/v1", b"/store/mc/E"]
TROUBLES = [
    (["inventory_down", "site_down", "deletions_fail", "asleep", "ready", "registry_down"], [None]),
    (["inventory_breaks_after"], [None, 0, 7, 30]),
    (["holes", "links"], DIRECTORIES),
    (["answers_empty"], [b"/store/mc/E", b"/store/data", b"/store/data/X"]),
    (["poison", "refused"], [*STRAY, *HEALTHY[:6], *HOLLOW]),
]
EDITS = {
    "kind": ["missing", "orphans", "mismatches", "emptyDirectories"],
    "mode": ["Ignore", "Report", "Enforce", "Enforce", "Enforce"],
    "maxCount": [1, 1000, 1000],
    "confirmRuns": [2, 3],
    "maxRequestsPerRun": [0, 1, 3, 1000, 1000],
    "approval": ["Never", "Required", "OnlyAboveLimits", "OnlyAboveLimits"],
    "ignore": [[], [], [], [], ["/X"], ["/v0"]],
    "exclude": [[], [], [], [], [], ["/store/data/Y"]],
}


def one_of(options: list[tuple[list, list]], *more: st.SearchStrategy) -> st.SearchStrategy:
    pairs = [st.tuples(st.sampled_from(first), st.sampled_from(second), *more) for first, second in options]
    return st.one_of(pairs)


class Site(RuleBasedStateMachine):
    """One site, from its first run on."""

    world_type: type[World] = World

    def __init__(self) -> None:
        super().__init__()
        self.world = self.world_type()
        for path in [*HEALTHY, *STEADY]:
            self.world.healthy(path)
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        self.patches = contextlib.ExitStack()
        self.patches.enter_context(clock_of(self.world))
        self.patches.enter_context(quick())

    @initialize(looking=st.booleans(), itemising=st.booleans())
    def backend(self, looking: bool, itemising: bool) -> None:
        self.itemising = itemising
        self.start(Laboratory(self.world, self.folder, looking=looking, itemising=itemising))

    def start(self, lab: Laboratory) -> None:
        """The first run, which finds something of each kind."""
        self.lab = lab
        self.lab.policy["health"]["maxHoleFraction"] = "0.3"
        for path in HEALTHY[:2]:
            self.world.lose(path)
        self.world.store(HEALTHY[2], 7)
        for path in STRAY[:3]:
            self.world.store(path)
        self.world.make_directory(HOLLOW[0])
        self.told(self.lab.run())

    # --------------------------------------------------------------------------------------------------------- runs

    def told(self, summary: dict) -> None:
        TOTAL[f"run: {summary['result']}"] += 1
        for kind, told in summary["actions"].items():
            numbers = {outcome: told[outcome] for outcome in ("requested", "waiting", "unanswered", "leftOver")}
            numbers |= {f"skipped: {reason}": number for reason, number in told["skipped"].items()}
            numbers |= {"refused": sum(told["refused"].values())}
            TOTAL.update({f"{kind} {outcome}": number for outcome, number in numbers.items()})
        TOTAL.update(f"gate {gate['name']}: {gate['state']}" for gate in summary["gates"])

    @rule(after=st.sampled_from(PAUSES))
    def run(self, after: float) -> None:
        self.told(self.lab.run(after))

    @rule(after=st.sampled_from(PAUSES))
    def run_again(self, after: float) -> None:
        """Twice as likely as others: without runs nothing happens."""
        self.told(self.lab.run(after))

    @rule(after=st.sampled_from(PAUSES))
    def run_once_more(self, after: float) -> None:
        self.told(self.lab.run(after))

    @rule(after=st.sampled_from(PAUSES), number=st.integers(0, 25))
    def run_that_dies_at_a_write(self, after: float, number: int) -> None:
        with dying_at_write(number):
            self.dies(lambda: self.lab.run(after))

    @rule(after=st.sampled_from(PAUSES), number=st.integers(0, 3), before=st.booleans())
    def run_that_dies_at_a_request(self, after: float, number: int, before: bool) -> None:
        moments = self.world.before_call if before else self.world.after_call
        moments.extend([*[lambda: None] * number, die])
        self.dies(lambda: self.lab.run(after))
        moments.clear()

    def dies(self, run) -> None:
        try:
            self.told(run())
        except Crash:
            TOTAL["crash"] += 1

    @rule(which=st.integers(0, 2), approved=st.booleans(), number=st.none() | st.integers(0, 20))
    def act(self, which: int, approved: bool, number: int | None) -> None:
        """An action by hand of one of the last runs, approved or not, which may die as well."""
        complete = [run for run in self.lab.runs()[-3:] if read_summary(run)["result"] == "Complete"]
        if not complete:
            return
        run = complete[-1 - which % len(complete)]
        with dying_at_write(10**6 if number is None else number):
            try:
                self.told(self.lab.act(run, run.run_id if approved else None))
            except Crash:
                TOTAL["crash"] += 1
            except ConsistencyError:
                TOTAL["action: stopped"] += 1

    # ----------------------------------------------------------------------------------- what happens between the runs

    @rule(events=st.lists(one_of(DRIFTS, st.integers(0, 3)), min_size=1, max_size=4))
    def drift(self, events: list[tuple]) -> None:
        for name, path, choice in events:
            getattr(self, name)(path, choice)
            TOTAL[f"drift: {name}"] += 1

    def lose(self, path: bytes, choice: int) -> None:
        """Not so many that the site may never be acted on again."""
        lost = [path for path in HEALTHY if path in self.world.entries and path not in self.world.files]
        if len(lost) < 6 and path in self.world.entries:
            self.world.lose(path)
            self.world.entries[path].elsewhere = ("disk", "disk", "tape", "nowhere")[choice]

    def corrupt(self, path: bytes, choice: int) -> None:
        if path in self.world.files:
            self.world.store(path, 7 + choice // 2, self.world.now - (0, 5 * DAY)[choice % 2])

    def come_back(self, path: bytes, choice: int) -> None:
        if path in self.world.entries:
            self.world.store(path, self.world.entries[path].size, self.world.now - choice * 5 * DAY)

    def leave_behind(self, path: bytes, choice: int) -> None:
        """A file that the inventory does not know; also one that replaces another under its name."""
        self.world.store(path, 50, self.world.now - choice * 5 * DAY)

    def leave_directories(self, path: bytes, choice: int) -> None:
        self.world.make_directory(path, self.world.now - choice * 5 * DAY)

    def register(self, path: bytes, choice: int) -> None:
        """The inventory learns of a file, whether it is there or not; it may be on its way."""
        time = int(self.world.now - (choice % 2) * 50 * DAY)
        self.world.register(path, 50, in_flight=choice >= 2, time=time)

    def arrive(self, path: bytes, choice: int) -> None:
        """What was in flight is there, perhaps long before or after it is registered."""
        if path in self.world.entries:
            self.world.entries[path].in_flight = False
            self.world.store(path, 50, self.world.now)

    def forget(self, path: bytes, choice: int) -> None:
        """The inventory drops a file, and the site keeps it."""
        self.world.entries.pop(path, None)

    def protect(self, path: bytes, choice: int) -> None:
        which = self.world.protected if choice % 2 else self.world.being_deleted
        which.symmetric_difference_update({dataset_of(path.decode())})

    def during_the_next_listing(self, path: bytes, choice: int) -> None:
        happening = self.register if choice % 2 else self.leave_behind
        self.world.while_listing.extend([*[lambda: None] * (4 * choice), lambda: happening(path, 0)])

    @rule(troubles=st.lists(one_of(TROUBLES), min_size=1, max_size=2))
    def disturb(self, troubles: list[tuple]) -> None:
        for name, value in troubles:
            known = getattr(self.world, name)
            if isinstance(known, bool):
                setattr(self.world, name, not known)
            elif isinstance(known, set):
                known.symmetric_difference_update({value})
            else:
                setattr(self.world, name, value)
            TOTAL[f"trouble: {name}"] += 1

    @rule(mended=st.booleans(), back=st.booleans())
    def time_passes(self, mended: bool, back: bool) -> None:
        """Or seems to go back."""
        if mended:
            self.world.calm()
        if back:
            self.world.now -= 3 * DAY
        else:
            self.world.pass_time(3 * DAY)

    @rule(fields=st.fixed_dictionaries({name: st.sampled_from(values) for name, values in EDITS.items()}))
    def edit(self, fields: dict) -> None:
        self.lab.policy[fields["kind"]] |= {name: fields[name] for name in ("mode", "maxCount", "confirmRuns")}
        self.lab.policy |= {name: fields[name] for name in ("maxRequestsPerRun", "approval")}
        self.lab.comparison["ignore"], self.lab.listing["exclude"] = fields["ignore"], fields["exclude"]
        TOTAL["edit"] += 1

    # ------------------------------------------------------------------------------------------------- what must hold

    @invariant()
    def nothing_wrong_was_asked_for(self) -> None:
        assert self.world.wrongs == []

    @invariant()
    def no_run_asks_twice(self) -> None:
        for (run, what, path), number in Counter((ask.run, ask.what, ask.path) for ask in self.world.asked).items():
            most = 1 + (self.world.losses[run] if self.itemising else 0)
            assert number <= most, f"{path!r} was asked for {number} times by run {run} ({what})"

    def teardown(self) -> None:
        try:
            if hasattr(self, "lab"):
                self.all_is_found_and_asked_for_in_the_end()
                TOTAL.update(self.world.events)
        finally:
            self.patches.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def all_is_found_and_asked_for_in_the_end(self) -> None:
        self.world.calm()
        self.lab.policy, self.lab.comparison = enforcing(), {"ignoreAgeSeconds": DAY}
        self.lab.listing["exclude"] = []
        self.world.pass_time(30 * DAY)
        calm = self.world.now
        for _ in range(20):
            summary = self.lab.run(2 * DAY)
            assert summary["result"] == "Complete", summary["reason"]
            self.nothing_wrong_was_asked_for()
            open_ = self.findings() - self.given_up(calm)
            if not open_ and all(gate["state"] == "Ready" for gate in summary["gates"]):
                return
        raise AssertionError(f"never asked for, or never done: {open_}; {summary['gates']}; {summary['actions']}")

    def findings(self) -> set[bytes]:
        world = self.world
        return {path for path, entry in world.entries.items() if self.is_ill(path, entry.size)} | {
            path for path in world.files if path not in world.entries and path in STRAY and not self.is_protected(path)
        }

    def is_ill(self, path: bytes, size: int) -> bool:
        entry, stored = self.world.entries[path], self.world.files.get(path)
        return (
            not entry.in_flight and not self.is_protected(path, deletion=True) and (not stored or stored.size != size)
        )

    def is_protected(self, path: bytes, deletion: bool = False) -> bool:
        return dataset_of(path.decode()) in self.world.being_deleted | (set() if deletion else self.world.protected)

    def given_up(self, since: float) -> set[bytes]:
        """What was asked for, and refused because no disk has it: a last copy is left to a person."""
        return {
            ask.path
            for ask in self.world.asked
            if ask.at >= since and ask.answer == "refused" and self.world.entries[ask.path].elsewhere != "disk"
        }


HISTORIES = settings(
    max_examples=int(os.environ.get("MACHINE_EXAMPLES", "6")),
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # making a failing history smaller takes minutes: add Phase.shrink when there is one
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


def long_history(seed: int, steps: int, kind: type[Site] = Site) -> None:
    """A history of which nothing is left to hypothesis, so that it is sure to be eventful."""
    chance = random.Random(seed)
    site = kind()
    site.backend(looking=seed % 2 == 0, itemising=seed % 3 != 2)

    def some(options: list[tuple[list, list]], *more: int) -> tuple:
        first, second = chance.choice(options)
        return (chance.choice(first), chance.choice(second), *more)

    def run() -> None:
        after = chance.choice(PAUSES)
        match chance.randrange(8):
            case 0:
                site.run_that_dies_at_a_write(after=after, number=chance.randrange(25))
            case 1:
                site.run_that_dies_at_a_request(after=after, number=chance.randrange(4), before=chance.random() < 0.5)
            case 2:
                number = chance.choice([None, chance.randrange(20)])
                site.act(which=chance.randrange(3), approved=chance.random() < 0.5, number=number)
            case _:
                site.run(after=after)

    happenings = [
        *[run] * 10,
        *[lambda: site.drift(events=[some(DRIFTS, chance.randrange(4)) for _ in range(3)])] * 4,
        *[lambda: site.disturb(troubles=[some(TROUBLES)])] * 3,
        *[lambda: site.time_passes(mended=chance.random() < 0.8, back=chance.random() < 0.1)] * 4,
        lambda: site.edit(fields={name: chance.choice(values) for name, values in EDITS.items()}),
    ]
    try:
        for _ in range(steps):
            chance.choice(happenings)()
            site.nothing_wrong_was_asked_for()
            site.no_run_asks_twice()
    finally:
        site.teardown()
