"""The cases of `rce_cases.py`, made on a real Rucio and behind a real XRootD door."""

import os
import shutil
import time
import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rce_cases import CASES, Case, directory, path
from rucio_world import Rucio, Site
from xrootd_daemon import Daemon

CONTENT = b"abc"
MONTH_AGO, HOUR_AGO = time.time() - 30 * 86400, time.time() - 3600


class Scene:
    """The RSE `rse`, listed through `door`, and a disk and a tape that have copies."""

    def __init__(self, rucio: Rucio, door: Daemon) -> None:
        self.rucio, self.door = rucio, door
        protocol = {"scheme": "root", "hostname": "127.0.0.1", "port": door.port, "prefix": "/"}
        protocol["impl"] = "rucio.rse.protocols.xrootd.Default"
        self.rse = rucio.rse("RSE", algorithm="cmstfc", protocols=[protocol])
        self.others = {"disk": rucio.rse("DISK"), "tape": rucio.rse("TAPE", rse_type="TAPE")}
        for other in self.others.values():
            rucio.distance(other, self.rse)
        rucio.add_scope("cms")
        self._register()
        for case in CASES:
            self._store(case)
            EXTRAS[case.also](self, case)
        self._age()
        self.lock(0)

    def lock(self, mode: int) -> None:
        for case in CASES:
            if case.also == "locked":
                self.at(directory(case)).chmod(mode)

    def at(self, lfn: bytes) -> Path:
        """Where the door has the file."""
        return Path(os.fsdecode(os.fsencode(self.door.directory) + lfn))

    def _register(self) -> None:
        known = [case for case in CASES if case.known]
        self._replicas(self.rse, known)
        for kind, site in self.others.items():
            self._replicas(site, [case for case in known if case.known.elsewhere == kind])
        held = [did(case) for case in known if case.known.ruled and is_plain(case)]
        self.rucio.ask(
            "POST", "/rules/", {"dids": held, "copies": 1, "rse_expression": self.rse.name, "account": "root"}
        )
        for case in known:
            then = datetime.fromtimestamp(HOUR_AGO if case.known.young else MONTH_AGO, UTC)
            self.change(case, created_at=then, updated_at=then, **case.known.columns)

    def _replicas(self, site: Site, cases: Iterable[Case]) -> None:
        facts = {"bytes": len(CONTENT), "adler32": f"{zlib.adler32(CONTENT):08x}"}
        plain = [{**did(case), **facts} for case in cases if is_plain(case)]
        self.rucio.ask("POST", "/replicas", {"rse": site.name, "files": plain})
        for case in cases:
            if not is_plain(case):
                self.rucio.row(site, did(case)["name"], scope="cms")

    def change(self, case: Case, **values: Any) -> None:
        columns = ", ".join(f"{column} = :{column}" for column in values)
        self.sql(
            f"UPDATE replicas SET {columns} WHERE rse_id = (SELECT id FROM rses WHERE rse = :rse) AND name = :name",
            case,
            **values,
        )

    def sql(self, statement: str, case: Case, **values: Any) -> None:
        self.rucio.sql(statement, rse=self.rse.name, **{**did(case), **values})

    def _store(self, case: Case) -> None:
        if case.stored is not None:
            self.at(directory(case)).mkdir(parents=True, exist_ok=True)
            self.at(path(case)).write_bytes(case.stored)
            if case.beside:
                self.at(directory(case) + b"/" + case.beside).write_bytes(CONTENT)
        elif not case.name:
            self.at(path(case)).mkdir(parents=True)

    def _age(self) -> None:
        """All of it belongs to the door, and has been there for a month, but what is young."""
        for folder, _, names in os.walk(os.fsencode(self.door.store)):
            for entry in (folder, *(folder + b"/" + name for name in names)):
                os.utime(entry, (MONTH_AGO, MONTH_AGO))
                if os.geteuid() == 0:
                    shutil.chown(entry, "xrootd", "xrootd")
        for case in CASES:
            if case.young:
                os.utime(self.at(path(case)), (HOUR_AGO, HOUR_AGO))


def did(case: Case) -> dict[str, str]:
    return {"scope": "cms", "name": case.known.name if case.known and case.known.name else path(case).decode()}


def is_plain(case: Case) -> bool:
    """Does Rucio's server take the name?"""
    return did(case)["name"].isprintable()


def _request(scene: Scene, case: Case) -> None:
    scene.sql(
        "INSERT INTO requests (id, request_type, scope, name, did_type, dest_rse_id, state, created_at, updated_at) "
        "SELECT gen_random_uuid(), 'T', :scope, :name, 'F', id, 'S', now(), now() FROM rses WHERE rse = :rse",
        case,
    )


def _declaration(scene: Scene, case: Case) -> None:
    scene.sql(
        "INSERT INTO bad_replicas (scope, name, rse_id, state, account, created_at, updated_at) "
        "SELECT :scope, :name, id, 'B', 'root', now(), now() FROM rses WHERE rse = :rse",
        case,
    )


def _quarantine(scene: Scene, case: Case) -> None:
    replica = {**did(case), "path": path(case).decode().lstrip("/")}
    scene.rucio.ask("POST", "/replicas/quarantine", {"rse": scene.rse.name, "replicas": [replica]})


def _dataset(scene: Scene, case: Case) -> None:
    """A rule holds its dataset at the RSE."""
    era, primary, tier, version = directory(case).decode().split("/")[3:]
    block = f"/{primary}/{era}-{version}/{tier}#1"
    scene.rucio.dataset(block, [did(CASES[0])["name"]], scope="cms")
    scene.rucio.rule(block, scene.rse, scope="cms")


def _directory(scene: Scene, case: Case) -> None:
    scene.at(directory(case)).mkdir(parents=True)


def _nothing(scene: Scene, case: Case) -> None:
    """What there is, is the case."""


EXTRAS: dict[str, Callable[[Scene, Case], None]] = {
    "": _nothing,
    "locked": _nothing,  # at the very end
    "request": _request,
    "declaration": _declaration,
    "quarantine": _quarantine,
    "dataset": _dataset,
    "directory": _directory,
}
