"""Several checks of one site with one store: each confirms, acts, is approved and is pruned by its own runs."""

import json
import os

import pytest
from enforcing import POLICY, requested

LOST = "/store/mc/Era/Primary/AOD/v1/0000/file_0.root"


@pytest.fixture
def site(sandbox):
    """A site with a missing file that another site has, and two checks of it: t2-test enforces, other only reports."""
    names = [f"/store/mc/Era/Primary/AOD/v1/0000/file_{number}.root" for number in range(20)]
    for name in names[1:]:
        sandbox.put(name, 10)
    sandbox.age_directories()
    sandbox.import_inventory(dict.fromkeys(names, 10))
    sandbox.run("inventory", "import", "T1_Elsewhere", "files.tsv")
    text = sandbox.check.read_text()
    other = text.replace("t2-test", "other").replace("/store/data", "/store/data/x")
    (sandbox.folder / "other.yaml").write_text(other)
    sandbox.check.write_text(text + POLICY)
    return sandbox


def summary(sandbox, check="check.yaml", *arguments, **options):
    return json.loads(sandbox.run("run", "-f", check, "--output", "json", *arguments, **options))


def test_runs_of_another_check_neither_confirm_nor_reset(site):
    first = summary(site)
    assert first["runId"].endswith("-t2-test")
    assert summary(site, "other.yaml")["runId"].endswith("-other")
    assert requested(site) == []
    assert summary(site)["actions"]["missing"]["requested"] == 1
    assert requested(site) == [LOST]


def test_a_stage_that_is_given_another_check_changes_nothing(site):
    run_dir = str(site.store / "T2_Test" / "29422260")
    site.run("stage", "snapshot", "--run-dir", run_dir, "-f", "check.yaml", store=False)
    check = {"metadata": {"name": "t2-test", "namespace": "elsewhere"}}
    for stage in ("snapshot", "listing", "comparison", "action"):
        environment = {**os.environ, "DYNAMO_CONSISTENCY_CHECK": other_check(site, **check)}
        site.run("stage", stage, "--run-dir", run_dir, store=False, exit_code=2, env=environment)
        assert "is a run of the check t2-test and not of elsewhere/t2-test" in site.complaint
    assert sorted(path.name for path in (site.store / "T2_Test" / "29422260").iterdir()) == [
        "check.yaml",
        "claim.json",
        "inventory",
    ]


def other_check(site, **changes):
    import yaml

    return json.dumps(yaml.safe_load(site.check.read_text()) | changes)


def test_an_approval_names_the_check_and_the_run(site):
    site.check.write_text(site.check.read_text() + "    approval: Required\n")
    summary(site)
    waiting = summary(site)
    assert requested(site) == []
    site.run("run", "-f", "other.yaml", "--approve", waiting["runId"], exit_code=2)
    assert "is a run of the check t2-test and not of other" in site.complaint
    beginning = waiting["runId"][:-1]  # the run before may have begun in the same second
    assert requested(site) == []
    assert summary(site, "check.yaml", "--approve", beginning)["actions"]["missing"]["requested"] == 1


def test_a_beginning_that_several_runs_have_is_refused(site):
    ids = [summary(site)["runId"], summary(site, "other.yaml")["runId"]]
    site.run("findings", "T2_Test", "--kind", "missing", "--run", "20", exit_code=2)
    assert all(run_id in site.complaint for run_id in ids)
    assert site.run("findings", "T2_Test", "--kind", "missing", "--run", ids[0]) == f"{LOST}\n"


def test_pruning_by_one_check_leaves_the_runs_of_another(site):
    old = [summary(site, "other.yaml")["runId"] for _ in range(3)]
    for run_id in old:
        make_old(site, run_id, days=400)
    site.check.write_text(site.check.read_text() + "  retention: {days: 1, findingsDays: 1, runs: 1}\n")
    summary(site)
    assert {run["runId"] for run in json.loads(site.run("history", "T2_Test", "--output", "json"))} >= set(old)


def make_old(site, run_id, days):
    file = site.store / "T2_Test" / run_id / "inventory" / "before.json"
    taken = json.loads(file.read_text())
    file.write_text(json.dumps(taken | {"takenAt": taken["takenAt"] - days * 86400}))


def test_checks_that_overlap_are_told_of_by_validate(site):
    site.run("validate", "-f", "check.yaml", "-f", "other.yaml", store=False)
    assert "t2-test and other both check /store/data/x, /store/mc of T2_Test" in site.complaint
    both = site.folder / "both.yaml"
    both.write_text("---\n".join((site.folder / name).read_text() for name in ("check.yaml", "other.yaml")))
    site.run("validate", "-f", "both.yaml", store=False)
    assert "t2-test and other both check" in site.complaint
    site.run("validate", "-f", "check.yaml", store=False)
    assert site.complaint == ""


def waiting_run(site):
    text = site.check.read_text().replace("  policy:\n", "  policy:\n    approval: Required\n")
    site.check.write_text(text)
    return [summary(site)["runId"] for _ in range(2)][-1]


def test_a_run_that_was_moved_to_another_site_is_not_acted_on(site):
    """Its findings would be looked up at the one, where nobody knows them, and asked for at the other."""
    run_id = waiting_run(site)
    (site.store / "T2_Test").rename(site.store / "T1_Elsewhere")
    moved = str(site.store / "T1_Elsewhere" / run_id)
    site.run("stage", "action", "--run-dir", moved, "--approve", run_id, store=False, exit_code=2)
    assert "holds a run of T2_Test and not of T1_Elsewhere: was it moved?" in site.complaint
    assert requested(site) == []


@pytest.mark.parametrize("where", [".", "../{}", "{}"])
def test_a_run_directory_is_the_same_one_however_its_path_is_written(site, where, monkeypatch):
    """Its lock and the runs before it lie in the folder of its site."""
    run_id = waiting_run(site)
    site.folder = site.store / "T2_Test" / ("" if where == "{}" else run_id)
    arguments = ["--run-dir", where.format(run_id), "--approve", run_id, "--output", "json"]
    done = json.loads(site.run("stage", "action", *arguments, store=False))
    assert (done["site"], done["runId"]) == ("T2_Test", run_id)
    assert done["actions"]["missing"]["requested"] == 1
