"""At the moment of acting (rules.md, gate 7): each file is looked at once more, and what has changed is left alone."""

import pytest
from laboratory import FOUND, HOLLOW, HOLLOWS, ORPHAN, Laboratory, quick
from simulated import DAY, World, clock_of

from dynamo_consistency.listers.posix import PosixLister
from dynamo_consistency.listers.threaded import ThreadedLister
from dynamo_consistency.listers.walk import Limits
from dynamo_consistency.run.action.site_view import Absent, SeenDirectory, SeenFile, SiteView, Unknown

KINDS_OF_BACKENDS = [
    pytest.param({}, id="looking and itemising"),
    pytest.param({"looking": False}, id="itemising only"),
    pytest.param({"looking": False, "itemising": False}, id="eleven names"),
]


@pytest.mark.parametrize("backend", KINDS_OF_BACKENDS)
def test_what_has_not_changed_is_requested_repairs_first_and_children_before_their_parents(copied, backend):
    lab = copied(**backend)
    summary = lab.approve()
    assert lab.asked() == [*(("transfer", path) for path in FOUND[:2]), *(("delete", path) for path in FOUND[2:])]
    assert {kind: told["requested"] for kind, told in summary["actions"].items()} == {
        "mismatches": 1,
        "missing": 1,
        "orphans": 1,
        "emptyDirectories": 3,
    }


def set_in(name, part=lambda path: path):
    return lambda world, path: getattr(world, name).add(part(path))


def upwards(levels):
    return lambda path: path.rsplit(b"/", levels)[0]


def dataset(path):
    return f"/P/{path.split(b'/')[3].decode()}-v1/AOD"


def registered(**facts):
    return lambda world, path: world.register(path, 50, **facts)


def registered_above(world, path):
    world.register(path.rsplit(b"/", 1)[0], 50)


def registered_in(inside, **facts):
    return lambda world, path: world.register(path + inside, 50, **facts)


def entry(**facts):
    def change(world, path):
        for name, value in facts.items():
            setattr(world.entries[path], name, value(world) if callable(value) else value)

    return change


def stored(size, inside=b"", age=100 * DAY):
    return lambda world, path: world.store(path + inside, size, world.now - age)


def rewritten(world, path):
    world.store(path, 51, world.files[path].mtime)


def a_directory(inside=b""):
    def change(world, path):
        world.files.pop(path, None)
        world.make_directory(path + inside)

    return change


def lost(world, path):
    world.files.pop(path, None)
    world.directories.pop(path, None)


def unregistered(world, path):
    del world.entries[path]


def touched(world, path):
    world.directories[path] = int(world.now)


