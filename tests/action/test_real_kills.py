"""The real command on a real folder and a real database, killed at every moment of its action (rules.md, gate 7)."""

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import killing
import pyarrow.parquet as pq
import pytest

COMMAND = str(Path(sys.executable).with_name("dynamo-consistency"))
LONG_AGO = time.time() - 30 * 86400
CHECK = """\
apiVersion: consistency.dynamo.io/v1alpha1
kind: SiteConsistencyCheck
metadata: {{name: t2-test}}
spec:
  site: T2_Test
  listing: {{source: {{posix: {{prefix: {folder}/site}}}}, roots: [{{path: /store/mc}}], retries: 0}}
  policy:
    missing: &rule {{mode: Enforce, maxFraction: null, confirmRuns: 2, confirmSpanSeconds: 0}}
    orphans: *rule
    mismatches: *rule
    emptyDirectories: *rule
    health: {{minListedFraction: "0.8"}}
    approval: Required
"""
AOD, RECO = "/store/mc/E/P/AOD/v1", "/store/mc/E/P/RECO/v1"
ORPHANS = ["/store/mc/Old/P/AOD/v1/o 1", "/store/mc/Old/P/AOD/v1/$(touch pwned);`touch pwned`'\"&|.root"]
HOLLOW = ["/store/mc/Old/P/AOD/v2/e", "/store/mc/Old/P/AOD/v2"]
TRANSFERS = [f"{AOD}/f0", f"{RECO}/f0"]


class Site:
    """A folder with the site, the store with the embedded Dynamo database, and the check."""

    def __init__(self, folder: Path, in_a_process: Callable[[str, int, list[str]], int | None]) -> None:
        self.folder, self.in_a_process = folder, in_a_process
        self.store = folder / "store"
        self.database = self.store / "inventory.sqlite"
        folder.joinpath("check.yaml").write_text(CHECK.format(folder=folder))

    def put(self, name: str, size: int = 10) -> None:
        path = self.folder / "site" / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
        os.utime(path, (LONG_AGO, LONG_AGO))

    @property
    def run(self) -> Path:
        """The last run."""
        return max(path for path in (self.store / "T2_Test").iterdir() if path.is_dir())

    def requests(self) -> Counter:
        """What stands in the tables of the registry."""
        with sqlite3.connect(self.database) as database:
            urls = database.execute("SELECT CAST(url AS BLOB) FROM unmanaged_deletions").fetchall()
            files = database.execute(
                "SELECT CAST(name AS BLOB) FROM file_subscriptions s JOIN files f ON f.id = file_id WHERE s.`delete`"
            ).fetchall()
        return Counter(row[0].removeprefix(b"gsiftp://door") for row in [*urls, *files])

    def forget_requests(self) -> None:
        """As if nothing had ever been asked for."""
        with sqlite3.connect(self.database) as database:
            database.execute("DELETE FROM unmanaged_deletions")
            database.execute("DELETE FROM file_subscriptions")
        for path in (self.run / "actions").glob("*"):
            path.unlink()
        (self.run / "actions.parquet").unlink(missing_ok=True)

    def command(self, *arguments: str, fatal: int = 0) -> int | None:
        """The exit code of the command, or minus the signal that ended it."""
        return self.in_a_process(str(self.folder), fatal, [*arguments])

    def act(self, fatal: int = 0) -> int | None:
        return self.command(*self.action(), fatal=fatal)

    def action(self) -> list[str]:
        return ["stage", "action", "--run-dir", str(self.run), "--approve", self.run.name]


