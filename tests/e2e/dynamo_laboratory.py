"""A site behind a real XRootD door, and its inventory in a real MariaDB, that have drifted apart."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from dynamo_world import World
from xrootd_daemon import Daemon

SITE, DOOR = "T2_XX_Laboratory", "gsiftp://door.example.org:2811"
LONG_AGO = time.time() - 90 * 86400
FOLDER = "/store/mc/Era/Primary/AOD/v1"
MISSING = [f"{FOLDER}/000{number}/file_{number}.root" for number in (3, 7)]
ORPHANS = [f"/store/data/Old/Gone/RECO/v1/orphan {number}.root" for number in range(3)]
FILES = [f"{FOLDER}/000{number % 8}/file_{number}.root" for number in range(40)]


class Laboratory:
    """Forty files known, two of them missing at the site, and three orphans there."""

    def __init__(self, world: World, door: Daemon) -> None:
        self.world, self.door = world, door
        self._fill_inventory()
        self._fill_site()

    def _fill_inventory(self) -> None:
        world = self.world
        group, here, other = world.group("DataOps"), world.site(SITE), world.site("T1_XX_Elsewhere")
        block = world.block(world.dataset("/Primary/Era-v1/AOD"), "/Primary/Era-v1/AOD#1")
        for name in FILES:
            world.file(block, name.encode(), size=len(name))
        world.replica(block, here, group)
        world.replica(block, other, group)
        rule = {"chain_id": 0, "index": 0, "lfn_pattern": "(/.*)", "pfn_pattern": DOOR + "{0}"}
        world.insert("filename_mappings", protocol="gfal2", site_id=here, **rule)

    def _fill_site(self) -> None:
        for name in {*FILES, *ORPHANS} - set(MISSING):
            self.put(name)
        for folder, _, _ in os.walk(self.door.store):
            os.utime(folder, (LONG_AGO, LONG_AGO))

    def path(self, name: str) -> Path:
        return self.door.store / name.removeprefix("/store/")

    def put(self, name: str) -> None:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * len(name))
        os.utime(path, (LONG_AGO, LONG_AGO))

    def fall_silent(self) -> None:
        """The door keeps its connections and answers nothing."""
        self.door.freeze()

    def speak_again(self) -> None:
        assert self.door.process is not None
        self.door.process.send_signal(signal.SIGCONT)

    @property
    def backends(self) -> dict[str, Any]:
        """An entry of backends.yaml."""
        return {"default": {"type": "dynamo", "url": self.world.url}}

    def deletions(self) -> list[str]:
        """What waits to be deleted at the site, as LFNs."""
        rows = self.world.execute("SELECT url FROM unmanaged_deletions ORDER BY url")
        return [(url.decode() if isinstance(url, bytes) else url).removeprefix(DOOR) for (url,) in rows]

    def transfers(self) -> list[str]:
        """What waits to be fetched again: Dynamo first unlinks it."""
        query = "SELECT name FROM file_subscriptions JOIN files ON files.id = file_id WHERE `delete` = 1 ORDER BY name"
        return [name.decode() if isinstance(name, bytes) else name for (name,) in self.world.execute(query)]

    def check(self, name: str, **spec: Any) -> dict[str, Any]:
        """A check of the site that acts on what two runs have found, after a person's approval."""
        act = {"mode": "Enforce", "confirmRuns": 2, "confirmSpanSeconds": 0, "maxFraction": "1"}
        enforce = dict.fromkeys(("missing", "orphans"), act)
        return {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": name},
            "spec": {
                "site": SITE,
                "listing": {
                    "source": {"xrootd": {"servers": [self.door.url]}},
                    "roots": [{"path": "/store/mc"}, {"path": "/store/data"}],
                    "shards": 2,
                    "parallelism": 2,
                    "splitDepth": 2,
                },
                "policy": {**enforce, "approval": "Required"},
                **spec,
            },
        }