CANNOT = "it is not known"
CHANGES = {
    "an orphan that has grown": ("orphans", rewritten, "grew"),
    "an orphan that was touched": ("orphans", stored(50, age=5 * DAY), "grew"),
    "an orphan that is gone": ("orphans", lost, "gone"),
    "an orphan that is registered now": ("orphans", registered(), "now registered"),
    "an orphan that is registered as in flight": ("orphans", registered(in_flight=True), "now registered"),
    "an orphan in what is registered as a file": ("orphans", registered_above, "now registered"),
    "an orphan whose dataset is protected now": ("orphans", set_in("protected", dataset), "deletion pending, or its"),
    "an orphan whose dataset is being deleted": ("orphans", set_in("being_deleted", dataset), "deletion pending"),
    "an orphan in a hole": ("orphans", set_in("holes", upwards(1)), CANNOT),
    "an orphan below a hole": ("orphans", set_in("holes", upwards(3)), CANNOT),
    "an orphan behind a link": ("orphans", set_in("links", upwards(2)), CANNOT),
    "an orphan whose name is a directory now": ("orphans", a_directory(), CANNOT),
    "a missing file that has come back": ("missing", stored(50), "reappeared"),
    "a missing file that has come back with another size": ("missing", stored(5), "reappeared"),
    "a missing file that nobody wants any more": ("missing", unregistered, "no longer registered"),
    "a missing file that is in flight": ("missing", entry(in_flight=True), "now in flight"),
    "a missing file with a young entry": ("missing", entry(time=lambda w: int(w.now - DAY)), "now in flight"),
    "a missing file of another size now": ("missing", entry(size=101), "the inventory has another size"),
    "a missing file of a dataset being deleted": ("missing", set_in("being_deleted", dataset), "deletion pending"),
    "a missing file in a hole": ("missing", set_in("holes", upwards(1)), CANNOT),
    "a missing file whose name is a directory": ("missing", a_directory(), CANNOT),
    "a mismatch that was repaired": ("mismatches", stored(50), "reappeared"),
    "a mismatch that is growing": ("mismatches", stored(9), "grew"),
    "a mismatch that is gone": ("mismatches", lost, "gone"),
    "a mismatch that the inventory has with that size now": ("mismatches", entry(size=7), "the inventory has"),
    "a mismatch with a third size in the inventory": ("mismatches", entry(size=8), "the inventory has another size"),
    "a mismatch that is no longer registered": ("mismatches", unregistered, "no longer registered"),
    "a mismatch that is being fetched": ("mismatches", entry(in_flight=True), "now in flight"),
    "a mismatch of a dataset being deleted": ("mismatches", set_in("being_deleted", dataset), "deletion pending"),
    "a mismatch in a hole": ("mismatches", set_in("holes", upwards(1)), CANNOT),
    "a directory with a file in it": ("emptyDirectories", stored(1, b"/f"), "no longer empty"),
    "a directory with a new directory in it": ("emptyDirectories", a_directory(b"/d"), "no longer empty"),
    "a directory in which something was": ("emptyDirectories", touched, "it has changed since the run"),
    "a directory that is gone": ("emptyDirectories", lost, "gone"),
    "a directory that the inventory has as a file": ("emptyDirectories", registered(), "now registered"),
    "a directory in what is registered as a file": ("emptyDirectories", registered_above, "now registered"),
    "a directory in which a file is expected": (
        "emptyDirectories",
        registered_in(b"/f", in_flight=True),
        "now registered",
    ),
    "a directory far below which a file is expected": ("emptyDirectories", registered_in(b"/a/b/f"), "now registered"),
    "a directory that cannot be listed": ("emptyDirectories", set_in("holes"), CANNOT),
    "a directory below a hole": ("emptyDirectories", set_in("holes", upwards(1)), CANNOT),
}
# a name of its own for each: an orphan that is called like a missing file may be that file
PATHS = {name: b"/store/data/C%02d/P/AOD/v1/it%d" % (number, number) for number, name in enumerate(CHANGES)}


@pytest.fixture(scope="module", params=[{}, {"looking": False, "itemising": False}], ids=["all names", "eleven names"])
def changed(request, tmp_path_factory):
    """A laboratory with one finding for each case, which changes between the run and its action; what was recorded."""
    lab = Laboratory(World(), tmp_path_factory.mktemp("changed"), **request.param)
    lab.policy["approval"] = "Required"
    lab.policy["health"]["maxInventoryChange"] = "1"
    world = lab.world
    for name, (kind, _, _) in CHANGES.items():
        path = PATHS[name]
        world.healthy(path.rsplit(b"/", 1)[0] + b"/healthy")
        if kind == "emptyDirectories":
            world.make_directory(path)
        if kind in ("missing", "mismatches"):
            world.register(path, 50)
        if kind in ("orphans", "mismatches"):
            world.store(path, 50 if kind == "orphans" else 7)
    world.make_directory(b"/store/mc")
    with clock_of(world), quick():
        for _ in range(2):
            assert lab.run()["result"] == "Complete"
        for name, (_, change, _) in CHANGES.items():
            change(world, PATHS[name])
        lab.approve()
    assert world.wrongs == []
    return lab


@pytest.mark.parametrize("case", CHANGES)
def test_what_has_changed_is_skipped_and_recorded(changed, case):
    kind, _, why = CHANGES[case]
    assert changed.asked() == []
    (row,) = [row for row in changed.actions() if row["path"] == PATHS[case]]
    assert (row["kind"], row["outcome"], row["asked_at"]) == (kind, "skipped", None)
    assert row["reason"].startswith(why)


def test_a_run_that_is_dated_after_now_because_the_clock_went_back_confirms_nothing(waiting):
    waiting.world.now = waiting.world.files[ORPHAN].mtime + DAY
    waiting.approve()
    assert waiting.asked() == []
    assert waiting.reasons() == {}


