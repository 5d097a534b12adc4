"""A small real site (a folder) and a small real inventory (SQLite), and the command that checks them."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from real_command import COMMAND, run_command

LONG_AGO = time.time() - 30 * 86400

CHECK = """\
apiVersion: consistency.dynamo.io/v1alpha1
kind: SiteConsistencyCheck
metadata: {{name: t2-test}}
spec:
  site: T2_Test
  listing:
    source: {{posix: {{prefix: {prefix}}}}}
    roots: [{{path: /store/mc}}, {{path: /store/data}}]
    shards: 3
    splitDepth: 2
"""


@dataclass
class Sandbox:
    """A folder with a site, an inventory and a check; `run` calls the command there."""

    folder: Path
    command: str = COMMAND
    complaint: str = ""

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def check(self) -> Path:
        return self.folder / "check.yaml"

    def put(self, name: str, size: int, when: float = LONG_AGO) -> None:
        path = self.folder / "site" / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
        os.utime(path, (when, when))

    def remove(self, name: str) -> None:
        (self.folder / "site" / name.lstrip("/")).unlink()

    def age_directories(self) -> None:
        for directory, _, _ in os.walk(self.folder / "site"):
            os.utime(directory, (LONG_AGO, LONG_AGO))

    def import_inventory(self, files: dict[str, int], site: str = "T2_Test") -> None:
        listing = self.folder / "files.tsv"
        listing.write_text("".join(f"{name}\t{size}\n" for name, size in files.items()))
        self.run("inventory", "init")
        self.run("inventory", "import", site, str(listing))

    def run(self, *arguments: str, exit_code: int = 0, store: bool = True, env: Mapping[str, str] = os.environ) -> str:
        """stdout of the command, which must end with `exit_code`; `store`: in our store."""
        where = ["--store", str(self.store)] if store else []
        done = run_command([*arguments, *where], self.folder, env)
        assert done.returncode == exit_code, done.stderr
        self.complaint = done.stderr
        return done.stdout


def name_of(number: int) -> str:
    return f"/store/mc/Era/Primary/AOD/v{number % 3 + 1}/{number % 7:04d}/file_{number}.root"


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """An empty one, with the check in it."""
    sandbox = Sandbox(tmp_path)
    (tmp_path / "site/store/mc").mkdir(parents=True)
    (tmp_path / "site/store/data").mkdir(parents=True)
    sandbox.check.write_text(CHECK.format(prefix=tmp_path / "site"))
    return sandbox


@pytest.fixture
def drifted(sandbox: Sandbox) -> Sandbox:
    """One that has drifted: 3 missing, 2 orphans, 1 mismatch, 1 empty directory, among 200 files."""
    known = {name_of(number): 100 + number for number in range(200)}
    for name, size in known.items():
        sandbox.put(name, size)
    for number in (3, 50, 77):
        sandbox.remove(name_of(number))
    sandbox.put(name_of(10), 5)
    for number in range(2):
        sandbox.put(f"/store/data/Old/Gone/RECO/v1/orphan {number}.root", 50)
    (sandbox.folder / "site/store/data/Old/Gone/RECO/v2").mkdir()
    sandbox.age_directories()
    sandbox.import_inventory(known)
    return sandbox


@pytest.fixture
def name() -> Callable[[int], str]:
    """The LFN of file number n of the drifted sandbox."""
    return name_of
