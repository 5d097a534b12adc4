"""How commands are given what they need: stores, paths, check files, runs by a part of their id; and --output."""

import csv
import io
import json
import os
import subprocess

import pytest
from enforcing import POLICY

from dynamo_consistency.checkfile import read_check
from dynamo_consistency.cli.shared import open_backend
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.run.pipeline import run_check
from dynamo_consistency.run.store.run_directory import RunStore


def test_the_store_may_be_named_by_the_environment_and_by_a_tilde(drifted):
    of_home = os.environ | {"HOME": str(drifted.folder), "DYNAMO_CONSISTENCY_STORE": "~/store"}
    drifted.run("run", "-f", "~/check.yaml", env=of_home, store=False)
    assert len(list((drifted.store / "T2_Test").iterdir())) == 1
    found = drifted.run("findings", "T2_Test", "--kind", "orphans", "--store=~/store", env=of_home, store=False)
    assert len(found.splitlines()) == 2


def test_a_check_may_come_from_stdin(drifted):
    def given(text, *arguments):
        command = [drifted.command, *arguments]
        return subprocess.run(command, cwd=drifted.folder, input=text, capture_output=True, text=True, check=False)

    check = drifted.check.read_text()
    assert given(check, "validate", "-f", "-").stdout == "stdin: valid: t2-test\n"
    ran = given(check, "run", "-f", "-", "--store", "store", "--output", "json")
    assert json.loads(ran.stdout)["result"] == "Complete"
    wrong = given("kind: x\n", "validate", "-f", "-")
    assert (wrong.returncode, wrong.stderr[:8]) == (2, "stdin:1:")


def test_every_command_that_prints_data_prints_the_same_as_text_json_and_csv(drifted):
    def table(*arguments, **how):
        return list(csv.DictReader(io.StringIO(drifted.run(*arguments, "--output", "csv", **how))))

    [of_run] = table("run", "-f", "check.yaml")
    assert (of_run["missing"], of_run["emptyDirectories"], of_run["closedGates"]) == (
        "3",
        "1",
        "Limits Confirmation Mode",
    )
    [of_history] = table("history", "T2_Test")
    assert of_history == of_run
    [as_json] = json.loads(drifted.run("history", "T2_Test", "--output", "json"))
    assert as_json["closedGates"] == ["Limits", "Confirmation", "Mode"]
    lost = drifted.run("findings", "T2_Test", "--kind", "missing").splitlines()[0]
    [of_file] = table("history", "T2_Test", lost)
    assert list(of_file) == list(json.loads(drifted.run("history", "T2_Test", lost, "--output", "json"))[0])
    assert table("site", "list") == [{"site": "T2_Test", "ready": "true"}]
    assert json.loads(drifted.run("site", "list", "--output", "json")) == [{"site": "T2_Test", "ready": True}]
    valid = {"file": "check.yaml", "checks": "t2-test", "problem": ""}
    assert table("validate", "-f", "check.yaml", store=False) == [valid]
    assert table("history", "prune", "T2_Test") == []
    [facts] = table("stage", "snapshot", "--run-dir", str(drifted.store / "T2_Test/x"), "-f", "check.yaml", store=False)
    assert facts["rows"] == "200"


def test_version_and_help_have_short_names(sandbox):
    assert sandbox.run("-V", store=False) == sandbox.run("--version", store=False)
    assert sandbox.run("-h", store=False) == sandbox.run("--help", store=False)


def test_the_beginning_of_an_id_will_do_to_approve_and_a_run_that_proves_nothing_cannot_be(drifted):
    (drifted.folder / "site/store").rename(drifted.folder / "site/elsewhere")
    drifted.run("run", "-f", "check.yaml", exit_code=1)
    (run,) = (drifted.store / "T2_Test").iterdir()
    drifted.run("run", "-f", "check.yaml", "--approve", run.name[:8], exit_code=1)
    assert drifted.complaint == f"run {run.name} of T2_Test is Invalid and has no findings\n"


def test_an_approved_run_without_a_confirmed_finding_says_so(sandbox):
    sandbox.put("/store/mc/f", 10)
    sandbox.age_directories()
    sandbox.check.write_text(sandbox.check.read_text() + POLICY)
    sandbox.import_inventory({"/store/mc/f": 10})
    for _ in range(2):
        run = json.loads(sandbox.run("run", "-f", "check.yaml", "--output", "json"))
    assert {gate["state"] for gate in run["gates"]} == {"Ready"}
    sandbox.run("run", "-f", "check.yaml", "--approve", run["runId"], exit_code=1)
    assert "cannot act: no finding of a kind that is enforced is confirmed" in sandbox.complaint


