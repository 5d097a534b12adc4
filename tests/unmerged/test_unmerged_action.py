"""Scratch areas in whole runs: a real folder, a real inventory, and Dynamo's daemons carrying out what is asked."""

import time

import pytest
from scratch_site import ENFORCED, KNOWN, OLD, SITE, ScratchSite, U

AGED = {f"{U}/a/f", f"{U}/a/g", f"{U}/logs/l.tar.gz", f"{U}/empty/deep", f"{U}/empty"}
STAYING = {f"{U}/kept/f", f"{U}/data/f", f"{U}/a/new"}


@pytest.fixture
def scratch(tmp_path):
    """Old files, logs and empty directories; beside them what is protected, excluded or young."""
    site = ScratchSite(tmp_path)
    site.put(f"{U}/a/f", f"{U}/a/g", f"{U}/logs/l.tar.gz", f"{U}/kept/f", f"{U}/data/f")
    site.put(f"{U}/a/new", mtime=int(time.time()))
    site.make(f"{U}/empty/deep")
    site.age()
    return site


@pytest.fixture
def confirmed(scratch):
    """A second run has confirmed everything, and waits for its approval."""
    scratch.policy = {"approval": "Required"}
    scratch.run()
    scratch.run()
    assert set(scratch.findings()) == AGED
    assert scratch.waiting() == set()
    return scratch


def gate(summary, name):
    return next(gate for gate in summary["gates"] if gate["name"] == name)


def test_the_first_run_reports_the_second_requests_and_dynamo_removes_just_that(scratch):
    first = scratch.run()
    assert set(scratch.findings()) == AGED
    with scratch.last.reading(first["artifacts"]["unmergedList"]) as path:
        assert path.read_text().splitlines() == scratch.findings()
    assert (first["counts"]["unmerged"], first["counts"]["unmergedBytes"]) == (5, 30)
    assert gate(first, "Confirmation")["state"] == "Pending"
    assert scratch.waiting() == set()
    second = scratch.run()
    assert scratch.requested() == scratch.waiting() == AGED
    assert second["actions"]["unmerged"]["requested"] == 5
    scratch.dynamo.settle()
    scratch.dynamo.settle()
    assert scratch.there() >= STAYING
    assert not {f"{U}/a/f", f"{U}/a/g", f"{U}/logs/l.tar.gz", f"{U}/empty/deep"} & scratch.there()
    assert all(scratch.path(path).exists() for path in KNOWN)
    third = scratch.run()
    assert third["counts"]["unmerged"] == 0
    assert third["result"] == "Complete"


def test_an_area_that_is_only_reported_is_never_acted_on(scratch):
    scratch.unmerged = {"mode": "Report"}
    scratch.run()
    summary = scratch.run()
    assert set(scratch.findings()) == AGED
    assert gate(summary, "Mode")["state"] == "Pending"
    assert scratch.waiting() == set()


def test_a_check_without_an_area_knows_nothing_of_one(scratch):
    scratch.unmerged = None
    summary = scratch.run()
    assert "unmerged" not in str(summary)
    assert not scratch.last.exists("listing/unmerged.json")
    assert not scratch.last.exists("findings/unmerged.parquet")


def test_what_the_list_protects_since_the_run_is_not_requested(confirmed):
    confirmed.protected.write_text(f"{U}/kept\n{U}/a/f\n{U}/empty\n")
    confirmed.act(approve=True)
    assert confirmed.waiting() == {f"{U}/a/g", f"{U}/logs/l.tar.gz"}
    assert confirmed.asked()[f"{U}/a/f"] == "skipped: protected now"
    assert confirmed.asked()[f"{U}/empty/deep"] == "skipped: protected now"


@pytest.mark.parametrize("text", ["", None])
def test_nothing_is_requested_when_the_list_cannot_be_relied_on_at_the_moment_of_acting(confirmed, text):
    confirmed.protected.unlink() if text is None else confirmed.protected.write_text(text)
    summary = confirmed.act(approve=True)
    assert confirmed.waiting() == set()
    assert summary["actions"]["unmerged"]["skipped"] == {"it is not known what is protected": 5}
    assert str(confirmed.protected) in confirmed.asked()[f"{U}/a/f"]


