"""What may happen to a true world between the runs: each move makes its choices with the dice it is given."""

import random
from collections.abc import Callable
from math import inf

from simulated import DAY
from true_world import NO_TIME, TrueWorld

from dynamo_consistency.backend.dataset_filter import dataset_of

HEALTHY = [b"/store/mc/E/P/AOD/v%d/f%02d" % (number % 4, number) for number in range(24)]
STEADY = [b"/store/data/X/P/AOD/v3/s%02d" % number for number in range(12)]
"""Never touched, so that the second root stays healthy whatever becomes of the strays in it."""

STRAY = [b"/store/data/X/P/AOD/v%d/o%d" % (number % 2, number) for number in range(8)]
HOLLOW = [b"/store/data/Y/P/AOD/v1/e", b"/store/mc/E/P/AOD/v7", b"/store/data/Z"]
ALIASES = [b"/store/data/X/P/AOD/v8", b"/store/mc/E/P/AOD/v9", b"/store/mc/E/Q", b"/store/data/X/P/AOD/v0/below"]
TARGETS = [b"/store/mc/E/P/AOD/v1", b"/store/mc/E/P/AOD/v2", b"/store/data/X/P/AOD/v3", b"/store/mc/E/P"]
MANY = 5
"""Files that may be missing at a time, so that the site is not too ill to be acted on."""

Move = Callable[[TrueWorld, random.Random], None]


def healthy_world(world: TrueWorld) -> None:
    for path in [*HEALTHY, *STEADY]:
        world.healthy(path)


def ill_world(world: TrueWorld) -> None:
    """Something of each kind."""
    for path in HEALTHY[:2]:
        world.lose(path)
    world.store(HEALTHY[2], 7)
    for path in STRAY[:3]:
        world.store(path, 50)
    world.make_directory(HOLLOW[0])


# ------------------------------------------------------------------------------------------------------ files


def lose(world: TrueWorld, dice: random.Random) -> None:
    path = dice.choice(HEALTHY[:12])
    lost = [path for path in HEALTHY if path in world.entries and path not in world.files]
    if len(lost) < MANY and path in world.entries:
        world.lose(path)
        world.entries[path].elsewhere = dice.choice(["disk", "disk", "tape", "nowhere"])


def corrupt(world: TrueWorld, dice: random.Random) -> None:
    path = dice.choice(HEALTHY[:12])
    if path in world.files and path not in world.shown_times:
        world.store(path, 7 + dice.randrange(2), world.now - dice.choice([0, 5 * DAY]))


def come_back(world: TrueWorld, dice: random.Random) -> None:
    """A file that was missing, perhaps while its transfer still waits."""
    waiting = [path for what, path in world.orders if what == "transfer"]
    path = dice.choice(waiting or HEALTHY[:12])
    if path in world.entries and path not in world.files:
        world.store(path, world.entries[path].size, world.now - dice.choice([0, 5 * DAY]))


def leave_behind(world: TrueWorld, dice: random.Random) -> None:
    world.store(dice.choice(STRAY), 50 + dice.randrange(2), world.now - dice.randrange(4) * 5 * DAY)


def leave_directories(world: TrueWorld, dice: random.Random) -> None:
    world.make_directory(dice.choice(HOLLOW), world.now - dice.randrange(4) * 5 * DAY)


def register(world: TrueWorld, dice: random.Random) -> None:
    """A file that was left behind is somebody's after all, perhaps while its deletion waits."""
    waiting = [path for what, path in world.orders if what == "delete" and path in world.files]
    path = dice.choice(waiting or STRAY)
    if path not in world.entries:
        size = world.files[path].size if path in world.files else 50
        world.register(path, size, in_flight=dice.random() < 0.2, time=int(world.now - dice.choice([0, 50 * DAY])))


def forget(world: TrueWorld, dice: random.Random) -> None:
    path = dice.choice([*HEALTHY[:6], *STRAY])
    if path not in world.belongs.values():
        world.forget(path)


def arrive(world: TrueWorld, dice: random.Random) -> None:
    path = dice.choice(STRAY)
    if path in world.entries and ("transfer", path) not in world.orders:
        world.entries[path].in_flight = False
        world.store(path, world.entries[path].size, world.now)


