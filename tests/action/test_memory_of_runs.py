"""`history` and retention: what is known of earlier runs, how fast, and what of them is never thrown away."""

import json
import random
import shutil
import subprocess
import time
from pathlib import Path

import hypothesis.strategies as st
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from effort import examples
from hypothesis import given, settings
from laboratory import ORPHAN
from real_command import COMMAND, run_command
from simulated import DAY

from dynamo_consistency.check import Policy, Retention
from dynamo_consistency.cli.runs import history as history_command
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.kinds import FINDING_KINDS
from dynamo_consistency.run.action.actions_file import _SCHEMA
from dynamo_consistency.run.gates.confirmation import _enough
from dynamo_consistency.run.records.history import named_run
from dynamo_consistency.run.records.retention import Kept, prune, removals
from dynamo_consistency.run.store.owner import Owner
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

RUNS, ROWS = 50, 20_000
SITE = "T2_Big"
SOUGHT = b"/store/data/Run2018A/SingleMuon/AOD/v1/0042/file_7777.root"


# ------------------------------------------------------------------------------------------------------------- history


def write_findings(run: RunDirectory, rows: int) -> None:
    """Findings of each kind and what was asked for, as the comparison and the action write them."""
    chance = random.Random(1)
    names = {b"/store/data/Run2018A/SingleMuon/AOD/v1/%04d/file_%d.root" % (n % 100, n) for n in range(2 * rows)}
    columns = ("size", "site_size", "mtime"), ("dataset", "block", "group", "root")
    paths = sorted({SOUGHT, *chance.sample(sorted(names), rows - 1)})
    table = {"path": pa.array(paths, pa.binary())}
    table |= {name: pa.array([1] * len(paths), pa.int64()) for name in columns[0]}
    table |= {name: pa.array(["x"] * len(paths), pa.string()) for name in columns[1]}
    for file in (kind.file for kind in FINDING_KINDS):
        with run.writing(file) as target:
            pq.write_table(pa.table(table), target, compression="zstd")
    rows_ = {name: pa.nulls(len(paths), type_) for name, type_ in zip(_SCHEMA.names, _SCHEMA.types, strict=True)}
    rows_ |= {
        "path": table["path"],
        "kind": pa.array(["orphans"] * len(paths)),
        "request": pa.array(["delete"] * len(paths)),
        "outcome": pa.array(["waiting"] * len(paths)),
        "gates": pa.array([json.dumps([{"name": "Inventory", "message": "x" * 500}] * 7)] * len(paths)),
    }
    with run.writing("actions.parquet") as target:
        pq.write_table(pa.table(rows_, schema=_SCHEMA), target, compression="zstd", row_group_size=10_000)


def write_history(store: Path, runs: int, rows: int) -> Path:
    """So many runs with so many findings of each kind, the same in all."""
    folders = [store / SITE / f"2026{number:04d}T000000Z" for number in range(runs)]
    write_findings(RunDirectory(str(folders[0])), rows)
    counts = dict.fromkeys(["listedFiles", "missing", "orphans", "mismatches", "emptyDirectories", "holes"], rows)
    told = {"site": SITE, "result": "Complete", "reason": "", "counts": counts, "gates": [], "actions": {}}
    for folder in folders:
        if folder != folders[0]:
            shutil.copytree(folders[0], folder, ignore=shutil.ignore_patterns("*.json", "*.yaml"))
        run = RunDirectory(str(folder))
        run.write_text("check.yaml", "{}")
        run.write_json("summary.json", told | {"runId": run.run_id, "startTime": "2026-01-01T00:00:00Z"})
    return store


@pytest.fixture(scope="module")
def big_history(tmp_path_factory) -> Path:
    return write_history(tmp_path_factory.mktemp("big"), RUNS, ROWS)


@pytest.fixture(scope="module")
def bare_seconds(tmp_path_factory) -> float:
    """The processor time of the same command where there is next to nothing."""
    store = write_history(tmp_path_factory.mktemp("small"), 1, 10)
    return min(history(store)[1] for _ in range(2))


