"""A site that is listed on one machine by several processes."""

from itertools import chain

import fsspec
import pyarrow.parquet as pq
import pytest

from dynamo_consistency.check import Listing, SiteConsistencyCheck
from dynamo_consistency.errors import ListingError
from dynamo_consistency.run.listing.progress import ListingCounts
from dynamo_consistency.run.local_listing import list_site, shards_here
from dynamo_consistency.run.store.run_directory import shard_name

DIRECTORIES, FILES = 12, 3
XROOTD = {"xrootd": {"servers": ["root://door"]}}


class Watcher:
    counts = ListingCounts()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def __call__(self, counts, window):
        self.counts = counts


@pytest.fixture
def bucket(s3) -> str:
    """An object store that is the site to be listed."""
    filesystem = fsspec.filesystem("s3", skip_instance_cache=True)
    for directory in range(DIRECTORIES):
        for number in range(FILES):
            filesystem.pipe_file(f"consistency/site/store/mc/d{directory}/f{number}", b"x")
    return "s3://consistency/site"


def listing(**fields) -> Listing:
    return Listing.model_validate({"roots": [{"path": "/store/mc"}], "splitDepth": 1, **fields})


def begin(store, of_listing: Listing):
    spec = {"site": "T2_X", "listing": of_listing.model_dump(by_alias=True, exclude_none=True)}
    kind = {"apiVersion": "consistency.dynamo.io/v1alpha1", "kind": "SiteConsistencyCheck"}
    return store.create(SiteConsistencyCheck.model_validate({**kind, "metadata": {"name": "x"}, "spec": spec}), "1")


def test_all_shards_are_listed_wherever_the_run_directory_is(store, bucket):
    run = begin(store, listing(source={"s3": {"url": bucket}}, shards=3))
    watcher = Watcher()
    list_site(run, None, watcher)
    files = []
    for shard in range(3):
        with run.reading(f"{shard_name(shard)}.parquet") as path:
            rows = pq.read_table(path).to_pylist()
            files.append([row["path"].decode() for row in rows if row["kind"] == "file"])
    assert all(files), "each shard has a part"
    assert sorted(chain.from_iterable(files)) == sorted(
        f"/store/mc/d{directory}/f{number}" for directory in range(DIRECTORIES) for number in range(FILES)
    )
    assert watcher.counts.directories > 0, "somebody is told"


def test_a_site_that_cannot_be_listed_is_an_error_in_a_sentence(store, s3):
    run = begin(store, listing(source={"s3": {"url": "s3://no-such-bucket"}}, shards=2))
    with pytest.raises(ListingError, match="no-such-bucket"):
        list_site(run, None, Watcher())


@pytest.mark.parametrize(
    ("source", "allowed", "processors", "expected"),
    [
        (XROOTD, {"shards": 8, "parallelism": 8}, 4, 4),
        (XROOTD, {"shards": 8, "parallelism": 2}, 4, 2),
        (XROOTD, {"shards": 1, "parallelism": 8}, 4, 1),
        (XROOTD, {}, 1, 1),
        ({"webdav": {"servers": ["https://door"]}}, {}, 4, 4),
        ({"s3": {"url": "s3://bucket"}}, {}, 4, 4),
        ({"posix": {"prefix": "/mnt"}}, {}, 4, 1),
        ({"dump": {"url": "dump.tsv"}}, {}, 4, 1),
        (None, {}, 4, 1),
    ],
)
def test_doors_are_asked_by_as_many_processes_as_help_and_the_check_allows(
    monkeypatch, source, allowed, processors, expected
):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(processors)))
    assert shards_here(listing(source=source, **allowed)) == expected
