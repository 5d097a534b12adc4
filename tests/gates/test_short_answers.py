"""What is told less of than last time closes a gate once: lists of datasets, data servers, mount points."""

import pytest

from dynamo_consistency.run.gates.whole_answers import gone, short_lists
from dynamo_consistency.run.store.run_directory import RunStore


@pytest.fixture
def run_with(tmp_path):
    store, numbers = RunStore(str(tmp_path)), iter(range(100))

    def make(*, protected=0, requests=0, shards=()):
        run = store.run("T2_Test", f"{next(numbers):03}")
        datasets = {
            "protected": [f"/p{i}/a/b" for i in range(protected)],
            "deletionRequests": [f"/d{i}/a/b" for i in range(requests)],
        }
        run.write_json("inventory/datasets.json", datasets)
        for number, shard in enumerate(shards):
            run.write_json(f"listing/shard-{number:04}.json", shard)
            with run.writing(f"listing/shard-{number:04}.parquet") as path:
                path.write_bytes(b"PAR1\xff")
        return run

    return make


@pytest.mark.parametrize(
    ("last", "now", "doubtful"),
    [(10, 6, False), (10, 5, True), (10, 4, True), (10, 0, True), (1, 0, True), (0, 0, False), (0, 9, False)],
)
@pytest.mark.parametrize("which", ["protected", "requests"])
def test_a_list_at_most_half_as_long_as_in_the_last_run_is_doubt(run_with, which, last, now, doubtful):
    earlier = [run_with(**{which: last})]
    assert bool(short_lists(run_with(**{which: now}), earlier)) == doubtful


def test_the_next_run_compares_with_the_short_list(run_with):
    earlier = [run_with(protected=10), run_with(protected=2)]
    assert short_lists(run_with(protected=2), earlier) == ()


def test_both_numbers_are_told(run_with):
    (told,) = short_lists(run_with(protected=4), [run_with(protected=10)])
    assert told == "4 protected datasets where the last complete run had 10"


def test_a_list_that_cannot_be_read_is_left_out_and_the_run_before_counts(run_with):
    damaged = run_with(protected=10)
    damaged.write_text("inventory/datasets.json", "{")
    assert short_lists(run_with(protected=4), [run_with(protected=10), damaged])


def test_a_data_server_or_a_mount_point_that_is_away_is_told_by_its_name(run_with):
    last = run_with(shards=[{"servers": ["a:1094", "b:1094"]}, {"servers": ["c:1094"], "mounts": ["/store/mc"]}])
    now = run_with(shards=[{"servers": ["a:1094", "d:1094"]}, {"servers": ["c:1094"]}])
    assert gone(now, [last]) == ("data server b:1094", "mount point /store/mc")
    assert gone(now, [last, now]) == ()


def test_what_stood_behind_runs_of_former_versions_is_not_known(run_with):
    assert gone(run_with(shards=[{"servers": ["a:1094"]}]), [run_with(shards=[{}])]) == ()
    assert gone(run_with(shards=[{"servers": []}]), []) == ()