@pytest.mark.parametrize(("place", "why"), [("check.yaml/inventory", "Not a directory"), ("check.yaml", "File exists")])
def test_a_place_where_no_inventory_can_be_made_is_told_in_a_sentence(sandbox, place, why):
    nowhere = sandbox.folder / place
    sandbox.run("inventory", "init", "--store", str(nowhere), store=False, exit_code=1)
    assert sandbox.complaint.startswith(f"cannot write to {nowhere}: {why}")


def test_a_site_without_runs_is_answered_with_those_that_have_some(drifted):
    drifted.run("run", "-f", "check.yaml")
    for command in (["history"], ["history", "prune"], ["report"], ["findings", "--kind", "missing"]):
        drifted.run(*command, "T2_Tset", exit_code=2)
        assert drifted.complaint == f"there is no run of T2_Tset in {drifted.store}; did you mean T2_Test?\n"
    drifted.run("history", "Elsewhere", exit_code=2)
    assert drifted.complaint.endswith("; there are runs of T2_Test\n")


def test_only_init_makes_an_inventory(sandbox):
    (sandbox.folder / "list.tsv").write_text("/store/a\t1\n")
    sandbox.run("inventory", "import", "T2_Test", "list.tsv", exit_code=1)
    assert "; `dynamo-consistency inventory init` makes one, and --backends names another" in sandbox.complaint
    assert not sandbox.store.exists()


@pytest.mark.parametrize(("file", "why"), [("nowhere.tsv", "No such file or directory"), ("site", "Is a directory")])
def test_a_list_to_import_that_is_no_file_is_wrong_usage(sandbox, file, why):
    sandbox.run("inventory", "init")
    sandbox.run("inventory", "import", "T2_Test", file, exit_code=2)
    assert sandbox.complaint == f"{file}: cannot be read: {why}\n"


def test_an_inventory_is_exported_to_stdout_with_nothing_else_there(sandbox):
    sandbox.import_inventory({"/store/a": 1})
    written = sandbox.run("inventory", "export", "T2_Test", "-")
    assert [line.split("\t")[0] for line in written.splitlines()] == ["# name", "/store/a"]
    assert sandbox.complaint == "1 file exported for T2_Test\n"
    assert not (sandbox.folder / "-").exists()


def test_a_run_that_wrong_configuration_has_ended_says_so_in_the_history(drifted, monkeypatch):
    def library_lacking(*_):
        raise ConfigurationError("the dump needs a library")

    monkeypatch.setattr("dynamo_consistency.run.pipeline.list_site", library_lacking)
    check, store = read_check(drifted.check), RunStore(str(drifted.store))
    with pytest.raises(ConfigurationError):
        run_check(check, open_backend("default", None, store), store)
    [run] = json.loads(drifted.run("history", "T2_Test", "--output", "json"))
    assert (run["result"], run["reason"]) == ("Invalid", "the dump needs a library")


def test_a_run_without_an_end_is_reported_as_unfinished(drifted):
    run = drifted.store / "T2_Test/1"
    drifted.run("stage", "snapshot", "--run-dir", str(run), "-f", "check.yaml", store=False)
    told = drifted.run("report", "T2_Test", "--run", "1")
    assert told.splitlines() == [
        "T2_Test: the run is unfinished",
        "It counts for nothing; the findings of the run before stay in force.",
        f"run 1, files in {run}",
    ]


def test_a_run_directory_has_a_store_and_a_site_above_it(drifted):
    drifted.run("stage", "snapshot", "--run-dir", "/here", "-f", "check.yaml", store=False, exit_code=2)
    assert drifted.complaint.startswith("--run-dir wants STORE/SITE/RUN")


def test_a_memory_limit_that_is_none_shows_before_anything_is_started(drifted):
    env = os.environ | {"DYNAMO_CONSISTENCY_MEMORY_LIMIT": "2 gigs"}
    drifted.run("run", "-f", "check.yaml", env=env, exit_code=2)
    assert "write a size such as 1536Mi or 2Gi" in drifted.complaint
    assert not (drifted.store / "T2_Test").exists()


def test_the_history_of_a_path_that_is_no_lfn_is_wrong_usage(drifted):
    drifted.run("run", "-f", "check.yaml")
    drifted.run("history", "T2_Test", "store/mc/f", exit_code=2)
    assert drifted.complaint == "an LFN begins with /, such as /store/mc/file; it is 'store/mc/f'\n"