def history(store: Path, *arguments: str) -> tuple[list, float]:
    """What the real command says, and how many seconds of a processor it takes."""
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [COMMAND, "history", SITE, *arguments, "--store", str(store), "--output", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return json.loads(done.stdout), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_the_history_of_a_site_takes_no_longer_with_millions_of_findings(big_history, bare_seconds):
    rows, seconds = history(big_history)
    assert [row["result"] for row in rows] == ["Complete"] * RUNS
    assert seconds < 2 * bare_seconds


@pytest.mark.parametrize("order", [[SITE, "--store"], ["--store", SITE]])
def test_options_of_the_history_may_stand_before_the_site(tmp_path, order, capsys):
    write_history(tmp_path, 2, 1)
    words = [each for word in order for each in ((word, str(tmp_path)) if word == "--store" else (word,))]
    history_command.main([*words, "--output", "json"], standalone_mode=False)
    assert len(json.loads(capsys.readouterr().out)) == 2


@pytest.mark.parametrize(("sought", "said"), [("2026", "the beginning of several runs"), ("x", "has no run x in ")])
def test_of_many_runs_an_error_names_the_newest_few(tmp_path, sought, said):
    write_history(tmp_path, 9, 1)
    with pytest.raises(ConfigurationError, match=said) as refused:
        named_run(RunStore(str(tmp_path)), SITE, sought)
    names = ", ".join(f"2026{number:04d}T000000Z" for number in range(4, 9))
    assert str(refused.value).endswith(f" {names}, and 4 before these")


def test_the_history_of_one_file_among_millions_of_findings_takes_little_longer(big_history, bare_seconds):
    rows, seconds = history(big_history, SOUGHT.decode())
    assert len(rows) == RUNS * len(FINDING_KINDS)
    assert {row["outcome"] for row in rows if row["kind"] == "orphans"} == {"waiting"}
    assert seconds < 4 * bare_seconds


# ------------------------------------------------------------------------------------------------------------ retention

policies = st.builds(
    lambda runs, span: Policy.model_validate({"orphans": {"confirmRuns": runs, "confirmSpanSeconds": span * DAY}}),
    st.integers(1, 6),
    st.integers(0, 40),
)
retentions = st.builds(
    lambda runs, days, findings: Retention(runs=runs, days=days, findings_days=findings),
    st.integers(1, 5),
    st.integers(1, 30),
    st.integers(1, 60),
)
ages = st.lists(st.tuples(st.integers(0, 120), st.sampled_from([True, True, True, False])), max_size=20, unique=True)
NOW = 2_000_000_000


def kept_runs(of: list[tuple[int, bool]]) -> list[Kept]:
    return [
        Kept(RunDirectory(f"/store/T2/{number}"), NOW - age * DAY, complete)
        for number, (age, complete) in enumerate(sorted(of, reverse=True))
    ]


@settings(max_examples=examples(300), derandomize=True)
@given(of=ages, policy=policies, retention=retentions, until_next=st.integers(0, 40))
def test_what_a_confirmation_rests_on_now_or_in_the_next_run_is_never_removed(of, policy, retention, until_next):
    runs = kept_runs(of)
    removed = {removal.run.run_id for removal in removals(runs, retention, policy, NOW) if removal.what == "run"}
    complete = [kept for kept in runs if kept.complete]
    starts = {kept.run.run_id: kept.start for kept in complete}
    coming = RunDirectory("/store/T2/next")
    starts["next"] = NOW + until_next * DAY
    for of_confirmation in ([kept.run for kept in complete], [*(kept.run for kept in complete), coming]):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("dynamo_consistency.run.gates.confirmation.start_of", lambda run: starts[run.run_id])
            for kind in (policy.missing, policy.orphans, policy.mismatches, policy.empty_directories):
                rests_on, _ = _enough(of_confirmation, kind) if of_confirmation else ([], 0)
                assert not removed & {run.run_id for run in rests_on}


@settings(max_examples=examples(100), derandomize=True)
@given(of=ages, policy=policies, retention=retentions)
def test_nothing_young_and_nothing_of_the_last_complete_runs_is_removed(of, policy, retention):
    runs = kept_runs(of)
    last = [kept.run.run_id for kept in runs if kept.complete][-retention.runs :]
    for removal in removals(runs, retention, policy, NOW):
        age = next((NOW - kept.start) / DAY for kept in runs if kept.run.run_id == removal.run.run_id)
        assert age > (retention.findings_days if removal.what == "run" else retention.days)
        assert removal.run.run_id not in last


def test_a_run_whose_age_is_not_known_is_left_to_a_person():
    runs = [Kept(RunDirectory("/store/T2/died"), None, False)]
    assert list(removals(runs, Retention(runs=1, days=1, findings_days=1), Policy(), NOW)) == []


@pytest.mark.parametrize(("age", "removed"), [(29, False), (31, True)])
def test_what_was_asked_for_in_30_days_is_known_however_short_findings_are_kept(age, removed):
    runs = [Kept(RunDirectory(f"/store/T2/{days}"), NOW - days * DAY, True) for days in (age, 3, 2, 1)]
    policy = Policy.model_validate({kind: {"confirmSpanSeconds": 0} for kind in Policy().of_kinds})
    done = removals(runs, Retention(runs=1, days=1, findings_days=1), policy, NOW)
    assert ("run" in {removal.what for removal in done}) == removed


def test_inventories_and_listings_go_first_and_findings_and_actions_later(lab, world):
    world.store(ORPHAN)
    lab.policy["orphans"]["mode"] = "Report"
    for _ in range(7):
        lab.run()
    retention = Retention(runs=1, days=10, findings_days=32)
    check = lab.check()
    spec = check.spec.model_copy(update={"retention": retention, "policy": Policy()})
    removed = prune(lab.store, "T2_Test", Owner.of(check), spec, time.time())
    done = {removal.run.run_id: removal.what for removal in removed}
    ids = [run.run_id for run in lab.runs()]
    assert len(ids) == 5, "those of the last 32 days; on the last three a confirmation may rest"
    assert list(done.values())[:2] == ["run", "run"]
    first = lab.runs()[0]
    assert not first.exists("inventory/before.parquet")
    assert first.exists("inventory/before.json")
    assert first.exists("findings/orphan.parquet")
    assert lab.run()["result"] == "Complete"


def test_history_prune_says_what_it_removes_and_keeps_what_the_next_run_confirms_with(lab, world, tmp_path):
    """These runs were years ago; the command goes by the real clock."""
    world.store(ORPHAN)
    lab.policy["orphans"] |= {"confirmRuns": 3, "confirmSpanSeconds": 14 * DAY, "mode": "Report"}
    for _ in range(6):
        lab.run()
    ids = [run.run_id for run in lab.runs()]
    told = run_command(["history", "prune", "T2_Test", "--store", lab.store.url], tmp_path)
    assert told.stdout.splitlines() == [f"{run}: removed" for run in ids[:3]]
    assert [run.run_id for run in lab.runs()] == ids[3:]
    lab.policy["orphans"]["mode"] = "Enforce"
    lab.run()
    assert lab.asked() == [("delete", ORPHAN)]


def test_history_prune_of_a_site_without_runs_is_wrong_usage(tmp_path):
    done = run_command(["history", "prune", "T2_None", "--store", str(tmp_path)], tmp_path)
    assert done.returncode == 2
    assert "there is no run of T2_None" in done.stderr
    assert RunStore(str(tmp_path)).runs("T2_None") == []
