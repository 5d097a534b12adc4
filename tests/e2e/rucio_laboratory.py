"""An RSE of a real Rucio whose protocol is a real XRootD door, and what has drifted there.

Rucio's daemons reach the same files over a second protocol, `file`.
"""

import os
import time
import zlib
from pathlib import Path
from typing import Any

from rucio_server import RucioServer
from xrootd_daemon import Daemon

SITE, ELSEWHERE, SCOPE = "T2_XX_RSE", "T1_XX_RSE", "cms"
LONG_AGO = time.time() - 90 * 86400
FILES = [f"/store/mc/Era/Primary/AOD/v1/000{number % 4}/file_{number}.root" for number in range(20)]
MISSING, LAST_COPY = FILES[3], FILES[7]
ORPHAN, EMPTY = "/store/mc/Old/Gone/RECO/v1/orphan.root", "/store/mc/Old/Empty"
BEST = {"read": 1, "write": 1, "delete": 1}
LAN = {
    "lan": BEST,
    "wan": {"read": 2, "write": 2, "delete": 1, "third_party_copy_read": 1, "third_party_copy_write": 1},
}
WAN = {"lan": {"read": 2, "write": 0, "delete": 0}, "wan": {"read": 1, "write": 1, "delete": 0}}


class RucioLaboratory:
    """Twenty files known; one is missing that another disk has, one that nobody else has, and one file is unknown."""

    def __init__(self, server: RucioServer, door: Daemon) -> None:
        self.server, self.door = server, door
        self.elsewhere = server.folder / ELSEWHERE
        self._make_rses()
        self._register(SITE, FILES)
        self._register(ELSEWHERE, [name for name in FILES if name != LAST_COPY])
        server.ask(
            "POST", "/rules/", {"dids": self._dids(FILES), "copies": 1, "rse_expression": SITE, "account": "root"}
        )
        server.sql("UPDATE replicas SET created_at = :then, updated_at = :then", then="2020-01-01 00:00:00")
        self._fill_site()

    def _make_rses(self) -> None:
        ask = self.server.ask
        ask("POST", f"/scopes/root/{SCOPE}")
        for name, folder in ((SITE, self.door.directory), (ELSEWHERE, self.elsewhere)):
            ask("POST", f"/rses/{name}", {"rse_type": "DISK"})
            ask("POST", f"/rses/{name}/attr/lfn2pfn_algorithm", {"value": "cmstfc"})
            ask("POST", f"/accountlimits/local/root/{name}", {"bytes": -1})
            self._protocol(name, "file", "posix", hostname="localhost", port=0, prefix=f"{folder}/", domains=LAN)
        self._protocol(SITE, "root", "xrootd", hostname="127.0.0.1", port=self.door.port, prefix="//", domains=WAN)
        ask("POST", f"/rses/{ELSEWHERE}/distances/{SITE}", {"distance": 1})

    def _protocol(self, rse: str, scheme: str, implementation: str, **settings: Any) -> None:
        settings |= {"impl": f"rucio.rse.protocols.{implementation}.Default", "extended_attributes": None}
        self.server.ask("POST", f"/rses/{rse}/protocols/{scheme}", settings)

    def _register(self, rse: str, names: list[str]) -> None:
        facts = [{"bytes": len(name), "adler32": f"{zlib.adler32(name.encode()):08x}"} for name in names]
        files = [did | fact for did, fact in zip(self._dids(names), facts, strict=True)]
        self.server.ask("POST", "/replicas", {"rse": rse, "files": files})

    def _dids(self, names: list[str]) -> list[dict[str, str]]:
        return [{"scope": SCOPE, "name": name} for name in names]

    def _fill_site(self) -> None:
        for name in {*FILES, ORPHAN} - {MISSING, LAST_COPY}:
            self.put(name)
        self.path(EMPTY).mkdir(parents=True)
        for folder, _, _ in os.walk(self.door.store):
            Path(folder).chmod(0o777)  # the door is another user, and is to remove the empty one
            os.utime(folder, (LONG_AGO, LONG_AGO))

    def path(self, name: str) -> Path:
        return self.door.directory / name.lstrip("/")

    def put(self, name: str) -> None:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
        os.utime(path, (LONG_AGO, LONG_AGO))

    def work(self) -> None:
        """What Rucio's daemons do within hours; the transfer tool moves no bytes, so that the file is put there."""
        self.server.run("necromancer")
        for (name,) in self.server.sql("SELECT name FROM requests"):
            self.put(name)
        self.server.run("conveyor")
        self.server.run("dark-reaper", SITE)

    def states(self) -> dict[str, str]:
        """Of the files that are not simply there."""
        rows = self.server.sql(
            "SELECT name, state FROM replicas WHERE rse_id = (SELECT id FROM rses WHERE rse = :rse) AND state <> 'A'",
            rse=SITE,
        )
        return dict(rows)

    def quarantine(self) -> list[str]:
        return ["/" + path.lstrip("/") for (path,) in self.server.sql("SELECT path FROM quarantined_replicas")]

    @property
    def backends(self) -> dict[str, Any]:
        """An entry of backends.yaml."""
        password = self.server.folder / "password"
        password.write_text("secret\n")
        rest = {"url": self.server.url, "account": "root", "auth": "userpass", "username": "ddmlab"}
        rest["passwordFile"] = str(password)
        return {"rucio": {"type": "rucio", "database": self.server.database, "datasetNames": "cms", "rest": rest}}

    def check(self, name: str, **spec: Any) -> dict[str, Any]:
        """A check that leaves it to the RSE how it is listed."""
        act = {"mode": "Enforce", "confirmRuns": 2, "confirmSpanSeconds": 0, "maxFraction": "1"}
        policy = {"missing": act, "orphans": act, "emptyDirectories": {**act, "method": "protocol"}}
        return {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": name},
            "spec": {
                "site": SITE,
                "backend": "rucio",
                "listing": {"roots": [{"path": "/store/mc"}], "shards": 2, "parallelism": 2, "splitDepth": 2},
                "policy": {**policy, "health": {"minListedFraction": "0.5"}, "approval": "Never"},
                **spec,
            },
        }
