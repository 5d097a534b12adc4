"""An object store as the source of a check."""

import pyarrow.parquet as pq
import pytest

from dynamo_consistency import paths
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.listers.s3 import pages
from dynamo_consistency.listers.walk import Limits
from dynamo_consistency.run.action.site_view import Absent, SeenFile, SiteView
from dynamo_consistency.run.listing.progress import Progress
from dynamo_consistency.run.listing.shard import list_shard
from dynamo_consistency.run.store.run_directory import RunStore


def check(source: dict, **listing) -> SiteConsistencyCheck:
    listing = {"roots": [{"path": "/store"}], "shards": 1, "retries": 0, "source": {"s3": source}, **listing}
    return SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": "s3"},
            "spec": {"site": "T2_S3", "listing": listing},
        }
    )


@pytest.fixture
def list_(tmp_path, store):
    """Lists the bucket: (what each shard says, all rows but those of what was left to another shard)."""

    def list_(**listing):
        source = {"url": store.url, "endpoint": store.endpoint}
        run = RunStore(str(tmp_path)).create(check(source, **listing))
        results = [list_shard(run, None, shard, Progress("test")) for shard in range(listing.get("shards", 1))]
        rows = []
        for shard in range(len(results)):
            with run.reading(f"listing/shard-{shard:04}.parquet") as path:
                table = pq.read_table(path)
            rows += zip(table.column("path").to_pylist(), table.column("kind").to_pylist(), strict=True)
        return results, sorted(row for row in rows if row[1] != "seen")

    return list_


KEYS = [f"store/{area}/{era}/f{number}" for area in ("mc", "data") for era in "abc" for number in range(5)]


def expected() -> list[tuple[bytes, str]]:
    files = {b"/" + key.encode() for key in KEYS}
    directories = {b"/store"} | {path.rpartition(b"/")[0] for path in files}
    directories |= {path.rpartition(b"/")[0] for path in directories if path != b"/store"}
    return sorted([(path, "file") for path in files] + [(path, "directory") for path in directories])


@pytest.mark.parametrize("page", [1000, 4])
@pytest.mark.parametrize("shards", [1, 3])
def test_any_number_of_shards_and_any_size_of_a_page_give_the_whole_bucket(store, list_, monkeypatch, page, shards):
    monkeypatch.setattr(pages, "PAGE", page)
    store.put(*KEYS)
    results, rows = list_(shards=shards, splitDepth=1)
    assert rows == expected()
    assert {result["source"] for result in results} == {f"s3 {store.url}"}


def test_a_directory_that_is_excluded_is_not_listed(store, list_):
    store.put(*KEYS)
    _, rows = list_(exclude=["/store/mc"])
    assert rows == [row for row in expected() if not paths.is_in(row[0], [b"/store/mc"])]


def test_a_root_without_a_key_is_a_hole(store, list_):
    store.put("elsewhere/f")
    results, rows = list_()
    assert rows == [(b"/store", "hole")]
    assert "no key" in results[0]["holes"][0]["reason"]


def test_who_looks_again_at_the_moment_of_acting_sees_what_is_there_then(store):
    store.put("store/mc/a/f", "store/mc/a/g", "store/mc/b/h")
    lister = store.lister()
    view = SiteView(lister, Limits(), [b"/store"])
    wanted = [b"/store/mc/a/f", b"/store/mc/b/h", b"/store/mc/none"]
    first = view.files(wanted)
    assert [type(first[path]) for path in wanted] == [SeenFile, SeenFile, Absent]
    store.client.delete_object(Bucket=store.bucket, Key="store/mc/a/f")
    store.client.delete_object(Bucket=store.bucket, Key="store/mc/b/h")
    second = view.files(wanted)
    assert [type(second[path]) for path in wanted] == [Absent, Absent, Absent]
