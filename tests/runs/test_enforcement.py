"""Runs that act, with the real command on a real database file: what waits in the registry afterwards."""

import json
import sqlite3

POLICY = """\
  policy:
    missing: {mode: Enforce, maxCount: 1000, maxFraction: "1", confirmRuns: 2, confirmSpanSeconds: 0}
    health: {minListedFraction: "0"}
"""


def requested(sandbox):
    with sqlite3.connect(sandbox.store / "inventory.sqlite") as database:
        rows = database.execute(
            'SELECT name FROM file_subscriptions JOIN files ON files.id = file_id WHERE "delete" = 1'
        ).fetchall()
    return sorted(name if isinstance(name, str) else name.decode() for (name,) in rows)


def test_many_missing_files_of_one_dataset_are_all_requested_in_one_run(sandbox):
    """Each request makes the whole dataset look as if it were about to be deleted, which must not stop the next."""
    names = [f"/store/mc/Era/Primary/AOD/v1/0000/file_{number}.root" for number in range(260)]
    lost = names[:250]
    for name in names[250:]:
        sandbox.put(name, 10)
    sandbox.age_directories()
    sandbox.check.write_text(sandbox.check.read_text() + POLICY)
    known = dict.fromkeys(names, 10)
    sandbox.import_inventory(known)
    sandbox.run("inventory", "import", "T1_Elsewhere", "files.tsv")

    first = json.loads(sandbox.run("run", "-f", "check.yaml", "--output", "json"))
    assert first["actions"] == {}, "the first run never acts"
    assert requested(sandbox) == []
    second = json.loads(sandbox.run("run", "-f", "check.yaml", "--output", "json"))
    assert second["actions"]["missing"]["requested"] == len(lost)
    assert requested(sandbox) == sorted(lost)


def test_without_a_copy_elsewhere_nothing_is_touched_and_it_is_said(sandbox):
    names = [f"/store/mc/Era/Primary/AOD/v1/0000/file_{number}.root" for number in range(20)]
    for name in names[1:]:
        sandbox.put(name, 10)
    sandbox.age_directories()
    sandbox.check.write_text(sandbox.check.read_text() + POLICY)
    sandbox.import_inventory(dict.fromkeys(names, 10))

    sandbox.run("run", "-f", "check.yaml")
    told = json.loads(sandbox.run("run", "-f", "check.yaml", "--output", "json"))
    assert told["actions"]["missing"]["requested"] == 0
    assert sum(told["actions"]["missing"]["refused"].values()) == 1
    assert requested(sandbox) == []
    run = sandbox.store / "T2_Test" / told["runId"] / "reports"
    assert names[0] in (run / "nosource.txt").read_text()
