"""At the moment of acting the inventory must answer as wholly as it did for the run (rules.md, gate 9)."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from laboratory import FOUND, HOLLOWS, MISSING, ORPHAN

from dynamo_consistency.backend import optional_features
from dynamo_consistency.errors import BackendError
from dynamo_consistency.run.action import inventory_now
from dynamo_consistency.run.store.run_directory import RunDirectory

PLAIN = {"looking": False, "itemising": False}


def ended(lab) -> str:
    with pytest.raises(BackendError) as error:
        lab.approve()
    return str(error.value)


@pytest.mark.parametrize("left", [0, 1, 10, 18])
@pytest.mark.parametrize("streaming", [False, True], ids=["list_files", "stream"])
def test_an_inventory_that_is_read_as_a_whole_and_is_short_proves_nothing(copied, left, streaming):
    lab = copied(**PLAIN)
    if streaming:
        lab.backend.inventory.stream = lab.backend._stream
    lab.world.register(ORPHAN, 50)
    for path in list(lab.world.entries)[left:]:
        del lab.world.entries[path]
    assert ended(lab).startswith(f"the inventory is not whole any more: {left} of 20 entries")
    assert lab.asked() == []
    assert set(lab.outcomes().values()) == {"left over"}


def test_an_inventory_that_is_whole_again_lets_the_run_act(copied):
    lab = copied(**PLAIN)
    entries = dict(lab.world.entries)
    lab.world.entries.clear()
    ended(lab)
    lab.world.entries |= entries
    lab.approve()
    assert [path for _, path in lab.asked()] == FOUND


def test_an_inventory_that_is_asked_for_single_files_may_have_lost_less_than_half_of_what_it_had(waiting):
    for path in [path for path in waiting.world.entries if path not in FOUND][:4]:
        del waiting.world.entries[path]
    waiting.approve()
    assert MISSING in [path for _, path in waiting.asked()]


@pytest.mark.parametrize("left", [0, 3])
def test_an_inventory_that_is_asked_for_single_files_and_knows_hardly_any_that_it_had_proves_nothing(waiting, left):
    """A database that is being loaded, or an empty one to which another has failed over, does not know an orphan."""
    for path in list(waiting.world.entries)[left:]:
        del waiting.world.entries[path]
    assert "files that it had at T2_Test when they were compared, it knows" in ended(waiting)
    assert waiting.asked() == []


def test_an_inventory_that_is_read_for_directories_and_is_half_as_long_proves_nothing(waiting):
    stream = waiting.backend.inventory.stream
    waiting.backend.inventory.stream = lambda site: (batch.slice(0, batch.num_rows // 2) for batch in stream(site))
    assert "files at T2_Test now, and had 20" in ended(waiting)
    assert {path for _, path in waiting.asked()}.isdisjoint(HOLLOWS)


def test_the_files_that_are_asked_for_to_see_that_it_is_whole_are_from_all_over_a_snapshot(tmp_path):
    run = RunDirectory(str(tmp_path / "T2_Test/1"))
    groups = [[f"/{group}/{number}".encode() for number in range(size)] for group, size in enumerate((30_000, 1, 500))]
    with run.writing(inventory_now.AFTER_FILES) as path, pq.ParquetWriter(path, pa.schema({"path": pa.binary()})) as to:
        for files in groups:
            to.write_table(pa.table({"path": pa.array(files, pa.binary())}))
    sample = inventory_now._sample(run)
    assert {path.split(b"/")[1] for path in sample} == {b"0", b"1", b"2"}
    assert len(sample) <= inventory_now.SAMPLE
    assert max(path for path in sample if path.startswith(b"/0/")) > b"/0/29"


def test_a_backend_that_is_another_one_now_is_asked_for_nothing(waiting):
    waiting.backend.describe = lambda: "another database"
    assert "compared with another inventory" in ended(waiting)
    assert waiting.asked() == []


def test_two_snapshots_of_two_inventories_are_an_invalid_run(waiting):
    waiting.world.while_listing.append(lambda: setattr(waiting.backend, "describe", lambda: "another database"))
    summary = waiting.run()
    assert summary["result"] == "Invalid"
    assert "the two snapshots are of two inventories" in summary["reason"]
    assert waiting.asked() == []


def test_two_in_a_hundred_entries_may_have_gone_since():
    class Backend:
        class inventory:  # noqa: N801 (the name is fixed)
            @staticmethod
            def list_files(site):
                return [(f"/f{number:02d}", 1, None) for number in range(98)]

    assert set(optional_features.look_up(Backend, "T2_X", [b"/f00", b"/f99"], 100)) == {b"/f00"}
    with pytest.raises(BackendError, match="98 of 101 entries"):
        optional_features.look_up(Backend, "T2_X", [b"/f00"], 101)


@pytest.mark.parametrize("which", ["protected", "being_deleted"])
@pytest.mark.parametrize(("then", "now", "in_doubt"), [(4, 0, True), (4, 2, True), (4, 3, False), (1, 0, True)])
def test_lists_of_datasets_that_are_empty_or_half_as_long_as_then_are_not_believed(copied, which, then, now, in_doubt):
    lab = copied()
    datasets = [f"/Other/Era{number}-v1/AOD" for number in range(then)]
    getattr(lab.world, which).update(datasets)
    lab.policy["approval"] = "Required"
    lab.run()
    getattr(lab.world, which).difference_update(datasets[now:])
    if in_doubt:
        assert f"it has {now} " in ended(lab)
        assert lab.asked() == []
    else:
        lab.approve()
        assert [path for _, path in lab.asked()] == FOUND


@pytest.mark.parametrize("name", ["deletion_requests", "inventory.protected_datasets"])
@pytest.mark.parametrize("backend", [{}, PLAIN], ids=["all names", "eleven names"])
def test_a_backend_that_breaks_at_the_moment_of_acting_lets_nothing_be_asked_for(copied, name, backend):
    lab = copied(**backend)

    def breaks(site):
        raise BackendError(f"{name} failed")

    holder, _, attribute = f"backend.{name}".rpartition(".")
    thing = lab.backend if holder == "backend" else lab.backend.inventory
    setattr(thing, attribute, breaks)
    assert ended(lab) == f"{name} failed"
    assert lab.asked() == []


@pytest.mark.parametrize("name", ["delete", "transfer"])
def test_a_registry_that_returns_none_has_been_asked_and_is_not_asked_again(copied, name):
    lab = copied(**PLAIN)
    ask = getattr(lab.backend.registry, name)
    setattr(lab.backend.registry, name, lambda *arguments: ask(*arguments) and None)
    lab.approve()
    lab.approve()
    assert [path for _, path in lab.asked()] == FOUND
    path = ORPHAN if name == "delete" else MISSING
    assert lab.outcomes()[path] == "requested"
    assert "returned None" in lab.reasons()[path]
