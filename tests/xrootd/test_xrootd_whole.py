"""A door that is listed by several processes at once, as `dynamo-consistency run` does it."""

import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.run.directory import Store

PROCESSES = 3
LIST = """
import sys
from dynamo_consistency.run.directory import RunDirectory
from dynamo_consistency.run.progress import Progress
from dynamo_consistency.run.whole import list_site
list_site(RunDirectory(sys.argv[1]), None, Progress("test"))
"""


@pytest.mark.xrootd
def test_several_processes_list_every_file_once(site, tmp_path) -> None:
    for directory in range(20):
        (site.path / f"d{directory}").mkdir()
        for number in range(5):
            (site.path / f"d{directory}/f{number}").touch()
    listing = {
        "source": {"xrootd": {"servers": [f"root://127.0.0.1:{site.server.port}"]}},
        "roots": [{"path": site.lfn.decode()}],
        "shards": PROCESSES,
        "splitDepth": 1,
    }
    check = {
        "apiVersion": "consistency.dynamo.io/v1alpha1",
        "kind": "SiteConsistencyCheck",
        "metadata": {"name": "test"},
        "spec": {"site": "T2_Test", "listing": listing},
    }
    run = Store(str(tmp_path)).create(SiteConsistencyCheck.model_validate(check))
    subprocess.run([sys.executable, "-c", LIST, run.url], check=True, timeout=60)
    shards = [pq.read_table(path).to_pylist() for path in sorted(Path(run.url).glob("listing/*.parquet"))]
    files = [row["path"] for rows in shards for row in rows if row["kind"] == "file"]
    assert len(shards) == PROCESSES
    assert len(files) == len(set(files)) == 100
    assert not [row for rows in shards for row in rows if row["kind"] == "hole"]