@pytest.fixture(scope="module")
def in_a_process() -> Callable[[str, int, list[str]], int | None]:
    """Runs the command in a process of its own, made by one that has it loaded already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["killing", "dynamo_consistency.run.pipeline", "dynamo_consistency.backend.dynamo"])

    def run(folder: str, fatal: int, arguments: list[str]) -> int | None:
        process = context.Process(target=killing.child, args=(fatal, folder, arguments))
        process.start()
        process.join(60)
        return process.exitcode

    return run


@pytest.fixture(scope="module")
def site(tmp_path_factory, in_a_process) -> Site:
    """Two files to be fetched anew, two orphans, two empty directories: found by two runs, and not acted on yet."""
    site = Site(tmp_path_factory.mktemp("kills"), in_a_process)
    known = [f"{folder}/f{number}" for folder in (AOD, RECO) for number in range(4)]
    for name in [*known, *ORPHANS]:
        site.put(name)
    site.folder.joinpath("files.tsv").write_text("".join(f"{name}\t10\n" for name in known))
    (site.folder / "site" / TRANSFERS[0].lstrip("/")).unlink()
    site.put(TRANSFERS[1], 3)
    (site.folder / "site" / HOLLOW[0].lstrip("/")).mkdir(parents=True)
    for directory, _, _ in os.walk(site.folder / "site"):
        os.utime(directory, (LONG_AGO, LONG_AGO))
    here = ("--store", str(site.store))
    assert site.command("inventory", "init", *here) == 0
    for name in ("T2_Test", "T2_Other"):
        assert site.command("inventory", "import", name, "files.tsv", *here) == 0
    with sqlite3.connect(site.database) as database:
        database.execute(
            "INSERT INTO filename_mappings (site_id, protocol, chain_id, `index`, lfn_pattern, pfn_pattern) "
            "SELECT id, 'gfal2', 0, 0, '(/.*)', 'gsiftp://door{0}' FROM sites WHERE name = 'T2_Test'"
        )
        database.execute("UPDATE sites SET storage_type = 'disk', status = 'ready'")
        database.execute("UPDATE block_replicas SET last_update = 0")
    for _ in range(2):
        assert site.command("run", "-f", "check.yaml", *here) == 0
    assert site.requests() == Counter()
    return site


def rows(site: Site) -> dict[bytes, dict]:
    return {row["path"]: row for row in pq.read_table(site.run / "actions.parquet").to_pylist()}


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_the_registry_has_each_request_once(site):
    wanted = Counter(name.encode() for name in [*TRANSFERS, *ORPHANS, *HOLLOW])
    for moment in range(1, 200):
        site.forget_requests()
        code = site.act(moment)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        assert set(site.requests()) <= set(wanted)
        assert site.act() == 0
        assert site.requests() == wanted, f"after a death at moment {moment}"
        told = rows(site)
        assert set(told) == set(wanted)
        assert {row["outcome"] for row in told.values()} <= {"requested", "waiting", "unanswered"}
        assert all(row["asked_at"] for row in told.values())
    assert moment > 15, "the action ended before it could be killed often enough"
    assert not list(site.folder.rglob("pwned"))


def test_of_two_actions_at_once_the_second_is_refused(site):
    """Two processes of the real command; the first is held up while it has the lock."""
    site.forget_requests()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    hold = (
        "import sys, killing; from dynamo_consistency.run.action import action; request = action.requests.request\n"
        "def slow(*arguments, **options):\n"
        "    print('asking', flush=True); sys.stdin.readline(); return request(*arguments, **options)\n"
        "action.requests.request = slow\n"
        "killing.main(sys.argv[1:])"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", hold, *site.action()],
        cwd=site.folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert first.stdout.readline() == "asking\n"
        second = subprocess.run([COMMAND, *site.action()], cwd=site.folder, capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert "another action of T2_Test is under way; nothing was requested by this one" in second.stderr
        assert site.requests() == Counter()
        first.communicate("\n" * 50, timeout=60)
        assert first.returncode == 0
    finally:
        first.kill()
        first.wait()
    assert set(site.requests().values()) == {1}
    assert len(site.requests()) == 6


def test_a_lock_dies_with_its_holder(site):
    site.forget_requests()
    assert site.act(2) == -signal.SIGKILL
    assert site.act() == 0
