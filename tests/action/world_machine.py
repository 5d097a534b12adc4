"""Random histories of true worlds: whole runs in process, by two checks and two hosts, under all that can happen.

A history is a seed and its moves, each with dice of its own: leaving some out leaves the choices of the others alone,
so that one that fails is made shorter by leaving out. `python world_machine.py SECONDS [SEED]` runs them for so long.
"""

import contextlib
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import world_moves
from laboratory import KINDS, die, dying_at_write, quick
from simulated import DAY, SITE, Crash
from true_world import TrueWorld
from world_backend import WorldBackend, clock_of_hosts
from world_laws import Laws
from world_moves import MOVES, healthy_world, ill_world

from dynamo_consistency.backend.plugin_guard import guarded
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run import action, pipeline
from dynamo_consistency.run.records.history import read_summary
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

HOUR = 3600
STEPS = 30
ROUNDS = 9
"""Runs, once all is calm, in which everything must be found, confirmed, asked for and done."""

_IN_MEMORY = "/dev/shm"  # noqa: S108 (a folder of one's own is made in it)
_REAL_TIME = time.time
COVERED: Counter[str] = Counter()
"""What has happened in all histories of this process."""


def policy(**changes: Any) -> dict[str, Any]:
    rule = {"mode": "Enforce", "maxCount": 1000, "maxFraction": None, "confirmRuns": 2, "confirmSpanSeconds": HOUR}
    health = {"minListedFraction": "0.5", "maxHoleFraction": "0.4"}
    return {kind: dict(rule) for kind in KINDS} | {"health": health, "approval": "OnlyAboveLimits"} | changes


def check_of(name: str, roots: list[str], policy: dict[str, Any], exclude: list[str]) -> SiteConsistencyCheck:
    listing = {"roots": [{"path": root} for root in roots], "exclude": exclude, "retries": 0}
    spec = {"site": SITE, "listing": listing, "comparison": {"ignoreAgeSeconds": DAY}, "policy": policy}
    return SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": name},
            "spec": spec,
        }
    )


MAIN, OTHER = "t2-test", "t2-other"
ROOTS = {MAIN: ["/store/mc", "/store/data"], OTHER: ["/store/data"]}


class Step(NamedTuple):
    name: str
    seed: int


