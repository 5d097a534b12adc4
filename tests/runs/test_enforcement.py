"""Runs that act, with the real command on a real database file: what waits in the registry afterwards."""

import json
import os
import sqlite3

import yaml
from enforcing import POLICY, requested


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


ORPHANS = """\
  policy:
    orphans: {{mode: {mode}, maxCount: 1000, maxFraction: "1", confirmRuns: 2, confirmSpanSeconds: 0}}
    approval: Required
"""
ORPHAN = "/store/mc/Era/Other/AOD/v1/0000/orphan.root"


def deletions(sandbox):
    with sqlite3.connect(sandbox.store / "inventory.sqlite") as database:
        return [url for (url,) in database.execute("SELECT url FROM unmanaged_deletions")]


def with_an_orphan(sandbox):
    """Two runs have found an orphan, and the last waits for approval. Its id, and what writes the check."""
    plain = sandbox.check.read_text()

    def enforcing(mode):
        sandbox.check.write_text(plain + ORPHANS.format(mode=mode))

    names = [f"/store/mc/Era/Primary/AOD/v1/0000/file_{number}.root" for number in range(100)]
    for name in [*names, ORPHAN]:
        sandbox.put(name, 10)
    sandbox.age_directories()
    enforcing("Enforce")
    sandbox.import_inventory(dict.fromkeys(names, 10))
    with sqlite3.connect(sandbox.store / "inventory.sqlite") as database:
        database.execute(
            "INSERT INTO filename_mappings (site_id, protocol, chain_id, `index`, lfn_pattern, pfn_pattern) "
            "SELECT id, 'gfal2', 0, 0, '(/.*)', 'gsiftp://door{0}' FROM sites WHERE name = 'T2_Test'"
        )
        database.execute("UPDATE sites SET storage_type = 'disk', status = 'ready'")
    runs = [json.loads(sandbox.run("run", "-f", "check.yaml", "--output", "json")) for _ in range(2)]
    assert deletions(sandbox) == []
    return runs[-1]["runId"], enforcing


def test_an_approved_run_that_cannot_act_exits_1_and_says_why(sandbox):
    run, enforcing = with_an_orphan(sandbox)
    enforcing("Report")
    told = json.loads(sandbox.run("run", "-f", "check.yaml", "--approve", run, "--output", "json", exit_code=1))
    assert told["runId"] == run
    assert "was approved and cannot act: Mode: no kind of finding is enforced" in sandbox.complaint
    assert "the check has been tightened since (policy.orphans.mode)" in sandbox.complaint
    assert deletions(sandbox) == []


def test_a_check_that_is_tightened_while_a_run_waits_counts_for_a_stage_as_well(sandbox):
    run, enforcing = with_an_orphan(sandbox)
    directory = str(sandbox.store / "T2_Test" / run)
    action = ("stage", "action", "--run-dir", directory, "--approve", run)
    enforcing("Report")
    sandbox.run(*action, "-f", "check.yaml", store=False)
    data = yaml.safe_load(sandbox.check.read_text())
    sandbox.run(*action, store=False, env=os.environ | {"DYNAMO_CONSISTENCY_CHECK": json.dumps(data)})
    assert deletions(sandbox) == []
    enforcing("Enforce")
    sandbox.run(*action, "-f", "check.yaml", store=False)
    assert deletions(sandbox) == [f"gsiftp://door{ORPHAN}"]


def test_an_action_that_is_given_the_check_of_another_site_is_a_mistake(sandbox):
    run, _ = with_an_orphan(sandbox)
    sandbox.check.write_text(sandbox.check.read_text().replace("site: T2_Test", "site: T2_Other"))
    directory = str(sandbox.store / "T2_Test" / run)
    sandbox.run(
        "stage", "action", "--run-dir", directory, "--approve", run, "-f", "check.yaml", store=False, exit_code=2
    )
    assert "is a run of T2_Test, but check.yaml checks T2_Other" in sandbox.complaint
    assert deletions(sandbox) == []
