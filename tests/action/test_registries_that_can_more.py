"""What a registry may have beyond its calls: it follows requests, wants to know the run, or takes no directories."""

import pyarrow as pa
import pyarrow.parquet as pq
from laboratory import HOLLOWS, MISMATCH, MISSING, ORPHAN
from simulated import SITE, _bytes

from dynamo_consistency.backend.contract import INVENTORY_COLUMNS
from dynamo_consistency.errors import BackendError
from dynamo_consistency.listers.posix import PosixLister
from dynamo_consistency.listers.protocols import OpenSource
from dynamo_consistency.run.action import action, followup
from dynamo_consistency.run.records.path_history import history_of_path


def followed(run):
    with run.reading(followup.FOLLOWED) as path:
        return {row["path"]: (row["run_id"], row["became"]) for row in pq.read_table(path).to_pylist()}


def following(lab, became):
    """A registry that says of each path what `became` has for it; what it was asked is in the list."""
    heard = []

    def follow(site, asked):
        heard.append([(one.path, one.request, one.run_id) for one in asked])
        return [became.get(one.path, "unknown") for one in asked]

    lab.backend.registry.follow = follow
    return heard


def test_the_next_run_tells_what_became_of_each_request(copied):
    lab = copied()
    lab.approve()
    run = lab.runs()[-1]
    heard = following(lab, {MISSING: "recovered", MISMATCH: "lost", ORPHAN: "removed"})
    summary = lab.run()
    assert {(MISSING, "transfer", run.run_id), (ORPHAN, "delete", run.run_id)} <= set(heard[0])
    assert followed(lab.runs()[-1])[MISSING] == (run.run_id, "recovered")
    *_, asked = history_of_path(lab.store, SITE, MISSING.decode())
    assert (asked["outcome"], asked["became"]) == ("requested", "recovered")
    counts = {name: summary["counts"].get(name) for name in followup.FOLLOWED_COUNTS.values()}
    assert counts == {
        "requestsRecovered": 1,
        "requestsLost": 1,
        "requestsRemoved": 1,
        "requestsUnknown": len(HOLLOWS),
        "requestsQueued": None,
        "requestsKept": None,
    }


def test_a_request_that_is_still_on_its_way_is_followed_until_it_is_settled(copied):
    lab = copied()
    lab.approve()
    first = lab.runs()[-1].run_id
    lab.policy["approval"] = "Required"
    for became in ("queued", "queued", "recovered"):
        following(lab, {MISSING: became})
        lab.run()
        assert followed(lab.runs()[-1])[MISSING] == (first, became)
    heard = following(lab, {})
    lab.run()
    assert MISSING not in {path for asked in heard for path, *_ in asked}


def test_a_registry_that_cannot_be_asked_now_is_asked_by_the_next_run(copied):
    lab = copied()
    lab.approve()

    def down(site, asked):
        raise BackendError("the catalogue is down")

    lab.backend.registry.follow = down
    assert lab.run()["result"] == "Complete"
    following(lab, {MISSING: "recovered"})
    lab.run()
    assert followed(lab.runs()[-1])[MISSING][1] == "recovered"


def test_a_registry_that_wants_to_know_learns_for_which_run_it_is_asked(copied):
    lab, runs = copied(), []

    def for_run(run_id):
        runs.append(run_id)
        return lab.backend.registry

    lab.backend.registry.for_run = for_run
    lab.approve()
    assert runs == [lab.runs()[-1].run_id]
    assert lab.outcomes()[MISSING] == "requested"


def test_a_registry_that_takes_no_directories_is_never_asked_for_one(copied):
    lab = copied()
    lab.backend.registry.takes_directories = lambda site: False
    lab.approve()
    assert not {path for _, path in lab.asked()} & set(HOLLOWS)
    assert {lab.outcomes()[path] for path in HOLLOWS} == {"skipped"}
    assert "policy.emptyDirectories.method: protocol would" in lab.reasons()[HOLLOWS[0]]
    assert lab.outcomes()[ORPHAN] == "requested"


def by_protocol(lab, monkeypatch, remover):
    """The check asks for removal over the protocol, which is `remover`."""
    lab.policy["emptyDirectories"]["method"] = "protocol"
    opened = action.open_lister
    monkeypatch.setattr(action, "open_lister", lambda *told: OpenSource(*opened(*told)[:2], remover))
    lab.policy["approval"] = "Never"
    return lab.run()


