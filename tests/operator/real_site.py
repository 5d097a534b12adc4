"""A small real site (a folder) with a small real inventory (SQLite), which has lost two files and has two too many."""

import json
import os
import sqlite3
import subprocess
import time
from pathlib import Path

from real_command import COMMAND

LONG_AGO = time.time() - 30 * 86400
KNOWN = [f"/store/mc/Era/Primary/AOD/v1/0000/file_{number}.root" for number in range(30)]
LOST, ORPHANS = KNOWN[:2], ["/store/mc/Old/Gone/RECO/v1/a b.root", "/store/mc/Old/Gone/RECO/v1/$(HOME).root"]


class RealSite:
    """`prefix` is where it is mounted, `backends` the text of a backends.yaml that leads to its inventory."""

    def __init__(self, folder: Path) -> None:
        self.prefix = folder / "site"
        self.database = folder / "inventory.sqlite"
        self.backends = json.dumps({"backends": {"default": {"type": "dynamo", "url": f"sqlite:///{self.database}"}}})
        for name in [*KNOWN[2:], *ORPHANS]:
            self._put(name)
        for directory, _, _ in os.walk(self.prefix):
            os.utime(directory, (LONG_AGO, LONG_AGO))
        self._import(folder)

    def requested(self) -> list[str]:
        """The files that the registry has been asked to fetch anew."""
        query = 'SELECT name FROM file_subscriptions JOIN files ON files.id = file_id WHERE "delete" = 1'
        with sqlite3.connect(self.database) as database:
            rows = database.execute(query).fetchall()
        return sorted(name if isinstance(name, str) else name.decode() for (name,) in rows)

    def _put(self, name: str) -> None:
        path = self.prefix / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 10)
        os.utime(path, (LONG_AGO, LONG_AGO))

    def _import(self, folder: Path) -> None:
        listing, backends = folder / "files.tsv", folder / "import-backends.yaml"
        listing.write_text("".join(f"{name}\t10\n" for name in KNOWN))
        backends.write_text(self.backends)
        for arguments in (["init"], ["import", "T2_A", str(listing)], ["import", "T1_B", str(listing)]):
            command = [COMMAND, "inventory", *arguments, "--backends", str(backends)]
            subprocess.run(command, check=True, capture_output=True, cwd=folder)
