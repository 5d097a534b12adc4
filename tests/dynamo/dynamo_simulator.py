"""Dynamo's daemons for one site, so that what a registry was asked for really happens to files in a folder.

Written from the behaviour of Dynamo's `fileopd`, file state machine and updater (v2.2 and later), in plain SQL and as
the owner of the database: it shares nothing with the code under test. The site's files are below `folder` under their
LFN; a PFN is `DOOR` followed by the LFN, which is what `map_names` writes as the site's rule.

    simulator = DynamoSimulator(connect(Options(url=url)).inventory, "T2_X", folder)
    simulator.map_names()
    …requests…
    simulator.step()     # each daemon once; `settle` repeats it until nothing is left to do
"""

import os
import random
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

DOOR = "gsiftp://door.example.org:2811"


class File(NamedTuple):
    number: int
    block: int
    size: int
    name: bytes


class DynamoSimulator:
    """`seed`: deletions of a site are carried out in any order, by a pool of processes; this one picks it."""

    def __init__(self, engine: Engine, site: str, folder: Path, seed: int = 0) -> None:
        self.engine, self.site, self.folder = engine, site, folder
        self.order = random.Random(seed)
        self.binary = "BLOB" if engine.dialect.name == "sqlite" else "BINARY"
        with engine.connect() as connection:
            self.number = connection.execute(text("SELECT id FROM sites WHERE name = :name"), {"name": site}).scalar()
        assert self.number is not None, f"there is no site {site}"

    def path(self, lfn: bytes) -> Path:
        """Where the file is in the folder."""
        return Path(os.fsdecode(os.fsencode(self.folder) + lfn))

    def path_of_url(self, url: bytes) -> Path:
        assert url.startswith(DOOR.encode()), url
        return self.path(url.removeprefix(DOOR.encode()))

    def map_names(self) -> None:
        """Write the rule that makes PFNs of LFNs, in whichever form the database has it."""
        rule = {"site": self.number, "to": DOOR + "{0}"}
        with self.engine.begin() as db:
            columns = set(db.execute(text("SELECT * FROM filename_mappings LIMIT 0")).keys())
            if "protocol_id" in columns:
                db.execute(text("INSERT INTO transfer_protocols (protocol) VALUES ('gfal2')"))
                protocol = db.execute(text("SELECT id FROM transfer_protocols WHERE protocol = 'gfal2'")).scalar()
                column = "protocol_id"
            else:
                protocol, column = "gfal2", "protocol"
            db.execute(
                text(
                    f"INSERT INTO filename_mappings (site_id, {column}, chain_id, `index`, lfn_pattern, pfn_pattern) "
                    "VALUES (:site, :protocol, 0, 0, '(/.*)', :to)"
                ),
                {**rule, "protocol": protocol},
            )

    def step(self) -> int:
        """Each daemon once; the number of rows on which one did something."""
        return self.fileopd() + self.file_operations() + self.updater()

    def settle(self, steps: int = 20) -> None:
        """Steps until nothing is left to do. What is held stays."""
        for _ in range(steps):
            if self.step() == 0:
                return
        raise AssertionError(f"Dynamo has not come to rest after {steps} steps")

    def fileopd(self) -> int:
        """`unmanaged_deletions`: the row goes first, then one attempt is made, whatever comes of it."""
        query = f"SELECT id, CAST(url AS {self.binary}) FROM unmanaged_deletions WHERE site = :site"
        with self.engine.begin() as db:
            rows = [tuple(row) for row in db.execute(text(query), {"site": self.site})]
            self.order.shuffle(rows)
            for number, url in rows:
                db.execute(text("DELETE FROM unmanaged_deletions WHERE id = :id"), {"id": number})
                path = self.path_of_url(bytes(url))
                try:
                    (path.rmdir if path.is_dir() and not path.is_symlink() else path.unlink)()
                except OSError:
                    continue
        return len(rows)

    def file_operations(self) -> int:
        """The file state machine: open subscriptions are carried out, and become `done`, `held` or `cancelled`."""
        query = f"""
            SELECT s.id, s.file_id, s.status, s.`delete`, f.block_id, f.size, CAST(f.name AS {self.binary})
            FROM file_subscriptions s LEFT JOIN files f ON f.id = s.file_id
            WHERE s.site_id = :site AND s.status IN ('new', 'inbatch', 'retry', 'cancelled')"""
        with self.engine.begin() as db:
            rows = db.execute(text(query), {"site": self.number}).all()
            for number, file, status, delete, block, size, name in rows:
                if status == "cancelled" or name is None:
                    db.execute(text("DELETE FROM file_subscriptions WHERE id = :id"), {"id": number})
                    continue
                end, reason = self._carry_out(db, File(file, block, size, bytes(name)), bool(delete))
                db.execute(
                    text("UPDATE file_subscriptions SET status = :status, hold_reason = :reason WHERE id = :id"),
                    {"status": end, "reason": reason, "id": number},
                )
        return len(rows)

    def updater(self) -> int:
        """What is `done` is applied to the inventory, and what a replica then lacks is subscribed again."""
        query = """
            SELECT s.id, s.file_id, s.`delete`, f.block_id FROM file_subscriptions s JOIN files f ON f.id = s.file_id
            WHERE s.site_id = :site AND s.status = 'done'"""
        with self.engine.begin() as db:
            rows = db.execute(text(query), {"site": self.number}).all()
            for number, file, delete, block in rows:
                (self._drop if delete else self._add)(db, file, block)
                db.execute(text("DELETE FROM file_subscriptions WHERE id = :id"), {"id": number})
            for block in {block for _, _, delete, block in rows if delete}:
                self._subscribe_lacking(db, block)
        return len(rows)

    def _carry_out(self, db: Connection, file: File, delete: bool) -> tuple[str, str | None]:
        """Status and hold_reason afterwards."""
        if self._replica(db, file.block) is None:
            return "cancelled", None
        if self._claims(db, self.number, file.number, file.block) != delete:
            return "done", None
        path = self.path(file.name)
        if delete:
            path.unlink(missing_ok=True)
            return "done", None
        if not self._has_source(db, file.number, file.block):
            return "held", "no_source"
        if not path.exists():  # a file that is there is taken for the transferred one, whatever its size
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as target:
                target.truncate(file.size)
        return "done", None

    def _has_source(self, db: Connection, file: int, block: int) -> bool:
        query = """
            SELECT r.site_id FROM block_replicas r JOIN sites s ON s.id = r.site_id
            WHERE r.block_id = :block AND r.site_id <> :site AND s.status = 'ready'
            AND s.storage_type IN ('disk', 'mss')"""
        sites = db.execute(text(query), {"block": block, "site": self.number}).scalars().all()
        return any(self._claims(db, site, file, block) for site in sites)

    def _replica(self, db: Connection, block: int, site: int | None = None) -> tuple[int, int] | None:
        """(complete, owner) of the block's replica at the site."""
        query = "SELECT is_complete, group_id FROM block_replicas WHERE block_id = :block AND site_id = :site"
        row = db.execute(text(query), {"block": block, "site": site or self.number}).first()
        return None if row is None else (row[0], row[1])

    def _claims(self, db: Connection, site: int, file: int, block: int) -> bool:
        replica = self._replica(db, block, site)
        return replica is not None and (bool(replica[0]) or file in self._listed(db, block, site))

    def _listed(self, db: Connection, block: int, site: int | None = None) -> set[int]:
        query = "SELECT file_id FROM block_replica_files WHERE block_id = :block AND site_id = :site"
        return set(db.execute(text(query), {"block": block, "site": site or self.number}).scalars())

    def _files(self, db: Connection, block: int) -> set[int]:
        return set(db.execute(text("SELECT id FROM files WHERE block_id = :block"), {"block": block}).scalars())

    def _write_replica(self, db: Connection, block: int, files: set[int]) -> None:
        """Store which files of the block are at the site: none leaves no replica, all leave no single rows."""
        here = {"block": block, "site": self.number}
        db.execute(text("DELETE FROM block_replica_files WHERE block_id = :block AND site_id = :site"), here)
        complete = files == self._files(db, block)
        if not files:
            db.execute(text("DELETE FROM block_replicas WHERE block_id = :block AND site_id = :site"), here)
            return
        for file in () if complete else files:
            db.execute(
                text("INSERT INTO block_replica_files (block_id, site_id, file_id) VALUES (:block, :site, :file)"),
                {**here, "file": file},
            )
        db.execute(
            text(
                "UPDATE block_replicas SET is_complete = :complete, last_update = CURRENT_TIMESTAMP "
                "WHERE block_id = :block AND site_id = :site"
            ),
            {**here, "complete": int(complete)},
        )

    def _held(self, db: Connection, block: int) -> set[int]:
        replica = self._replica(db, block)
        if replica is None:
            return set()
        return self._files(db, block) if replica[0] else self._listed(db, block)

    def _drop(self, db: Connection, file: int, block: int) -> None:
        if file in (held := self._held(db, block)):
            self._write_replica(db, block, held - {file})

    def _add(self, db: Connection, file: int, block: int) -> None:
        if self._replica(db, block) is not None:
            self._write_replica(db, block, self._held(db, block) | {file})

    def _subscribe_lacking(self, db: Connection, block: int) -> None:
        replica = self._replica(db, block)
        if replica is None or replica[0] or not replica[1]:
            return
        for file in self._files(db, block) - self._listed(db, block):
            here = {"file": file, "site": self.number}
            where = "WHERE file_id = :file AND site_id = :site AND `delete` ="
            open_deletion = f"{where} 1 AND status IN ('new', 'inbatch', 'retry', 'held')"
            db.execute(text(f"UPDATE file_subscriptions SET status = 'cancelled' {open_deletion}"), here)
            known = db.execute(text(f"SELECT id FROM file_subscriptions {where} 0"), here).first()
            db.execute(
                text(
                    f"UPDATE file_subscriptions SET status = 'new', last_update = CURRENT_TIMESTAMP {where} 0"
                    if known
                    else "INSERT INTO file_subscriptions (file_id, site_id, status, `delete`, created, last_update) "
                    "VALUES (:file, :site, 'new', 0, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)"
                ),
                here,
            )
