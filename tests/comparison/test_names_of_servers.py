"""What storage servers make for themselves is neither an orphan nor an empty directory (rule 8)."""

from pathlib import Path

import pytest
from comparison_model import runs
from comparison_model.cases import Case, Entry, Settings, Shard, SiteDirectory, SiteFile

from dynamo_consistency.check.spec import NAMES_OF_SERVERS
from dynamo_consistency.checkfile import dump_check
from dynamo_consistency.paths import PatternFilter
from dynamo_consistency.run.comparison.comparison import compare
from dynamo_consistency.run.store.run_directory import CHECK, RunDirectory

KNOWN = Entry(b"/store/mc/f", 1)
MADE = (
    b"/store/mc/a/.sys.v#.f.root/1500000000.0a1b2c3d",
    b"/store/mc/.sys.a#.f.root0f6e0c92-9c9e-11ee-8c90-0242ac120002",
    b"/store/mc/.sys.a#.v.f.root",
    b"/store/upload/17/0f6e0c92-9c9e-11ee-8c90-0242ac120002/f.root",
)
NOT_MADE = (b"/store/mc/sys.v#.f", b"/store/mc/upload/f", b"/store/upload/17/f", b"/store/mc/x.sys.a#.f")


@pytest.fixture
def found(tmp_path: Path):
    case = Case(
        before=(KNOWN,),
        after=(KNOWN,),
        shards=(
            Shard(
                files=(SiteFile(b"/store/mc/f", 1), *(SiteFile(path, 3) for path in MADE + NOT_MADE)),
                directories=(SiteDirectory(b"/store/mc/.sys.v#.g", 8), SiteDirectory(b"/store/mc/e", 8)),
            ),
        ),
        settings=Settings(roots=(b"/store",)),
    )
    run = runs.write_run(case, tmp_path)

    def find(**changes: bool):
        spec = run.check().spec
        spec = spec.model_copy(update={"comparison": spec.comparison.model_copy(update=changes)})
        run.write_text(CHECK, dump_check(run.check().model_copy(update={"spec": spec})))
        changed = RunDirectory(run.url)
        compare(changed, runs.backend_for(case))
        return {kind: {row["path"] for row in rows} for kind, rows in runs.findings_of(changed).items()}

    return find


def test_they_are_left_alone(found):
    kinds = found()
    assert kinds["orphan"] == set(NOT_MADE)
    assert kinds["empty_directory"] == {b"/store/mc/e"}


def test_a_check_may_say_otherwise(found):
    kinds = found(ignore_names_of_servers=False)
    assert kinds["orphan"] == set(NOT_MADE + MADE)
    assert kinds["empty_directory"] == {b"/store/mc/e", b"/store/mc/.sys.v#.g"}


@pytest.mark.parametrize("path", [*MADE, b"/upload/0/1-2-3-4-5", b"/a/.sys.v#.x"])
def test_the_patterns_match_what_servers_make(path):
    assert PatternFilter(NAMES_OF_SERVERS).ignored(path)
