"""A whole run of the command on an RSE: the catalogue says what there is, and how it is listed."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from real_command import run_command

LONG_AGO = time.time() - 30 * 86400

CHECK = """\
apiVersion: consistency.dynamo.io/v1alpha1
kind: SiteConsistencyCheck
metadata: {{name: rse}}
spec:
  site: {site}
  listing: {{roots: [{{path: /{scope}}}]}}
  comparison: {{ignoreAgeSeconds: 3600}}
"""


def run(rucio, site, **settings) -> dict:
    """The summary of a complete run, and the findings of each kind."""
    done = started(rucio, site, **settings)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for kind in ("missing", "orphan", "mismatch"):
        text = _command(rucio.folder, "findings", site.name, "--kind", kind).stdout
        found[kind] = [line.removeprefix(f"/{rucio.scope}/") for line in text.splitlines()]
    return found


def started(rucio, site, **settings) -> subprocess.CompletedProcess:
    folder = rucio.folder
    (folder / "check.yaml").write_text(CHECK.format(site=site.name, scope=rucio.scope))
    (folder / "backends.yaml").write_text(json.dumps({"backends": {"default": rucio.entry(**settings)}}))
    return _command(folder, "run", "-f", "check.yaml", "--backends", "backends.yaml", "--output", "json")


def _command(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return run_command([*arguments, "--store", str(folder / "store")], folder)


def settle(rucio, site) -> None:
    """All of it has been there for long."""
    rucio.sql("UPDATE replicas SET updated_at = '2020-01-01 00:00:00.000000' WHERE scope = :scope", scope=rucio.scope)
    for path in [site.folder, *site.folder.rglob("*")]:
        os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.fixture
def drifted(rucio):
    """One file of each kind: healthy, missing, of another size, dark, in flight in some way, and in quarantine."""
    site = rucio.rse(algorithm="identity")
    for name in ("healthy", "gone", "shrunk", "expiring", "bad", "copying"):
        rucio.file(site, name, b"12345")
    for name in ("gone", "expiring", "bad", "copying"):
        (site.folder / rucio.scope / name).unlink()
    rucio.store(site, f"{rucio.scope}/shrunk", b"1")
    rucio.store(site, f"{rucio.scope}/dark")
    for name, columns in {
        "expiring": "tombstone = '2020-01-01'",
        "bad": "state = 'D'",
        "copying": "state = 'C'",
    }.items():
        rucio.sql(f"UPDATE replicas SET {columns} WHERE scope = :scope AND name = :name", scope=rucio.scope, name=name)
    settle(rucio, site)
    return site


def test_a_run_finds_what_has_drifted_and_nothing_that_is_in_flight(rucio, drifted):
    found = run(rucio, drifted, rest=rucio.rest_options())
    assert found["result"] == "Complete"
    assert (found["missing"], found["orphan"], found["mismatch"]) == (["gone"], ["dark"], ["shrunk"])
    assert found["counts"]["inventoryFiles"] == 6


def test_files_whose_path_nobody_knows_are_counted(rucio_sqlite):
    rucio = rucio_sqlite
    here, there = rucio.rse("HERE", deterministic=False), rucio.rse("THERE")
    rucio.distance(there, here)
    rucio.file(there, "coming")
    rucio.rule("coming", here)
    rucio.file(here, "known", pfn=f"file://localhost:0{here.folder}/{rucio.scope}/known")
    rucio.store(here, f"{rucio.scope}/dark")
    settle(rucio, here)
    found = run(rucio, here)
    assert found["orphan"] == ["dark"]
    assert found["counts"]["unplacedFiles"] == 1


def test_a_run_with_the_wrong_lfn2pfn_does_not_begin(rucio_sqlite):
    site = rucio_sqlite.rse(algorithm="identity")
    rucio_sqlite.file(site, "f")
    done = started(rucio_sqlite, site, lfn2pfn="hash", rest=rucio_sqlite.rest_options())
    assert done.returncode == 1
    assert "lfn2pfn is not what Rucio's server does" in done.stderr


def test_a_run_with_the_wrong_lfn2pfn_and_nobody_to_ask_is_invalid(rucio_sqlite):
    site = rucio_sqlite.rse(algorithm="identity")
    rucio_sqlite.file(site, "f")
    done = started(rucio_sqlite, site, lfn2pfn="cms")
    assert done.returncode == 1
    assert json.loads(done.stdout)["result"] == "Invalid"