class History:
    """One site, from its first run on."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        chance = self.dice.random
        self.world = TrueWorld(
            looks=chance() < 0.8, identities=chance() < 0.6, withdraws=chance() < 0.75, chance=random.Random(seed)
        )
        self.backend = guarded(WorldBackend(self.world, looking=chance() < 0.7, itemising=chance() < 0.75), "world")
        self.itemising = hasattr(self.backend.registry, "request_deletion")
        healthy_world(self.world)
        ill_world(self.world)
        self.folder = Path(tempfile.mkdtemp(prefix="world-", dir=_IN_MEMORY if Path(_IN_MEMORY).is_dir() else None))
        self.store = RunStore(str(self.folder))
        self.policies = {MAIN: policy(), OTHER: policy()}
        self.exclude: list[str] = []
        self.began: dict[str, float] = {}
        """True times, by the ids of runs."""
        self.laws = Laws(self.world, self.itemising)
        self.patches = contextlib.ExitStack()

    def __enter__(self) -> "History":
        self.patches.enter_context(clock_of_hosts(self.world))
        self.patches.enter_context(quick())
        self.patches.enter_context(mock.patch("dynamo_consistency.run.pipeline.act", self._act))
        return self

    def __exit__(self, *_: object) -> None:
        self.patches.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        COVERED.update(self.world.events)

    def check(self, name: str) -> SiteConsistencyCheck:
        return check_of(name, ROOTS[name], self.policies[name], self.exclude)

    # --------------------------------------------------------------------------------------------- runs and actions

    def run(self, name: str = MAIN, after: float = 0.0) -> dict[str, Any]:
        world = self.world
        world.pass_time(after)
        began, known = world.now, {run.url for run in self.store.runs(SITE)}
        world.acting_since = began
        self.laws.listing()
        try:
            summary = pipeline.run_check(self.check(name), self.backend, self.store)[1]
        except ConsistencyError as error:
            summary = {"result": "Stopped", "reason": str(error), "gates": [], "actions": {}, "counts": {}}
        finally:
            new = [run for run in self.store.runs(SITE) if run.url not in known]
            self.began |= {run.run_id: began for run in new}
            world.now += HOUR / 6
        complete = [run for run in new if read_summary(run)["result"] == "Complete"]
        if complete and not world.skew and not world.registry_down:
            self.laws.told(name, began, read_summary(complete[-1]))
            if world.withdraws:
                world.completed.setdefault(name, []).append(began)
        self._count("run", summary)
        return summary

    def act(self, run: RunDirectory, approved: str | None, today: SiteConsistencyCheck | None) -> None:
        try:
            self._count("action", pipeline.act_on(run, self.backend, approved, today))
        except ConsistencyError:
            COVERED["action: stopped"] += 1

    def _act(self, store: RunStore, run: RunDirectory, backend: Any, approved: str | None = None, *rest: Any) -> Any:
        """`action.act`, by calls of which the world knows the run, and the laws what it was allowed."""
        world, check = self.world, run.check()
        before = world.acting, world.acting_check, world.acting_since
        world.acting, world.acting_check = run.run_id, check.metadata.name
        world.acting_since = self.began.get(run.run_id, world.acting_since)
        world.check_of[run.run_id] = check.metadata.name
        first = len(world.asked)
        try:
            return action.act(store, run, backend, approved, *rest)
        finally:
            self.laws.acted(run.run_id, check, rest[0] if rest else None, approved, first)
            world.acting, world.acting_check, world.acting_since = before

    def _count(self, what: str, summary: dict[str, Any]) -> None:
        COVERED[f"{what}: {summary['result']}"] += 1
        COVERED.update(f"gate {gate['name']}: {gate['state']}" for gate in summary["gates"] if gate["state"] != "Ready")
        counts = summary["counts"]
        for key in (
            "twins",
            "renamed",
            "missingInEmptyDirectories",
            "aliases",
            "requestsWithdrawn",
            "requestsOutliving",
        ):
            if counts.get(key):
                COVERED[f"count {key}"] += 1
        for told in summary["actions"].values():
            COVERED.update(f"skipped: {reason}" for reason in told["skipped"])

    # -------------------------------------------------------------------------------------------------------- steps

    def step(self, step: Step) -> None:
        dice = random.Random(step.seed)
        COVERED[f"move {step.name}"] += 1
        if step.name in WORLD_MOVES:
            WORLD_MOVES[step.name](self.world, dice)
        else:
            getattr(self, step.name)(dice)
        self.laws.hold()

    def one_run(self, dice: random.Random) -> None:
        self.run(MAIN if dice.random() < 0.8 else OTHER, dice.choice([0, 1, 2 * HOUR, 2 * DAY, 2 * DAY, 8 * DAY]))

    def run_that_dies(self, dice: random.Random) -> None:
        moments = dice.choice([self.world.before_call, self.world.after_call])
        at_write = dice.random() < 0.6
        if not at_write:
            moments.extend([*[lambda: None] * dice.randrange(3), die])
        with dying_at_write(dice.randrange(25) if at_write else 10**6), contextlib.suppress(Crash):
            self.run(MAIN, dice.choice([2 * HOUR, 2 * DAY]))
        moments.clear()

    def act_by_hand(self, dice: random.Random) -> None:
        """Of one of the last runs, by its own approval, that of another run, or none; the check may be stricter now."""
        complete = [run for run in self.store.runs(SITE)[-4:] if read_summary(run)["result"] == "Complete"]
        if not complete:
            return
        run = dice.choice(complete[-2:])
        approved = dice.choice([None, run.run_id, run.run_id, complete[0].run_id])
        today = self.check(run.check().metadata.name) if dice.random() < 0.5 else None
        with dying_at_write(dice.choice([10**6, 10**6, dice.randrange(8)])), contextlib.suppress(Crash):
            self.act(run, approved, today)

    def approve_late(self, dice: random.Random) -> None:
        """A run waits for its approval, and gets it when the world has moved on."""
        policy = self.policies[MAIN]
        now, policy["approval"] = policy["approval"], "Required"
        summary = self.run(MAIN, 2 * DAY)
        policy["approval"] = now
        for _ in range(dice.randrange(1, 5)):
            dice.choice(LATE)(self.world, dice)
        if summary["result"] == "Complete":
            self.act(self.store.run(SITE, summary["runId"]), summary["runId"], None)

    def two_hosts(self, dice: random.Random) -> None:
        """While one acts, the other acts on the same run."""

        def meanwhile() -> None:
            run = self.store.runs(SITE)[-1]
            with contextlib.suppress(ConsistencyError):
                pipeline.act_on(run, self.backend, run.run_id)
                COVERED["a second host acted"] += 1

        self.world.before_call.append(meanwhile)
        self.run(MAIN, 2 * DAY)
        self.world.before_call.clear()

    def clock_jumps(self, dice: random.Random) -> None:
        """The clock is wrong for one run."""
        self.world.skew = dice.choice([400 * DAY, 20 * DAY, -3 * DAY, -400 * DAY])
        self.run(MAIN, 2 * DAY)
        self.world.skew = 0.0

    def edit(self, dice: random.Random) -> None:
        edited = self.policies[dice.choice([MAIN, MAIN, OTHER])]
        kind = edited[dice.choice(KINDS)]
        kind["mode"] = dice.choice(["Ignore", "Report", "Enforce", "Enforce", "Enforce"])
        kind["maxCount"] = dice.choice([2, 1000, 1000])
        kind["maxCountPer30Days"] = dice.choice([3, 1000, 1000])
        edited["maxRequestsPerRun"] = dice.choice([0, 2, 1000, 1000])
        edited["approval"] = dice.choice(["Never", "Required", "OnlyAboveLimits", "OnlyAboveLimits"])
        self.exclude = dice.choice([[], [], [], ["/store/data/Y"], ["/store/data/X/P/AOD/v0"]])

    # ------------------------------------------------------------------------------------------------- the end

    def all_is_done_in_the_end(self) -> None:
        """Doing nothing is not safe either: in a calm world what is confirmed is asked for, and done."""
        world = self.world
        world.calm()
        world.delays = (0.0,)
        for order in world.orders.values():
            order.due = world.now
        self.policies[MAIN], self.exclude = policy(), []
        world.pass_time(30 * DAY)
        calm = world.now
        for _ in range(ROUNDS):
            summary = self.run(MAIN, 2 * DAY)
            if summary["result"] == "Complete":
                run = self.store.run(SITE, summary["runId"])  # not the last by its date: a clock may have been wrong
                self.act(run, run.run_id, None)
            self.laws.hold()
            if not (open_ := self.laws.open_findings(calm)):
                return
        raise AssertionError(
            f"never asked for, or never done: {sorted(open_)}; {summary['gates']}; {summary['reason']}"
        )


WORLD_MOVES = {move.__name__: move for move in MOVES}
LATE = [world_moves.register, world_moves.come_back, world_moves.corrupt, world_moves.leave_behind, world_moves.protect]
_OWN_MOVES = {
    "one_run": 26,
    "approve_late": 4,
    "run_that_dies": 4,
    "act_by_hand": 6,
    "two_hosts": 3,
    "clock_jumps": 2,
    "edit": 2,
}
_WEIGHTS = {name: MOVES[move] for name, move in WORLD_MOVES.items()} | _OWN_MOVES


def steps_of(seed: int, number: int = STEPS) -> list[Step]:
    dice = random.Random(seed)
    names = dice.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=number)
    return [Step("one_run", 0), *(Step(name, dice.randrange(2**32)) for name in names)]


def play(seed: int, steps: list[Step]) -> None:
    """A whole history. Raises AssertionError where a law is broken."""
    with History(seed) as history:
        for step in steps:
            history.step(step)
        history.all_is_done_in_the_end()


def failure(seed: int, steps: list[Step]) -> str:
    """What is wrong with a history; empty when nothing is."""
    try:
        play(seed, steps)
    except AssertionError as error:
        return str(error)
    return ""


def shortest(seed: int, steps: list[Step]) -> list[Step]:
    """A history that fails, made shorter: each step is left out without which it still fails."""
    for step in reversed(steps):
        fewer = [other for other in steps if other is not step]
        if failure(seed, fewer):
            steps = fewer
    return steps


def explain(seed: int, broken: str) -> str:
    steps = shortest(seed, steps_of(seed))
    with History(seed) as history:
        flags = {name: getattr(history.world, name) for name in ("looks", "identities", "withdraws")}
    told = "\n".join(f"  {step.name} {step.seed}" for step in steps)
    return f"seed {seed} {flags}: {broken}\nin short: {failure(seed, steps)}\n{told}"


def soak(seconds: float, seed: int, say: Callable[[str], None] = print) -> int:
    """Histories from `seed` on for so long; returns how many runs that were. Raises for one that breaks a law."""
    say(f"first seed {seed}")
    COVERED.clear()
    began, cpu = _REAL_TIME(), time.process_time()
    for number in _seeds(seed):
        if broken := failure(number, steps_of(number)):
            raise AssertionError(explain(number, broken))
        if _REAL_TIME() - began > seconds:
            break
    runs = sum(count for name, count in COVERED.items() if name.startswith(("run: ", "action: ")))
    elapsed = _REAL_TIME() - began
    say("\n".join(f"{count:7} {name}" for name, count in sorted(COVERED.items())))
    say(f"last seed {number}; {runs} runs, {60 * runs / elapsed:.0f} a minute")
    say(f"{60 * runs / (time.process_time() - cpu):.0f} a minute of processor time")
    return runs


def _seeds(first: int) -> Iterator[int]:
    while True:
        yield first
        first += 1


if __name__ == "__main__":
    soak(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6) * 1000)
