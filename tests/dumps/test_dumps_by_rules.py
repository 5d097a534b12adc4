"""Paths of a dump become LFNs by the rules of its source."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamo_consistency.check import DumpSource
from dynamo_consistency.listers.dump.dump import Dump
from dynamo_consistency.listers.dump.placed import lfns_by_rules
from dynamo_consistency.path_rules import PathRule, PathRules

BOTH = [
    {"lfn": "/+store/temp/(.*)", "path": "/scratch/$1"},
    {"lfn": "/+store/(.*)", "path": "/pnfs/cms/store/$1"},
]
TREES = st.lists(st.sampled_from(["a", "b"]), max_size=2).map(lambda parts: ("/" + "/".join(parts)).encode())
PATHS = st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=4).map(
    lambda parts: ("/" + "/".join(parts)).encode()
)


@pytest.fixture
def read(tmp_path):
    def read_dump(text: str, **options: object) -> tuple[list[bytes], Dump]:
        (tmp_path / "dump_20261120").write_text(text)
        given = {"url": f"{tmp_path}/dump_20261120", "format": "paths", "rules": BOTH, **options}
        dump = Dump(DumpSource.model_validate(given, by_alias=True))
        return [path for batch in dump.batches() for path in batch.column("path").to_pylist()], dump

    return read_dump


def test_each_path_is_the_lfn_that_is_there_and_others_are_left_out(read):
    lines = ["/pnfs/cms/store/mc/f", "/scratch/user/g", "/pnfs/cms/store/temp/h", "/elsewhere/i", "/scratchy/j"]
    found, dump = read("".join(f"{line}\n" for line in lines))
    assert found == [b"/store/mc/f", b"/store/temp/user/g"]
    assert dump.bad_lines == 0


def test_the_prefix_stands_before_the_paths_of_the_rules(read):
    found, _ = read("/mnt/scratch/g\n/mnt/pnfs/cms/store/f\n", prefix="/mnt")
    assert found == [b"/store/temp/g", b"/store/f"]


@pytest.mark.parametrize(
    ("line", "holes"),
    [
        ("/scratch/user/g\t1\t2\t3", {b"/store/temp/user"}),
        ("/pnfs/cms/store/mc/f\t1\t2\t3", {b"/store/mc"}),
        ("/pnfs/f\t1\t2\t3", {b"/store"}),
        ("/elsewhere/d/f\t1\t2\t3", set()),
    ],
)
def test_a_line_that_cannot_be_read_is_a_hole_where_its_lfn_would_be(read, line, holes):
    _, dump = read(f"/pnfs/cms/store/f\t1\n{line}\n", format="tsv", maxBadLineFraction="1")
    assert dump.holes == holes


@given(st.lists(st.builds(PathRule, TREES, TREES), min_size=1, max_size=3), st.lists(PATHS, max_size=8))
def test_the_columns_say_what_the_rules_say(some, paths):
    try:
        rules = PathRules(some)
    except ValueError:
        return
    trees = {rule.path for rule in some}
    below = [path for path in paths if path not in trees]  # a file is not a tree itself
    assert lfns_by_rules(pa.array(below, pa.binary()), rules).to_pylist() == [rules.lfn(path) for path in below]
