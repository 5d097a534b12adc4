"""The page of a run as data, on real runs of the command and on made ones."""

import json

import pytest
from made_runs import Made, action, ago, write_actions, write_findings, write_followed

from dynamo_consistency.web.view import NotThereError


def files(*names: str, **values) -> list[dict]:
    return [{"path": f"/store/{name}".encode(), **values} for name in names]


def funnel(page, kind):
    return next(one for one in page.funnels if one.kind == kind)


def test_the_funnel_goes_from_found_to_what_a_later_run_saw_recovered(store, view):
    paths = [b"/store/a", b"/store/b", b"/store/c"]
    asked = ago(2)
    actions = {"missing": action("transfer", 3, requested=2, unanswered=1)}
    first = Made(start=asked, counts={"missing": 4}, actions=actions, policy={"missing": {"mode": "Enforce"}})
    write_actions(
        first.write(store),
        [
            {"path": path, "kind": "missing", "request": "transfer", "outcome": "requested", "asked_at": asked}
            for path in paths
        ],
    )
    later = Made(start=ago(1), counts={"missing": 2}).write(store)
    became = {b"/store/a": "recovered", b"/store/b": "queued", b"/store/c": "recovered"}
    write_followed(
        later, [{"path": p, "request": "transfer", "run_id": first.run_id, "became": b} for p, b in became.items()]
    )
    shown = funnel(view.run("T2_X", first.run_id), "missing")
    steps = ("found", "confirmed", "within_limits", "approved", "requested", "answered", "recovered")
    assert [getattr(shown, step) for step in steps] == [4, 3, 3, 3, 3, 2, 2]
    assert (shown.mode, shown.request) == ("Enforce", "transfer")


def test_a_closed_gate_lets_nothing_through(store, view):
    closed = {"Limits": ("Rejected", "too many"), "Approval": ("Pending", "approve it")}
    made = Made(counts={"missing": 9}, closed=closed)
    folder = made.write(store)
    summary = json.loads((folder / "summary.json").read_text())
    summary["gates"][3]["observed"] = "mismatches 0 of 0, missing 8 of 9"
    (folder / "summary.json").write_text(json.dumps(summary))
    shown = funnel(view.run("T2_X", made.run_id), "missing")
    assert (shown.found, shown.confirmed, shown.within_limits, shown.approved, shown.requested) == (9, 8, 0, 0, None)


@pytest.mark.parametrize("gate", ["Inventory", "ListingHealth", "Mode", "Acting"])
def test_nothing_is_approved_where_any_other_gate_is_closed(store, view, gate):
    made = Made(counts={"missing": 4}, actions={"missing": action("transfer", 3)}, closed={gate: ("Rejected", "no")})
    made.write(store)
    shown = funnel(view.run("T2_X", made.run_id), "missing")
    assert (shown.confirmed, shown.within_limits, shown.approved) == (3, 3, 0)


def test_what_is_new_gone_and_standing_is_counted_from_the_complete_run_before(store, view):
    write_findings(Made(start=ago(3)).write(store), "missing", files("a", "b", "c"))
    Made(start=ago(2), result="Invalid", reason="x").write(store)
    last = Made(start=ago(1))
    write_findings(last.write(store), "missing", files("b", "c", "d", "e"))
    page = view.run("T2_X", last.run_id)
    assert page.compared_with.start_time.date() == ago(3).date()
    assert page.before.result == "Invalid"
    [change] = page.changes
    assert (change.kind, change.new, change.gone, change.standing) == ("missing", 2, 1, 2)


def test_the_tree_adds_up_what_is_listed_missing_an_orphan_or_a_hole(store, view):
    made = Made()
    folder = made.write(store)
    write_findings(folder, "missing", files("mc/a/f", "mc/a/g", size=10))
    write_findings(folder, "orphans", files("data/b/c/d/e/f", site_size=5))
    (folder / "reports").mkdir()
    shares = [
        {"path": ["/store"], "numberoffiles": 9, "usedsize": 900},
        {"path": ["/store/mc"], "numberoffiles": 8, "usedsize": 895},
    ]
    (folder / "reports/storage.json").write_text(json.dumps({"storageservice": {"storageshares": shares}}))
    (folder / "reports/unlisted.txt").write_bytes(b"/store/mc/a/x\\ny\tno answer\n/elsewhere\tno\n")
    [root] = view.run("T2_X", made.run_id).roots
    assert (root.files, root.bytes, root.missing, root.orphans, root.holes) == (9, 900, 2, 1, 1)
    mc, data = root.children
    assert (mc.path.text, mc.files, mc.missing_bytes, mc.holes) == ("/store/mc", 8, 20, 1)
    assert (data.path.text, data.files, data.orphan_bytes) == ("/store/data", None, 5)
    deep = data.children[0].children[0].children[0]
    assert (deep.path.text, deep.orphans, deep.children) == ("/store/data/b/c/d", 1, [])


