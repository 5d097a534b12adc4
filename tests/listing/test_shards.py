"""Any number of shards lists what one lists."""

from types import SimpleNamespace

import pytest
from effort import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listing_runs import check_of, rows_of

from dynamo_consistency.listers.shards import Share, ancestor
from dynamo_consistency.run.listing.progress import Progress
from dynamo_consistency.run.listing.shard import list_shard
from dynamo_consistency.run.store.run_directory import RunStore

names = st.sampled_from(["a", "b", "cc", "d e", "\udcff", "RAW"])
trees = st.recursive(
    st.one_of(st.integers(0, 9), st.just("unreadable")),
    lambda children: st.dictionaries(names, children, max_size=4),
    max_leaves=30,
)


def lister_of(roots: dict):
    """A backend whose site is `roots`: dictionaries are directories, numbers are files of that size."""

    def listing(directory: str):
        node = roots
        for name in directory.split("/")[1:]:
            node = node[name]
        if node == "unreadable":
            return False, [], []
        directories = [(name, 1) for name, child in node.items() if not isinstance(child, int)]
        return True, directories, [(name, child, 1) for name, child in node.items() if isinstance(child, int)]

    return SimpleNamespace(get_listers=lambda site: (listing, [(), ()]))


@settings(deadline=None, max_examples=examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(names, trees, max_size=4),
    st.dictionaries(names, trees, max_size=3),
    st.integers(1, 3),
    st.integers(2, 5),
)
def test_the_union_of_the_shards_is_what_one_shard_lists(tmp_path, first, second, split_depth, shards):
    backend = lister_of({"r": first, "s": {"t": second}})

    def union(shards: int):
        check = check_of(None, roots=["/r", "/s/t"], shards=shards, splitDepth=split_depth, retries=0)
        run = RunStore(str(tmp_path)).create(check)
        results = [list_shard(run, backend, shard, Progress("test")) for shard in range(shards)]
        return [rows_of(run, shard) for shard in range(shards)], results

    [one], _ = union(1)
    parts, results = union(shards)
    assert set(one) == {row for part in parts for row in part if row[1] != "seen"}
    recorded = [row[0] for part in parts for row in part if row[1] in ("file", "directory")]
    assert len(recorded) == len(set(recorded)), "and nothing is recorded twice"
    listed = {row[0] for part in parts for row in part if row[1] in ("directory", "hole")}
    assert {row[0] for part in parts for row in part if row[1] == "seen"} <= listed
    assert sum(result["counts"]["files"] for result in results) == sum(row[1] == "file" for row in one)


def test_a_directory_that_another_shard_does_not_see_is_known_to_be_there(tmp_path):
    """Shard 0 leaves a row for what it left to others; a shard that met an empty answer above does not hide it."""
    full = lister_of({"r": {"a": {}, "b": {}, "c": {"f": 1}, "d": {}}})
    run = RunStore(str(tmp_path)).create(check_of(None, roots=["/r"], shards=3, splitDepth=1))
    list_shard(run, full, 0, Progress("test"))
    for shard in (1, 2):
        list_shard(run, lister_of({"r": {}}), shard, Progress("test"))
    own = {path for path, kind, *_ in rows_of(run, 0) if kind == "directory"}
    left = {path for path, kind, *_ in rows_of(run, 0) if kind == "seen"}
    assert own | left == {b"/r", b"/r/a", b"/r/b", b"/r/c", b"/r/d"}
    assert left
    assert [rows_of(run, shard) for shard in (1, 2)] == [[], []]


@pytest.mark.parametrize(
    ("path", "depth", "expected"),
    [
        (b"/r", 0, b"/r"), (b"/r", 1, None), (b"/r/a", 1, b"/r/a"), (b"/r/a/b", 1, b"/r/a"), (b"/r/a/b", 2, b"/r/a/b"),
        (b"/r/a", 2, None),
    ],
)  # fmt: skip
def test_the_ancestor_at_a_depth(path, depth, expected):
    assert ancestor(path, b"/r", depth) == expected
    under_the_root_of_all = None if expected is None else b"/x" + expected
    assert ancestor(b"/x" + path, b"/x/r", depth) == under_the_root_of_all


def test_below_the_root_of_all_depths_count_from_there():
    assert ancestor(b"/", b"/", 0) == b"/"
    assert ancestor(b"/", b"/", 1) is None
    assert ancestor(b"/a/b", b"/", 1) == b"/a"


@given(
    st.lists(st.binary(min_size=1, max_size=5).filter(lambda name: b"/" not in name), min_size=1, max_size=6),
    st.integers(1, 4),
    st.integers(1, 5),
)
def test_a_file_is_owned_by_the_shard_that_walks_to_it(components, split_depth, shards):
    path = b"/r/" + b"/".join(components)
    walkers = []
    for shard in range(shards):
        share = Share(shard, shards, split_depth)
        directories = [b"/r/" + b"/".join(components[:depth]) for depth in range(1, len(components))]
        reached = all(share.lists(directory, depth) for depth, directory in enumerate(directories, 1))
        if reached and share.records(len(directories)):
            walkers.append(shard)
    assert walkers == [shard for shard in range(shards) if Share(shard, shards, split_depth).owns_file(path, b"/r")]
    assert len(walkers) == 1
