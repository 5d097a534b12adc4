"""A directory or file that has two names shows as one, whatever shard or root it is met in."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from asking_listers import walk_from
from listing_runs import touch

from dynamo_consistency.listers.contract import Listed, Subdirectory
from dynamo_consistency.listers.posix import PosixLister
from dynamo_consistency.listers.shards import Share
from dynamo_consistency.listers.walk import Limits, Walk
from dynamo_consistency.run.listing.parquet import identity_hash
from dynamo_consistency.run.listing.progress import Progress
from dynamo_consistency.run.listing.shard import list_shard

MAKE_MOUNTS = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else []), "sh", "-ec"]


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    command = [*MAKE_MOUNTS, "mount -t tmpfs none /mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


needs_mounts = pytest.mark.skipif(not can_mount(), reason="no mount may be made here")


def identities(run, shard: int = 0, kinds: Sequence[str] = ("directory",)) -> dict[bytes, int | None]:
    table = pq.read_table(Path(run.url, f"listing/shard-{shard:04}.parquet"))
    columns = (table.column(name).to_pylist() for name in ("path", "kind", "identity"))
    rows = list(zip(*columns, strict=True))
    return {path: identity for path, kind, identity in rows if kind in kinds}


def test_every_directory_of_a_mounted_site_has_an_identity_of_its_own(site, make_run):
    touch(site / "store/mc/a", b"f")
    touch(site / "store/data", b"g")
    run = make_run({"posix": {"prefix": str(site)}}, roots=["/store/mc", "/store/data"])
    list_shard(run, None, 0, Progress("test"))
    found = identities(run)
    assert found.keys() == {b"/store/mc", b"/store/mc/a", b"/store/data"}
    assert None not in found.values()
    assert len(set(found.values())) == 3


def test_another_name_for_a_root_is_the_same_directory_and_so_is_what_is_in_it(site, make_run):
    touch(site / "store/mc/a", b"f")
    run = make_run({"posix": {"prefix": str(site)}}, roots=["/store/mc"])
    list_shard(run, None, 0, Progress("test"))
    (site / "other").symlink_to("store")
    again = make_run({"posix": {"prefix": str(site / "other")}}, roots=["/mc"])
    list_shard(again, None, 0, Progress("test"))
    assert identities(run)[b"/store/mc/a"] == identities(again)[b"/mc/a"]
    assert identities(run)[b"/store/mc"] == identities(again)[b"/mc"]


def test_all_shards_give_a_directory_the_same_identity(site, make_run):
    for name in ("x/1", "y/2", "z/3"):
        touch(site / "store" / name, b"f")
    whole = make_run({"posix": {"prefix": str(site)}})
    list_shard(whole, None, 0, Progress("test"))
    run = make_run({"posix": {"prefix": str(site)}}, shards=3, splitDepth=1)
    for shard in range(3):
        list_shard(run, None, shard, Progress("test"))
    assert identities(whole) == {path: i for shard in range(3) for path, i in identities(run, shard).items()}


def test_the_hash_of_an_identity_fits_the_column_and_is_the_same_in_every_process():
    assert identity_hash((None, 5)) == -4072338668425484940
    assert identity_hash(("root://a:1094", 7)) != identity_hash(("root://b:1094", 7))


def test_the_answer_of_a_directory_about_itself_counts_more_than_that_of_its_parent():
    class Lister:
        capacity = 1

        def submit(self, directory, done):
            known = {
                b"/r": Listed([Subdirectory(b"d", 1, "a trap")], identity="the root"),
                b"/r/d": Listed(
                    [Subdirectory(b"up", 1, "the root"), Subdirectory(b"own", 1, "mounted")], identity="mounted"
                ),
            }
            done(known[directory])

    visits = walk_from(Lister(), b"/r")
    assert [visit.directory.identity for visit in visits] == ["the root", "mounted"]
    assert [hole.name for hole in visits[1].answer.holes] == [b"up", b"own"], "loops to the root and to itself"


def test_where_answers_say_nothing_of_themselves_the_identity_of_a_root_is_asked_for():
    class Lister:
        capacity = 1

        def submit(self, directory, done):
            done(Listed([Subdirectory(b"loop", 1, "id of /r")]))

    walk = Walk(Lister(), [b"/r"], Share(0, 1, 3), Limits(), identify=lambda root: f"id of {root.decode()}")
    [visit] = walk
    assert visit.directory.identity == "id of /r"
    assert "a loop of links" in visit.answer.holes[0].reason


PROGRAM = """
import sys
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.run.listing.progress import Progress
from dynamo_consistency.run.listing.shard import list_shard
from dynamo_consistency.run.store.run_directory import RunDirectory
list_shard(RunDirectory(sys.argv[1]), None, 0, Progress("test"))
"""


def list_with_mounts(run, mounts: str) -> dict:
    command = [*MAKE_MOUNTS, f'{mounts}; exec "$@"', "sh", os.sys.executable, "-c", PROGRAM, run.url]
    subprocess.run(command, check=True)
    return json.loads(Path(run.url, "listing/shard-0000.json").read_text())


@needs_mounts
def test_a_directory_that_is_mounted_a_second_time_shows_as_the_same(site, make_run):
    touch(site / "store/mc/v1/sub", b"f")
    touch(site / "store/again")
    run = make_run({"posix": {"prefix": str(site)}})
    list_with_mounts(run, f"mount --bind {site}/store/mc/v1 {site}/store/again")
    found = identities(run)
    assert found[b"/store/again"] == found[b"/store/mc/v1"]
    assert found[b"/store/again/sub"] == found[b"/store/mc/v1/sub"]
    assert len(set(found.values())) == len(found) - 2


def test_files_have_identities_and_a_link_has_that_of_the_file_to_which_it_leads(site, make_run):
    touch(site / "store/mc", b"f", b"g")
    (site / "store/mc/hard").hardlink_to(site / "store/mc/f")
    (site / "store/mc/link").symlink_to("g")
    (site / "store/mc/dangling").symlink_to("nothing")
    (site / "store/mc/directory").symlink_to(".")
    run = make_run({"posix": {"prefix": str(site)}})
    list_shard(run, None, 0, Progress("test"))
    found = identities(run, kinds=("file", "hole"))
    assert found[b"/store/mc/f"] == found[b"/store/mc/hard"] != found[b"/store/mc/g"] == found[b"/store/mc/link"]
    assert found[b"/store/mc/dangling"] is found[b"/store/mc/directory"] is None


@needs_mounts
def test_a_storage_that_is_mounted_again_on_another_device_shows_its_files_on_two_devices(site, make_run):
    touch(site / "store/mc/v1", b"f")
    touch(site / "store/again")
    (site / "nothing").mkdir()
    run = make_run({"posix": {"prefix": str(site)}})
    below = f"lowerdir={site}/store/mc/v1:{site}/nothing"
    list_with_mounts(run, f"mount -t overlay overlay -o {below} {site}/store/again")
    found = identities(run, kinds=("file",))
    one, other = found[b"/store/mc/v1/f"], found[b"/store/again/f"]
    assert one >> 32 == other >> 32, "one inode"
    assert one % 2**32 != other % 2**32


@needs_mounts
def test_an_excluded_directory_is_known_by_its_other_name(site, make_run):
    touch(site / "store/mc/HC", b"f")
    touch(site / "store/mc/again")
    run = make_run({"posix": {"prefix": str(site)}}, exclude=["/store/mc/HC"])
    list_with_mounts(run, f"mount --bind {site}/store/mc/HC {site}/store/mc/again")
    found = identities(run, kinds=("directory", "excluded"))
    assert found[b"/store/mc/HC"] == found[b"/store/mc/again"]


@needs_mounts
def test_mount_points_below_the_roots_are_told_by_name(site, make_run):
    for name in ("a", "b", "c"):
        touch(site / "store" / name, b"f")
    run = make_run({"posix": {"prefix": str(site)}})
    mounts = f"mount -t tmpfs none {site}/store/c; mount -t tmpfs none {site}/store/a"
    result = list_with_mounts(run, mounts)
    assert result["mounts"] == ["/store/a", "/store/c"]
    assert result["servers"] == []


def test_without_mount_points_none_is_told(site, list_site):
    touch(site / "store/a", b"f")
    result, _ = list_site({"posix": {"prefix": str(site)}})
    assert result["mounts"] == []


def test_the_device_of_the_prefix_does_not_count_since_another_machine_numbers_it_otherwise(site):
    touch(site / "store/a")
    [directory] = PosixLister(str(site)).answer(b"/store").directories
    assert directory.identity == (None, (site / "store/a").stat().st_ino)