def test_empty_directories_go_over_the_protocol_where_the_check_says_so_children_first(copied, monkeypatch):
    lab, removed = copied(), []
    summary = by_protocol(lab, monkeypatch, removed.append)
    assert removed == HOLLOWS
    assert not {path for _, path in lab.asked()} & set(HOLLOWS)
    assert summary["actions"]["emptyDirectories"]["requested"] == len(HOLLOWS)
    assert lab.reasons()[HOLLOWS[0]] == "removed"


def test_a_directory_that_the_storage_keeps_keeps_those_above_it(copied, monkeypatch):
    lab = copied()
    by_protocol(lab, monkeypatch, lambda path: "Directory not empty" if path == HOLLOWS[0] else None)
    assert [lab.outcomes()[path] for path in HOLLOWS] == ["refused", "skipped", "skipped"]
    assert lab.reasons()[HOLLOWS[0]] == "Directory not empty"


def test_a_protocol_that_removes_nothing_is_said(copied, monkeypatch):
    lab = copied()
    by_protocol(lab, monkeypatch, None)
    assert lab.reasons()[HOLLOWS[0]] == "the protocol that lists the site removes no directories"


def test_a_directory_of_a_file_system_goes_only_when_it_is_empty_and_no_link(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "full/inside").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "full")
    lister = PosixLister(str(tmp_path))
    assert lister.remove_directory(b"/empty") is None
    assert lister.remove_directory(b"/full") == "Directory not empty"
    assert lister.remove_directory(b"/link") == "Not a directory"
    assert lister.remove_directory(b"/empty") == "No such file or directory"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full", "link"]


def with_unplaced(lab, number):
    """The inventory has files of which it does not know where they are."""
    stream = lab.backend.inventory.stream

    def streamed(site):
        yield from stream(site)
        nothing = {field.name: pa.nulls(number, field.type) for field in INVENTORY_COLUMNS}
        nothing["in_flight"] = pa.array([True] * number)
        yield pa.RecordBatch.from_pydict(nothing, schema=INVENTORY_COLUMNS)

    lab.backend.inventory.stream = streamed


def test_while_the_inventory_does_not_know_where_its_files_are_orphans_stay(copied):
    lab = copied()
    lab.policy["approval"] = "Never"
    with_unplaced(lab, 2)
    summary = lab.run()
    assert summary["counts"]["unplacedFiles"] == 2
    assert set(summary["actions"]) == {"missing", "mismatches"}
    assert {what for what, _ in lab.asked()} == {"transfer"}
    (inventory,) = [gate for gate in summary["gates"] if gate["name"] == "Inventory"]
    assert inventory["state"] == "Ready"
    assert "of 2 files more it does not know the paths" in inventory["message"]


def test_with_only_deletions_enforced_nothing_is_done_and_it_is_said_why(copied):
    lab = copied()
    lab.policy = {**lab.policy, "approval": "Never"}
    for kind in ("missing", "mismatches"):
        lab.policy[kind] = {**lab.policy[kind], "mode": "Report"}
    with_unplaced(lab, 1)
    summary = lab.run()
    assert lab.asked() == []
    assert "it does not know the paths" in next(g["message"] for g in summary["gates"] if g["name"] == "Mode")


def test_a_path_in_bytes_that_are_no_text_is_followed_as_it_is(copied):
    lab = copied()
    odd = ORPHAN + b"\xff"
    lab.world.store(odd, 3)
    lab.policy["approval"] = "Never"
    lab.run()
    lab.run()
    heard = following(lab, {odd: "removed"})
    lab.run()
    assert odd in {path for asked in heard for path, *_ in asked}
    assert _bytes(odd.decode("utf-8", "surrogateescape")) == odd


def test_a_registry_that_tells_files_from_directories_is_asked_so(copied):
    lab, directories = copied(), []

    def take(site, paths):
        directories.extend(paths)
        return lab.backend.registry.request_deletion(site, paths)

    lab.backend.registry.request_deletion_of_directories = take
    lab.approve()
    assert directories == HOLLOWS
    assert lab.outcomes()[HOLLOWS[0]] == "requested"