def test_directories_beyond_the_twelfth_are_told_together(store, view):
    made = Made()
    write_findings(made.write(store), "orphans", files(*(f"d{n:02}/f" for n in range(20)), site_size=1))
    [root] = view.run("T2_X", made.run_id).roots
    assert [child.is_rest for child in root.children] == [False] * 12 + [True]
    assert root.children[-1].orphans == 8


def test_datasets_tell_what_has_no_source(store, view):
    made = Made()
    folder = made.write(store)
    rows = [*files("a", "b\\c", dataset="/A/B/C", size=3), *files("d", size=1)]
    write_findings(folder, "missing", rows)
    (folder / "reports").mkdir()
    (folder / "reports/nosource.txt").write_bytes(b"/store/a\n/store/b\\\\c\n")
    (folder / "reports/unrecoverable.txt").write_text("# not known: the backend cannot say\n")
    page = view.run("T2_X", made.run_id)
    found = [(row.dataset, row.files, row.bytes, row.no_source, row.unrecoverable) for row in page.datasets]
    assert found == [("/A/B/C", 2, 6, 2, None), (None, 1, 1, 0, None)]
    assert page.datasets_total == 2


def test_ages_of_orphans_are_counted_from_the_listing(store, view):
    made = Made()
    at = int(made.start.timestamp())
    rows = [
        {"path": f"/store/{n}".encode(), "site_size": 1, "mtime": mtime}
        for n, mtime in enumerate([at - 3600, at - 10 * 86400, at - 2000 * 86400, None])
    ]
    write_findings(made.write(store), "orphans", rows)
    ages = [(band.title, band.files) for band in view.run("T2_X", made.run_id).ages if band.files]
    assert ages == [("less than a week", 1), ("1 to 4 weeks", 1), ("more than 3 years", 1), ("unknown", 1)]


@pytest.mark.parametrize(
    ("namespace", "command"),
    [
        (None, "dynamo-consistency run -f CHECK.yaml --store {store} --approve {run_id}"),
        (
            "grid",
            "kubectl annotate sitecheck -n grid t2-x --overwrite --field-manager=$USER "
            "consistency.dynamo.io/approve={run_id}",
        ),
    ],
)
def test_how_to_approve_is_a_command_to_copy(store, view, namespace, command):
    made = Made(closed={"Approval": ("Pending", "approve it")}, namespace=namespace)
    made.write(store)
    approval = view.run("T2_X", made.run_id).approval
    number = made.run_id.partition("-")[0] if namespace else made.run_id
    assert command.format(store=store, run_id=number) in approval.values()


def test_a_run_that_a_later_one_has_replaced_is_not_to_be_approved(store, view):
    made = Made(start=ago(2), closed={"Approval": ("Pending", "approve it")})
    made.write(store)
    later = Made(start=ago(1))
    later.write(store)
    page = view.run("T2_X", made.run_id)
    assert (page.approval, page.is_in_force) == ({}, False)
    assert page.next_step == f"Look at run {later.run_id}: its findings are in force instead of these."
    assert view.run("T2_X", later.run_id).is_in_force


def test_a_run_without_an_end_is_not_explained_by_another_one(store, view):
    Made(start=ago(0.4), result="Invalid", reason="no door answers").write(store)
    dead, last = Made(start=ago(0.3), result=None), Made(start=ago(0.1), result=None)
    dead.write(store)
    last.write(store)
    step = f"See why run {dead.run_id} has not come to its end, then run the check again."
    assert view.run("T2_X", dead.run_id).next_step == step
    assert view.run("T2_X", last.run_id).next_step == "Nothing to do: this run is under way."


def test_a_run_without_findings_has_its_reason_and_nothing_else(store, view):
    made = Made(result="Invalid", reason="the snapshot failed: no connection")
    made.write(store)
    page = view.run("T2_X", made.run_id)
    assert page.run.reason == "the snapshot failed: no connection"
    assert (page.funnels, page.downloads, page.changes, page.datasets, page.ages) == ([], [], [], [], [])


def test_a_run_that_is_not_there_is_told(store, view):
    made = Made()
    made.write(store)
    for site, run_id in (("T2_X", "nix"), ("T2_X", ".."), ("T2_Y", made.run_id), ("T2_X", made.run_id[:-1])):
        with pytest.raises(NotThereError):
            view.run(site, run_id)


def test_the_page_is_made_once_for_each_state_of_the_site(store, view):
    made = Made()
    made.write(store)
    assert view.run("T2_X", made.run_id) is view.run("T2_X", made.run_id)
