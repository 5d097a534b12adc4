"""A whole run with the command that people use, on a real folder and a real database file."""

import json

import pytest

FOUND = {"missing": 3, "orphans": 2, "mismatches": 1, "emptyDirectories": 1}


def test_one_command_finds_what_has_drifted(drifted):
    summary = json.loads(drifted.run("run", "-f", "check.yaml", "--output", "json"))
    assert summary["result"] == "Complete"
    assert {kind: summary["counts"][kind] for kind in FOUND} == FOUND
    assert summary["counts"]["listedFiles"] == 199
    assert summary["counts"]["inventoryFiles"] == 200
    assert {"site", "runId", "reason", "gates", "actions", "holes", "artifacts"} <= summary.keys()
    assert {"listedDirectories", "holes", "listedBytes", "missingBytes", "orphanBytes"} <= summary["counts"].keys()


def test_the_summary_for_people_says_the_numbers_and_where_the_files_are(drifted):
    told = drifted.run("run", "-f", "check.yaml")
    assert "199 files listed" in told
    assert "3" in next(line for line in told.splitlines() if line.startswith("missing"))
    assert str(drifted.store) in told


def test_findings_can_be_printed_as_text_json_and_csv(drifted, name):
    drifted.run("run", "-f", "check.yaml")
    missing = sorted(name(number) for number in (3, 50, 77))
    assert drifted.run("findings", "T2_Test", "--kind", "missing").splitlines() == missing
    rows = json.loads(drifted.run("findings", "T2_Test", "--kind", "missing", "--output", "json"))
    assert [row["path"] for row in rows] == missing
    header, first, *_ = drifted.run("findings", "T2_Test", "--kind", "mismatches", "--output", "csv").splitlines()
    assert header == "path,size,site_size,mtime,dataset,block,group,root,mark" == ",".join(rows[0])
    assert first.startswith(f"{name(10)},110,5,")
    for old_words in ("empty_directory", "emptyDirectories"):
        found = json.loads(drifted.run("findings", "T2_Test", "--kind", old_words, "--format", "json"))
        assert [row["path"] for row in found] == ["/store/data/Old/Gone/RECO/v2"]


def test_the_stages_one_by_one_find_the_same_as_the_whole_run(drifted):
    folder = str(drifted.store / "T2_Test" / "by-hand")
    drifted.run("stage", "snapshot", "--run-dir", folder, "-f", "check.yaml", store=False)
    for shard in ("0", "1", "2"):
        drifted.run("stage", "listing", "--run-dir", folder, "--shard", shard, store=False)
    summary = json.loads(drifted.run("stage", "comparison", "--run-dir", folder, "--output", "json", store=False))
    assert {kind: summary["counts"][kind] for kind in FOUND} == FOUND


def test_an_invalid_run_exits_1_says_why_and_leaves_the_findings_before_in_force(drifted, name):
    drifted.run("run", "-f", "check.yaml")
    (drifted.folder / "site/store").rename(drifted.folder / "site/elsewhere")
    told = drifted.run("run", "-f", "check.yaml", exit_code=1)
    assert "invalid" in told
    assert "could not be listed at all" in told
    assert drifted.run("findings", "T2_Test", "--kind", "missing").splitlines() == sorted(
        name(number) for number in (3, 50, 77)
    )


def test_an_empty_inventory_is_an_invalid_run(drifted):
    (drifted.folder / "files.tsv").write_text("")
    drifted.run("inventory", "import", "--force", "T2_Test", "files.tsv")
    told = drifted.run("run", "-f", "check.yaml", exit_code=1)
    assert "inventory has no file at T2_Test" in told


def test_a_site_whose_files_are_all_gone_is_an_invalid_run_and_not_200_missing_files(drifted):
    import shutil

    shutil.rmtree(drifted.folder / "site/store")
    (drifted.folder / "site/store/mc").mkdir(parents=True)
    (drifted.folder / "site/store/data").mkdir()
    told = drifted.run("run", "-f", "check.yaml", exit_code=1)
    assert "no file was listed although the inventory expects 200" in told


def test_the_history_lists_runs_and_what_became_of_one_file(drifted, name):
    drifted.run("run", "-f", "check.yaml")
    drifted.run("run", "-f", "check.yaml")
    runs = json.loads(drifted.run("history", "T2_Test", "--output", "json"))
    assert [run["result"] for run in runs] == ["Complete", "Complete"]
    rows = json.loads(drifted.run("history", "T2_Test", name(3), "--output", "json"))
    assert [(row["runId"], row["kind"]) for row in rows] == [(run["runId"], "missing") for run in runs]
    assert json.loads(drifted.run("history", "T2_Test", name(4), "--output", "json")) == []


def test_an_inventory_can_be_exported_and_imported_again(drifted):
    drifted.run("inventory", "export", "T2_Test", "out.tsv.gz")
    drifted.run("inventory", "import", "T2_Other", "out.tsv.gz")
    assert "T2_Other\tready" in drifted.run("site", "list").splitlines()


@pytest.mark.parametrize("shard", ["3", "99"])
def test_a_shard_that_is_not_there_is_wrong_usage(drifted, shard):
    folder = str(drifted.store / "T2_Test" / "by-hand")
    drifted.run("stage", "snapshot", "--run-dir", folder, "-f", "check.yaml", store=False)
    drifted.run("stage", "listing", "--run-dir", folder, "--shard", shard, store=False, exit_code=2)
    assert f"no shard {shard}" in drifted.complaint