def test_nothing_is_requested_when_the_list_is_much_shorter_than_that_of_the_run(scratch):
    lines = "".join(f"{U}/z{number}\n" for number in range(9))
    scratch.policy = {"approval": "Required"}
    scratch.protected.write_text(lines)
    scratch.run()
    scratch.run()
    scratch.protected.write_text(lines[: len(lines) // 9 * 4])
    scratch.act(approve=True)
    assert scratch.waiting() == set()
    assert "is it whole?" in scratch.asked()[f"{U}/a/f"]


@pytest.mark.parametrize("text", ["kept\n", None])
def test_without_a_list_the_run_says_so_finds_nothing_there_and_stands_for_the_rest(scratch, text):
    scratch.protected.unlink() if text is None else scratch.protected.write_text(text)
    scratch.put("/store/mc/E/P/AOD/v9/orphan.root")
    summary = scratch.run()
    assert summary["result"] == "Complete"
    assert (summary["counts"]["orphans"], summary["counts"]["unmerged"]) == (1, 0)
    assert str(scratch.protected) in summary["unmerged"]["trouble"]
    assert "nothing of the unmerged area is deleted" in gate(summary, "ListingHealth")["message"]
    assert gate(summary, "ListingHealth")["state"] == "Ready"
    with scratch.last.reading("reports/report.html") as page:
        assert "Nothing of the unmerged area /store/unmerged is deleted" in page.read_text()


def test_a_run_without_a_list_neither_counts_nor_resets(scratch):
    scratch.run()
    scratch.protected.rename(scratch.folder / "elsewhere")
    scratch.run()
    assert scratch.waiting() == set()
    (scratch.folder / "elsewhere").rename(scratch.protected)
    scratch.run()
    assert scratch.waiting() == AGED


def test_other_rules_start_the_count_anew_and_so_does_going_back(scratch):
    scratch.run()
    scratch.unmerged = {"mode": "Enforce", "minAgeSeconds": 86400}
    scratch.run()
    assert scratch.waiting() == set()
    scratch.unmerged = dict(ENFORCED)
    scratch.run()
    assert scratch.waiting() == set()
    scratch.run()
    assert scratch.waiting() == AGED


def test_an_area_that_is_new_in_a_check_waits_for_its_second_run(scratch):
    scratch.unmerged = None
    scratch.run()
    scratch.run()
    scratch.unmerged = dict(ENFORCED)
    scratch.run()
    assert scratch.waiting() == set()
    scratch.run()
    assert scratch.waiting() == AGED


def test_what_is_written_anew_between_two_runs_is_another_finding(scratch):
    scratch.run()
    scratch.put(f"{U}/a/f", mtime=OLD + 5)
    scratch.run()
    assert scratch.waiting() == AGED - {f"{U}/a/f"}


def test_what_has_changed_since_the_run_is_left_alone_and_said(scratch):
    scratch.put(f"{U}/b/f")
    scratch.policy = {"approval": "Required"}
    scratch.run()
    scratch.run()
    scratch.put(f"{U}/a/f", size=11)
    scratch.path(f"{U}/a/g").unlink()
    scratch.path(f"{U}/a/g").mkdir()
    scratch.path(f"{U}/logs/l.tar.gz").unlink()
    scratch.put(f"{U}/empty/deep/new", mtime=int(time.time()))
    scratch.register([*KNOWN, f"{U}/b/f"])
    scratch.act(approve=True)
    assert scratch.waiting() == set()
    told = scratch.asked()
    assert told[f"{U}/a/f"].startswith("skipped: grew")
    assert "directory" in told[f"{U}/a/g"]
    assert told[f"{U}/logs/l.tar.gz"] == "skipped: gone"
    assert told[f"{U}/empty/deep"].startswith("skipped: no longer empty")
    assert told[f"{U}/empty"].startswith("skipped: no longer empty, or a directory in it stays")
    assert told[f"{U}/b/f"] == "skipped: now registered, it or a directory that it lies in"


def test_a_directory_that_was_made_anew_is_not_the_one_that_was_found(confirmed):
    confirmed.path(f"{U}/empty/deep").rmdir()
    confirmed.make(f"{U}/empty/deep")
    confirmed.act(approve=True)
    assert not {f"{U}/empty", f"{U}/empty/deep"} & confirmed.waiting()


def test_more_than_the_limit_and_nothing_is_requested_of_any_kind(scratch):
    scratch.unmerged = {"mode": "Enforce", "maxCount": 4}
    scratch.run()
    summary = scratch.run()
    assert gate(summary, "Limits")["state"] == "Rejected"
    assert f"old in the unmerged area {U}: 5 of 6 files (83 %), limit 4" in gate(summary, "Limits")["message"]
    assert scratch.waiting() == set()


def test_a_fraction_is_one_of_the_files_in_the_area(scratch):
    scratch.unmerged = {"mode": "Enforce", "maxFraction": "0.5"}
    assert "5 of 6 files (83 %), limit 50 %" in gate(scratch.run(), "Limits")["message"]


def test_the_budget_holds_for_the_area_and_the_rest_goes_next_time(scratch):
    scratch.policy = {"approval": "Never", "maxRequestsPerRun": 2}
    scratch.run()
    scratch.run()
    assert scratch.waiting() == {f"{U}/a/f", f"{U}/a/g"}
    assert scratch.asked()[f"{U}/empty"] == "left over: "
    scratch.run()
    assert scratch.waiting() == AGED - {f"{U}/empty"}


def test_acting_again_asks_for_nothing_twice(confirmed):
    confirmed.act(approve=True)
    confirmed.act(approve=True)
    with confirmed.dynamo.engine.connect() as db:
        assert len(db.exec_driver_sql("SELECT url FROM unmanaged_deletions").all()) == len(AGED)


def test_an_area_that_is_not_at_the_site_does_not_disturb_the_run(scratch):
    scratch.path(U).rename(scratch.site / "elsewhere")
    summary = scratch.run()
    assert summary["result"] == "Complete"
    assert summary["counts"]["unmerged"] == 0
    assert f"{U} could not be listed" in summary["unmerged"]["trouble"]


def test_a_directory_of_the_area_that_cannot_be_listed_keeps_what_is_in_it_and_closes_no_gate(scratch):
    (scratch.path(U) / "empty" / "link").symlink_to("/nowhere")
    scratch.age()
    scratch.run()
    summary = scratch.run()
    assert summary["unmerged"]["listed"]["holes"] == 1
    assert scratch.waiting() == AGED - {f"{U}/empty"}


def test_the_stages_one_by_one_list_the_area_with_shard_0(scratch, capsys):
    from dynamo_consistency.checkfile import dump_check
    from dynamo_consistency.cli.entry import command

    def stage(*arguments: str) -> None:
        command.main(args=["stage", *arguments], standalone_mode=False)

    (scratch.folder / "check.yaml").write_text(dump_check(scratch.check()))
    backends = scratch.folder / "backends.yaml"
    backends.write_text(
        f"backends: {{default: {{type: dynamo, url: 'sqlite:///{scratch.folder}/inventory.sqlite'}}}}\n"
    )
    run = f"{scratch.folder}/store/{SITE}/by-hand"
    where = ["--run-dir", run, "--backends", str(backends)]
    stage("snapshot", *where, "-f", str(scratch.folder / "check.yaml"))
    stage("listing", *where, "--shard", "1")
    assert not scratch.last.exists("listing/unmerged.json")
    stage("listing", *where, "--shard", "0")
    assert scratch.last.exists("listing/unmerged.json")
    stage("comparison", *where)
    assert set(scratch.findings()) == AGED
    assert "old in the unmerged area" in capsys.readouterr().out


def test_what_was_uploaded_with_an_old_time_stays_until_it_has_stood_for_a_week(scratch):
    scratch.unmerged = {"mode": "Enforce"}
    scratch.run()
    scratch.run()
    assert set(scratch.findings()) == AGED
    assert scratch.waiting() == set()


def test_a_list_that_has_lost_its_second_half_stops_the_area_and_nothing_else(scratch):
    lines = "".join(f"{U}/z{number}\n" for number in range(9))
    scratch.put(f"{U}/z8/precious")
    scratch.age()
    scratch.protected.write_text(lines)
    scratch.run()
    scratch.protected.write_text(lines[: len(lines) // 9 * 4])
    summary = scratch.run()
    assert scratch.waiting() == set()
    assert "is it whole?" in summary["unmerged"]["trouble"]
    assert gate(summary, "ListingHealth")["state"] == "Ready"
