"""Inputs that prove nothing: the run is invalid, says why in one sentence, and has no findings."""

from dataclasses import replace
from pathlib import Path

import pytest
from comparison_model import reference, runs
from comparison_model.cases import DAY, NOW, Case, Entry, Findings, Settings, Shard, SiteDirectory, SiteFile

from dynamo_consistency.errors import ConsistencyError, InvalidRunError
from dynamo_consistency.run.comparison.comparison import compare

ROOT = b"/store/mc"
F, G = Entry(b"/store/mc/d/f"), Entry(b"/store/mc/d/g")
SEEN_F = SiteFile(b"/store/mc/d/f")
LISTED = Shard(files=(SEEN_F,), directories=(SiteDirectory(b"/store/mc/d/e"),))
HEALTHY = Case(before=(F, G), after=(F, G), shards=(LISTED,), settings=Settings(roots=(ROOT,)))
UNLISTED = replace(HEALTHY, shards=(replace(LISTED, files=()),))

INVALID = {
    "the first snapshot is empty": (replace(HEALTHY, before=()), "empty"),
    "the second snapshot is empty": (replace(HEALTHY, after=()), "empty"),
    "nothing of a snapshot is below the roots": (
        replace(HEALTHY, before=(Entry(ROOT), Entry(b"/store/mc2/f"), Entry(b"/store/data/f"))),
        "empty",
    ),
    "nothing of a snapshot takes part": (
        replace(HEALTHY, settings=replace(HEALTHY.settings, exclude=(b"/store/mc/d",))),
        "empty",
    ),
    "no file was listed": (UNLISTED, "no file"),
    "no file was listed that takes part": (
        replace(HEALTHY, shards=(Shard(files=(SiteFile(b"/store/mc2/d/f"),)),)),
        "no file",
    ),
    "no file was listed and only the second snapshot expects one": (
        replace(UNLISTED, before=(replace(F, in_flight=True),)),
        "no file",
    ),
    "the root is a hole": (replace(HEALTHY, shards=(LISTED, Shard(holes=(ROOT,)))), "/store/mc"),
    "a directory above the root is a hole": (
        replace(HEALTHY, shards=(replace(LISTED, holes=(b"/store",)),)),
        "/store/mc",
    ),
    "the root was left to another shard, which did not list it": (
        replace(HEALTHY, shards=(LISTED, Shard(seen=(ROOT,)))),
        "/store/mc",
    ),
    "one of two roots is a hole": (
        replace(
            HEALTHY,
            before=(F, Entry(b"/store/data/f", in_flight=True)),
            shards=(replace(LISTED, holes=(b"/store/data",)),),
            settings=Settings(roots=(ROOT, b"/store/data")),
        ),
        "/store/data",
    ),
}

YOUNG = Entry(F.path, time=NOW - DAY)
VALID = {
    "nothing listed, where all of the inventory is in flight": replace(UNLISTED, before=(YOUNG,), after=(YOUNG,)),
    "nothing listed, where all that is expected is in holes": replace(
        UNLISTED, shards=(Shard(holes=(b"/store/mc/d",)),)
    ),
    "a root is a hole and the inventory has nothing there": replace(
        HEALTHY,
        shards=(replace(LISTED, holes=(b"/store/data",)),),
        settings=Settings(roots=(ROOT, b"/store/data")),
    ),
    "a root whose name begins like a hole": replace(
        HEALTHY, shards=(replace(LISTED, holes=(b"/store/m",)),), settings=Settings(roots=(ROOT,))
    ),
    "the root was left to another shard, which listed it": replace(
        HEALTHY, shards=(LISTED, Shard(seen=(ROOT,)), Shard(directories=(SiteDirectory(ROOT),)))
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_a_run_is_invalid_and_has_no_findings_where(name: str, tmp_path: Path) -> None:
    case, reason = INVALID[name]
    run = runs.write_run(case, tmp_path)
    with pytest.raises(InvalidRunError, match=reason) as raised:
        compare(run, runs.backend_for(case))
    assert "\n" not in str(raised.value)
    assert run.names("findings") == []
    with pytest.raises(reference.InvalidError):
        reference.compare(case)


@pytest.mark.parametrize("name", VALID)
def test_a_run_is_complete_where(name: str, tmp_path: Path) -> None:
    assert runs.engine(VALID[name], tmp_path) == reference.compare(VALID[name])


@pytest.mark.parametrize("name", ["listing/shard-0000", "listing/shard-0001", "inventory/before", "inventory/after"])
def test_a_part_that_is_not_whole_makes_the_run_invalid(name: str, tmp_path: Path) -> None:
    """The `.json` is written last: without it the list beside it may be of any length."""
    case = replace(HEALTHY, shards=(LISTED, Shard()))
    run = runs.write_run(case, tmp_path)
    run.remove(f"{name}.json")
    with pytest.raises(InvalidRunError):
        compare(run, runs.backend_for(case))
    assert run.names("findings") == []


@pytest.mark.parametrize("name", ["inventory/datasets.json", "listing/shard-0000.parquet", "inventory/after.parquet"])
def test_a_part_that_was_lost_ends_in_a_sentence(name: str, tmp_path: Path) -> None:
    run = runs.write_run(HEALTHY, tmp_path)
    run.remove(name)
    with pytest.raises(ConsistencyError):
        compare(run, runs.backend_for(HEALTHY))
    assert run.names("findings") == []


def test_the_healthy_site_of_these_tests_has_findings(tmp_path: Path) -> None:
    expected = Findings(missing=frozenset([G.path]), empty=(b"/store/mc/d/e",))
    assert runs.engine(HEALTHY, tmp_path) == reference.compare(HEALTHY) == expected