def test_a_directory_stays_when_one_in_it_stays_and_the_others_go(waiting):
    waiting.world.store(b"/store/data/Y/P/f", 1)
    waiting.approve()
    assert waiting.outcomes()[HOLLOW] == "requested"
    assert all(waiting.outcomes()[path] == "skipped" for path in HOLLOWS[1:])


def test_the_parents_of_a_directory_that_the_registry_refuses_are_not_asked_for(waiting):
    waiting.world.refused.add(HOLLOW)
    waiting.approve()
    assert waiting.outcomes()[HOLLOW] == "refused"
    assert [path for _, path in waiting.asked() if path in HOLLOWS] == [HOLLOW]


def test_an_inventory_that_does_not_answer_stops_everything(waiting):
    waiting.world.inventory_down = True
    with pytest.raises(Exception, match="down"):
        waiting.approve()
    assert waiting.asked() == []


def test_an_inventory_that_answers_in_part_stops_everything(copied):
    lab = copied(looking=False, itemising=False)
    lab.world.inventory_breaks_after = 19
    with pytest.raises(Exception, match="could not be read"):
        lab.approve()
    assert lab.asked() == []


def test_a_site_that_is_no_longer_ready_is_left_alone(waiting):
    waiting.world.ready = False
    with pytest.raises(Exception, match="no longer ready"):
        waiting.approve()
    assert waiting.asked() == []


def test_a_site_that_lists_nothing_at_that_moment_loses_nothing(waiting):
    waiting.world.answers_empty = {b"/store/mc", b"/store/data", b"/store/mc/E/P/AOD/v1"}
    waiting.approve()
    assert {what for what, _ in waiting.asked()} <= {"transfer"}
    assert waiting.outcomes()[ORPHAN] == "skipped"


def test_answers_that_a_lister_takes_back_are_not_acted_on(waiting, monkeypatch):
    from dynamo_consistency.errors import ListingError

    def verify(self):
        raise ListingError("a data server joined")

    monkeypatch.setattr(ThreadedLister, "verify", verify)
    with pytest.raises(ListingError):
        waiting.approve()
    assert waiting.asked() == []


# ---------------------------------------------------------------------------------------------- a look at a real folder


@pytest.fixture
def view(tmp_path):
    (tmp_path / "store/mc/a/b").mkdir(parents=True)
    (tmp_path / "store/mc/a/b/f").write_bytes(b"12345")
    posix = PosixLister(str(tmp_path))
    lister = ThreadedLister([lambda: posix.answer])
    yield SiteView(lister, Limits(retries=0), [b"/store/mc"])
    lister.close()


def file(view, path: bytes):
    return view.files([path])[path]


def test_a_file_a_directory_and_what_is_not_there_are_told_apart(view):
    assert isinstance(file(view, b"/store/mc/a/b/f"), SeenFile)
    assert file(view, b"/store/mc/a/b/g") == file(view, b"/store/mc/no/such/way") == Absent()
    above, below = view.directories([b"/store/mc/a", b"/store/mc/a/b"]).values()
    assert isinstance(above, SeenDirectory)
    assert (above.subdirectories, above.bare, above.mtime is None) == ({b"b"}, True, False)
    assert (below.subdirectories, below.bare) == (set(), False)


@pytest.mark.parametrize("path", [b"/store/mc2/f", b"/store", b"/etc/passwd", b"/store/mc"])
def test_nothing_outside_the_roots_is_looked_at(view, path):
    assert file(view, path) == Unknown("it is below no root")


def test_nothing_is_seen_through_a_link(view, tmp_path):
    (tmp_path / "store/mc/a").rename(tmp_path / "elsewhere")
    (tmp_path / "store/mc/a").symlink_to(tmp_path / "elsewhere")
    assert isinstance(file(view, b"/store/mc/a/b/f"), Unknown)
    assert isinstance(view.directories([b"/store/mc/a/b"])[b"/store/mc/a/b"], Unknown)


def test_a_way_that_leads_over_a_file_is_no_way(view):
    assert isinstance(file(view, b"/store/mc/a/b/f/g"), Unknown)


def test_a_directory_that_cannot_be_entered_hides_what_is_in_it(view, tmp_path):
    (tmp_path / "store/mc/a/b").rename(tmp_path / "store/mc/a/c")
    (tmp_path / "store/mc/a/b").write_bytes(b"")
    assert isinstance(file(view, b"/store/mc/a/b/f"), Unknown)
