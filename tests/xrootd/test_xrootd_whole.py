"""A door that is listed by several processes at once, as `dynamo-consistency run` does it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.run.store.run_directory import RunStore

PROCESSES = 3
LIST = """
import sys
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.run.listing.progress import Progress
from dynamo_consistency.run.local_listing import list_unmerged_area, list_site
run = RunDirectory(sys.argv[1])
list_site(run, None, Progress("test"))
list_unmerged_area(run, None, Progress("test"))
"""


@pytest.fixture
def list_whole(site, tmp_path):
    """Lists the site's directory `data`, and what else the spec says; returns the folder with the listings."""

    def list_whole(**spec: Any) -> Path:
        listing = {
            "source": {"xrootd": {"servers": [f"root://127.0.0.1:{site.server.port}"]}},
            "roots": [{"path": f"{site.lfn.decode()}/data"}],
            "shards": PROCESSES,
            "splitDepth": 1,
        }
        check = {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": "test"},
            "spec": {"site": "T2_Test", "listing": listing, **spec},
        }
        run = RunStore(str(tmp_path)).create(SiteConsistencyCheck.model_validate(check))
        subprocess.run([sys.executable, "-c", LIST, run.url], check=True, timeout=60)
        return Path(run.url) / "listing"

    for directory in range(20):
        (site.path / f"data/d{directory}").mkdir(parents=True)
        for number in range(5):
            (site.path / f"data/d{directory}/f{number}").touch()
    return list_whole


@pytest.mark.xrootd
def test_several_processes_list_every_file_once(list_whole) -> None:
    shards = [pq.read_table(path).to_pylist() for path in sorted(list_whole().iterdir()) if path.suffix == ".parquet"]
    files = [row["path"] for rows in shards for row in rows if row["kind"] == "file"]
    assert len(shards) == PROCESSES
    assert len(files) == len(set(files)) == 100
    assert not [row for rows in shards for row in rows if row["kind"] == "hole"]


@pytest.mark.xrootd
def test_a_scratch_area_is_listed_beside_them(list_whole, site) -> None:
    (site.path / "scratch/old").mkdir(parents=True)
    (site.path / "scratch/old/f").touch()
    area = {"path": f"{site.lfn.decode()}/scratch", "protectedFrom": {"url": "/dev/null"}}
    listed = json.loads((list_whole(unmerged=area) / "unmerged.json").read_text())
    assert listed["counts"] == {"files": 1, "directories": 2, "holes": 0, "bytes": 0, "requests": 2, "retries": 0}
