"""A whole run over WebDAV finds what a run on the mounted site finds."""

import json
import os
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from real_command import run_command
from webdav_servers import WebServer

LONG_AGO = int(time.time()) - 30 * 86400  # HTTP has no fractions of a second

CHECK = """\
apiVersion: consistency.dynamo.io/v1alpha1
kind: SiteConsistencyCheck
metadata: {{name: t2-test}}
spec:
  site: T2_Test
  listing:
    source: {source}
    roots: [{{path: /store/mc}}, {{path: /store/data}}]
    shards: 3
    splitDepth: 2
"""
KINDS = ("missing", "orphan", "mismatch", "empty_directory")


def name_of(number: int) -> str:
    return f"/store/mc/Era/Primary/AOD/v{number % 3 + 1}/{number % 7:04d}/file {number}%.root"


class Sandbox:
    """A site behind a server that has drifted from its inventory, and the command that checks it."""

    def __init__(self, server: WebServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        known = {name_of(number): 100 + number for number in range(100)}
        for name, size in known.items():
            self.put(name, size)
        for number in (3, 50, 77):
            (server.site / name_of(number)[1:]).unlink()
        self.put(name_of(10), 5)
        for number in range(2):
            self.put(f"/store/data/Old/Gone/RECO/v1/orphan+{number};x.root", 50)
        (server.site / "store/data/Old/Gone/RECO/v2").mkdir()
        for directory, _, _ in os.walk(server.site / "store"):
            os.utime(directory, (LONG_AGO, LONG_AGO))
        (folder / "files.tsv").write_text("".join(f"{name}\t{size}\n" for name, size in known.items()))
        self.run("inventory", "init")
        self.run("inventory", "import", "T2_Test", "files.tsv")

    def put(self, name: str, size: int) -> None:
        path = self.server.site / name[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
        os.utime(path, (LONG_AGO, LONG_AGO))

    def run(self, *arguments: str, exit_code: int = 0) -> str:
        store = ["--store", str(self.folder / "store")]
        done = run_command([*arguments, *store], self.folder)
        assert done.returncode == exit_code, done.stderr
        return done.stdout

    def check(self, source: str, exit_code: int = 0) -> tuple[dict, dict]:
        """What a run says (the summary), and what it finds."""
        (self.folder / "check.yaml").write_text(CHECK.format(source=source))
        summary = json.loads(self.run("run", "-f", "check.yaml", "--output", "json", exit_code=exit_code))
        findings = self.folder / "store/T2_Test" / summary["runId"] / "findings"
        kinds = KINDS if summary["result"] == "Complete" else ()
        return summary, {
            kind: pq.read_table(findings / f"{kind}.parquet").sort_by("path").to_pylist() for kind in kinds
        }


@pytest.fixture(params=["apache", "xrootd"])
def sandbox(request, start_server, tmp_path) -> Sandbox:
    return Sandbox(start_server(request.param), tmp_path)


def test_webdav_and_the_mounted_site_find_the_same(sandbox: Sandbox) -> None:
    mounted, expected = sandbox.check(f"{{posix: {{prefix: {sandbox.server.site}}}}}")
    assert {kind: len(found) for kind, found in expected.items()} == dict(zip(KINDS, (3, 2, 1, 1), strict=True))
    webdav = f"{{webdav: {{servers: ['{sandbox.server.url.replace('http', 'dav')}']}}}}"
    summary, found = sandbox.check(webdav)
    assert found == expected
    same = ("listedFiles", "listedDirectories", "inventoryFiles", "holes", "missing", "orphans", "mismatches")
    assert {name: summary["counts"][name] for name in same} == {name: mounted["counts"][name] for name in same}


@pytest.mark.parametrize("sandbox", ["apache"], indirect=True)
def test_without_its_server_a_run_is_invalid_and_says_which_door_is_shut(sandbox: Sandbox) -> None:
    sandbox.server.stop()
    summary, _ = sandbox.check(f"{{webdav: {{servers: ['{sandbox.server.url}']}}}}", exit_code=1)
    assert summary["result"] == "Invalid"
    assert f"no WebDAV door answers: {sandbox.server.url}: " in summary["reason"]