def protect(world: TrueWorld, dice: random.Random) -> None:
    which = world.protected if dice.random() < 0.6 else world.being_deleted
    which.symmetric_difference_update({dataset_of(dice.choice([*STRAY[:2], HEALTHY[0]]).decode())})


def while_it_is_listed(world: TrueWorld, dice: random.Random) -> None:
    happening, own = dice.choice([register, leave_behind, come_back]), random.Random(dice.random())
    world.while_listing.extend([*[lambda: None] * dice.randrange(9), lambda: happening(world, own)])


# --------------------------------------------------------------------------------------- two names, and short answers


def alias(world: TrueWorld, dice: random.Random) -> None:
    """A directory is reached by a second name."""
    name = dice.choice(ALIASES)
    if world.aliases.pop(name, None) is None and name.rsplit(b"/", 1)[0] in world.directories:
        world.aliases[name] = dice.choice(TARGETS)


def respell(world: TrueWorld, dice: random.Random) -> None:
    """A storage, or somebody, has changed the case of a name."""
    path = dice.choice(HEALTHY[12:16])
    if path in world.entries and not world.entries[path].in_flight:
        world.respell(path, path.replace(b"/f", b"/F"))


def leave_out(world: TrueWorld, dice: random.Random) -> None:
    """Listings lack a file, which is there for who asks for it."""
    if world.looks:
        world.left_out.symmetric_difference_update({dice.choice(HEALTHY)})


def show_no_time(world: TrueWorld, dice: random.Random) -> None:
    path = dice.choice([*HEALTHY[:6], *STRAY])
    if path in world.files:
        world.shown_times[path] = dice.choice([NO_TIME, 0, 300_000_000, 10**11])


def shorten_the_inventory(world: TrueWorld, dice: random.Random) -> None:
    world.shorter[:] = [dice.choice([1.0, 0.9, 0.85, 0.5, 0.0]) for _ in range(dice.randrange(1, 4))]


def cut_lists(world: TrueWorld, dice: random.Random) -> None:
    """The next list of datasets, or both of a run, come back empty."""
    world.lists_cut = dice.randrange(1, 3)


def hide(world: TrueWorld, dice: random.Random) -> None:
    holes = [*TARGETS, b"/store/data/X/P/AOD/v0", b"/store/data/X/P/AOD"]
    world.holes.symmetric_difference_update({dice.choice(holes)})


def answer_empty(world: TrueWorld, dice: random.Random) -> None:
    if world.looks:
        world.answers_empty.symmetric_difference_update({dice.choice([*TARGETS, b"/store/mc/E"])})


# ------------------------------------------------------------------------------------------------- time and trouble


def pass_days(world: TrueWorld, dice: random.Random) -> None:
    world.pass_time(dice.choice([1, 3, 10]) * DAY)


def fail(world: TrueWorld, dice: random.Random) -> None:
    name = dice.choice(["inventory_down", "site_down", "deletions_fail", "asleep", "ready", "registry_down"])
    setattr(world, name, not getattr(world, name))


def choke(world: TrueWorld, dice: random.Random) -> None:
    trouble = world.poison if dice.random() < 0.5 else world.refused
    trouble.symmetric_difference_update({dice.choice([*STRAY, *HEALTHY[:6], *HOLLOW])})


def carry_out_later(world: TrueWorld, dice: random.Random) -> None:
    world.delays = dice.choice([(0,), (2 * DAY, 9 * DAY), (0, 9 * DAY, 20 * DAY), (20 * DAY, inf)])


def mend(world: TrueWorld, dice: random.Random) -> None:
    for trouble in (world.holes, world.answers_empty, world.poison, world.refused, world.left_out):
        trouble.clear()
    world.inventory_down = world.site_down = world.registry_down = world.asleep = world.deletions_fail = False
    world.ready = True


MOVES: dict[Move, int] = {
    **{lose: 3, corrupt: 2, come_back: 3, leave_behind: 3, leave_directories: 1, register: 4, forget: 2, arrive: 2},
    **{protect: 1, while_it_is_listed: 2, alias: 3, respell: 2, leave_out: 2, show_no_time: 2},
    **{shorten_the_inventory: 2, cut_lists: 2, hide: 2, answer_empty: 2},
    **{pass_days: 3, fail: 2, choke: 1, carry_out_later: 2, mend: 4},
}
"""How often each is chosen."""
