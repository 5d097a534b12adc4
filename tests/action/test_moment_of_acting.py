"""At the moment of acting (DESIGN 5, gate 7): each file is looked at once more, and what has changed is left alone."""

import pytest
from conftest import FOUND, HOLLOW, HOLLOWS, MISMATCH, MISSING, ORPHAN
from simulated import DAY

from dynamo_consistency.listers.posix import PosixLister
from dynamo_consistency.listers.threaded import ThreadedLister
from dynamo_consistency.listers.walk import Limits
from dynamo_consistency.run.action.sight import Absent, Directory, File, SiteView, Unknown

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


def rewritten(world):
    world.store(ORPHAN, 51, world.files[ORPHAN].mtime)


def touched(world):
    world.store(ORPHAN, 50, world.now - 5 * DAY)


def young_again(world):
    """The clock has gone back: what was old when it was listed is not old now."""
    world.now = world.files[ORPHAN].mtime + DAY


def a_directory(path):
    def change(world):
        world.files.pop(path, None)
        world.make_directory(path)

    return change


def set_in(name, value):
    return lambda world: getattr(world, name).add(value)


def registered(path, **facts):
    return lambda world: world.register(path, facts.pop("size", 50), **facts)


def entry(path, **facts):
    def change(world):
        for name, value in facts.items():
            setattr(world.entries[path], name, value(world) if callable(value) else value)

    return change


def stored(path, size):
    return lambda world: world.store(path, size)


def gone(path):
    return lambda world: (world.files.pop(path, None), world.entries.pop(path, None), world.directories.pop(path, None))


def touched_directory(world):
    world.directories[HOLLOW] = int(world.now)


CANNOT = "it cannot be told"
CHANGES = {
    "an orphan that has grown": (ORPHAN, rewritten, "grew"),
    "an orphan that was touched": (ORPHAN, touched, "grew"),
    "an orphan that is gone": (ORPHAN, gone(ORPHAN), "gone"),
    "an orphan that is young by a clock that went back": (ORPHAN, young_again, "too young"),
    "an orphan that is registered now": (ORPHAN, registered(ORPHAN), "now registered"),
    "an orphan that is registered as in flight": (ORPHAN, registered(ORPHAN, in_flight=True), "now registered"),
    "an orphan whose dataset is protected now": (ORPHAN, set_in("protected", "/P/X-v1/AOD"), "deletion pending, or"),
    "an orphan whose dataset is being deleted": (ORPHAN, set_in("being_deleted", "/P/X-v1/AOD"), "deletion pending"),
    "an orphan in a hole": (ORPHAN, set_in("holes", b"/store/data/X/P/AOD/v1"), CANNOT),
    "an orphan below a hole": (ORPHAN, set_in("holes", b"/store/data/X"), CANNOT),
    "an orphan behind a link": (ORPHAN, set_in("links", b"/store/data/X/P"), CANNOT),
    "an orphan whose name is a directory now": (ORPHAN, a_directory(ORPHAN), CANNOT),
    "a missing file that has come back": (MISSING, stored(MISSING, 100), "reappeared"),
    "a missing file that has come back with another size": (MISSING, stored(MISSING, 5), "reappeared"),
    "a missing file that nobody wants any more": (MISSING, gone(MISSING), "no longer registered"),
    "a missing file that is in flight": (MISSING, entry(MISSING, in_flight=True), "now in flight"),
    "a missing file with a young entry": (MISSING, entry(MISSING, time=lambda w: int(w.now - DAY)), "now in flight"),
    "a missing file of another size now": (MISSING, entry(MISSING, size=101), "the inventory has another size"),
    "a missing file of a dataset being deleted": (MISSING, set_in("being_deleted", "/P/E-v0/AOD"), "deletion pending"),
    "a missing file in a hole": (MISSING, set_in("holes", b"/store/mc/E/P/AOD/v0"), CANNOT),
    "a missing file whose name is a directory": (MISSING, a_directory(MISSING), CANNOT),
    "a mismatch that was repaired": (MISMATCH, stored(MISMATCH, 100), "reappeared"),
    "a mismatch that is growing": (MISMATCH, stored(MISMATCH, 9), "grew"),
    "a mismatch that is gone": (MISMATCH, lambda world: world.lose(MISMATCH), "gone"),
    "a mismatch that the inventory has with that size now": (MISMATCH, entry(MISMATCH, size=7), "the inventory has"),
    "a mismatch that is no longer registered": (MISMATCH, lambda w: w.entries.pop(MISMATCH), "no longer registered"),
    "a mismatch that is being fetched": (MISMATCH, entry(MISMATCH, in_flight=True), "now in flight"),
    "a mismatch of a dataset being deleted": (
        MISMATCH,
        set_in("being_deleted", "/P/E-v1/AOD"),
        "deletion pending",
    ),
    "a directory with a file in it": (HOLLOW, stored(HOLLOW + b"/f", 1), "no longer empty"),
    "a directory with a new directory in it": (HOLLOW, a_directory(HOLLOW + b"/d"), "no longer empty"),
    "a directory in which something was": (HOLLOW, touched_directory, "it has changed since the run"),
    "a directory that is gone": (HOLLOW, gone(HOLLOW), "gone"),
    "a directory that the inventory has as a file": (HOLLOW, registered(HOLLOW), "now registered"),
    "a directory that cannot be listed": (HOLLOW, set_in("holes", HOLLOW), CANNOT),
    "a directory below a hole": (HOLLOW, set_in("holes", b"/store/data/Y"), CANNOT),
}


@pytest.mark.parametrize("backend", [{}, {"looking": False, "itemising": False}], ids=["all names", "eleven names"])
@pytest.mark.parametrize(("path", "change", "why"), CHANGES.values(), ids=CHANGES)
def test_it_is_skipped_and_recorded(copied, backend, path, change, why):
    lab = copied(**backend)
    change(lab.world)
    lab.approve()
    assert path not in [asked for _, asked in lab.asked()]
    (row,) = [row for row in lab.actions() if row["path"] == path]
    assert (row["outcome"], row["reason"].startswith(why), row["asked_at"]) == ("skipped", True, None), row["reason"]


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
    assert isinstance(file(view, b"/store/mc/a/b/f"), File)
    assert file(view, b"/store/mc/a/b/g") == file(view, b"/store/mc/no/such/way") == Absent()
    above, below = view.directories([b"/store/mc/a", b"/store/mc/a/b"]).values()
    assert isinstance(above, Directory)
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
