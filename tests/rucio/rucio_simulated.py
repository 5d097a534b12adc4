"""The simulated site of the action's tests, managed by Rucio: its world in Rucio's tables, our backend before them.

Written from what Rucio's server and daemons do. What the world says is written into the tables before each look at
them; what is asked of the server comes back from the tables into the world, which judges it. Beside what its Dynamo
judges: Rucio takes a declaration of a last copy without a word, and that must never be made.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rucio_fake import FakeRest
from simulated import SITE, World
from sqlalchemy import Connection, Table

from dynamo_consistency.backend.rucio.backend import RucioBackend
from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue
from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did
from dynamo_consistency.backend.rucio.catalogue.schema import CatalogueTables
from dynamo_consistency.backend.rucio.options import Options
from dynamo_consistency.backend.rucio.requests.registry import Registry
from dynamo_consistency.backend.rucio.rest.client import AnswerError, LostAnswerError, NotDeclared
from dynamo_consistency.errors import BackendError

HERE, DISK, TAPE, RULE = (letter * 32 for letter in "abcd")
TYPES = {"scope": "VARCHAR(25)", "name": "VARCHAR(250)", "path": "VARCHAR(1024)"}
LONG_AGO = "1970-01-01 00:00:00.000000"


class RucioWorld(World):
    """The same site. The dark reaper spares what is registered by then."""

    def __init__(self) -> None:
        super().__init__()
        self.reasons: dict[bytes, str] = {}
        """Of each declaration that is open."""

    def _delete(self) -> None:
        for path in self.deletions.keys() & self.entries.keys():
            del self.deletions[path]
        super()._delete()


class WorldTables:
    """The world as rows of Rucio's tables, in a file of SQLite."""

    def __init__(self, world: World, database: Path) -> None:
        self._world, self._database = world, database
        with closing(sqlite3.connect(database)) as connection, connection:
            for table in vars(CatalogueTables()).values():
                if isinstance(table, Table):
                    columns = {column.name for column in table.c} | {"account", "bytes", "created_at", "updated_at"}
                    kinds = ", ".join(f'"{column}" {TYPES.get(column, "")}' for column in sorted(columns))
                    connection.execute(f"CREATE TABLE {table.name} ({kinds})")
            rse = {"vo": "def", "deterministic": 1, "volatile": 0, "staging_area": 0, "deleted": 0}
            rse |= {f"availability_{what}": 1 for what in ("read", "write", "delete")}
            for number, name, kind in ((HERE, SITE, "DISK"), (DISK, "T2_Other", "DISK"), (TAPE, "T1_Tape", "TAPE")):
                _put(connection, "rses", id=number, rse=name, rse_type=kind, **rse)
            _put(connection, "scopes", scope="cms")
            door = {"scheme": "root", "hostname": "door.example.org", "port": 1094, "prefix": "/"}
            _put(connection, "rse_protocols", rse_id=HERE, read_wan=1, delete_wan=1, **door)

    def write(self) -> None:
        with closing(sqlite3.connect(self._database)) as connection, connection:
            connection.execute("PRAGMA synchronous = OFF")
            for table in (
                "replicas",
                "dids",
                "locks",
                "rules",
                "dataset_locks",
                "bad_replicas",
                "quarantined_replicas",
            ):
                connection.execute(f"DELETE FROM {table}")
            _put(connection, "rules", id=RULE, scope="cms", name="all", expires_at=None)
            for path, entry in self._world.entries.items():
                self._write_file(connection, path, entry)
            for path in self._world.deletions:
                did = {"scope": "cms", "name": _text(path)}
                _put(connection, "quarantined_replicas", rse_id=HERE, path=_text(path)[1:], **did)
            for datasets, ends in ((self._world.protected, None), (self._world.being_deleted, LONG_AGO)):
                for number, name in enumerate(sorted(datasets - {None})):
                    rule = f"{number:031x}{'f' if ends else 'e'}"
                    _put(connection, "rules", id=rule, scope="cms", name=name, expires_at=ends)
                    _put(connection, "dataset_locks", rse_id=HERE, rule_id=rule, scope="cms", name=name)

    def _write_file(self, connection: sqlite3.Connection, path: bytes, entry: Any) -> None:
        did = {"scope": "cms", "name": _text(path)}
        declared = path in self._world.transfers
        state = "D" if declared else "C" if entry.in_flight else "A"
        when = datetime.fromtimestamp(entry.time, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        replica = {**did, "bytes": entry.size, "tombstone": None, "created_at": when, "updated_at": when}
        _put(connection, "dids", **did, did_type="F", availability="A")
        _put(connection, "replicas", rse_id=HERE, state=state, lock_cnt=1, **replica)
        _put(connection, "locks", rse_id=HERE, rule_id=RULE, state="O", **did)
        if entry.elsewhere != "nowhere":
            place = DISK if entry.elsewhere == "disk" else TAPE
            _put(connection, "replicas", rse_id=place, state="A", lock_cnt=1, **replica)
        if declared:
            facts = {"reason": self._world.reasons.get(path, ""), "state": "B", "created_at": when, "updated_at": when}
            _put(connection, "bad_replicas", rse_id=HERE, **did, **facts)


def _put(connection: sqlite3.Connection, table: str, **values: Any) -> None:
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))


class WorldCatalogue(Catalogue):
    """Rucio's catalogue as the world is at this moment."""

    world: World
    rows: WorldTables

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        if self.world.inventory_down:
            raise BackendError("the catalogue is down")
        self.rows.write()
        with super().reading() as connection:
            yield connection


class WorldRest(FakeRest):
    """Rucio's server, which may be down, die or choke; what it took is told to the world.

    Every fifth call gets lost, and every fifth answer.
    """

    def __init__(self, world: RucioWorld, database: Path) -> None:
        super().__init__(database)
        self._world = world
        self._calls = 0

    def declare_bad(self, rse_id: str, dids: Sequence[Did], reason: str) -> dict[Did, NotDeclared]:
        names = {_bytes(did.name): did for did in dids}
        with self._call(names):
            answers = super().declare_bad(rse_id, [names[n] for n in names if n not in self._world.refused], reason)
            for name, did in names.items():
                self._judge_source(name)
                if name not in self._world.refused and did not in answers:
                    assert self._world.transfer(name) == "requested"
                    self._world.reasons[name] = reason
            return {**answers, **{did: "unknown" for name, did in names.items() if name in self._world.refused}}

    def quarantine(self, rse_id: str, files: Mapping[str, Did]) -> None:
        with self._call([b"/" + _bytes(path) for path in files]):
            taken = {path: did for path, did in files.items() if b"/" + _bytes(path) not in self._world.refused}
            if taken:
                super().quarantine(rse_id, taken)
            for path, did in files.items():
                assert (did.scope, did.name) == ("cms", f"/{path}")
                self._world.delete(b"/" + _bytes(path))

    def _judge_source(self, name: bytes) -> None:
        entry = self._world.entries.get(name)
        if entry is not None and entry.elsewhere != "disk":
            self._world.wrongs.append(f"declaration of {name!r}, which no other disk has")

    @contextmanager
    def _call(self, names: Any) -> Iterator[None]:
        world = self._world
        if world.before_call:
            world.before_call.popleft()()
        if world.registry_down:
            raise BackendError("Rucio's server cannot be reached")
        if world.poison & set(names):
            raise AnswerError("its database does not like it", 500, "DatabaseException")
        self._calls += 1
        if self._calls % 5 == 2:
            world.events["call lost"] += 1
            raise LostAnswerError("the line was cut")
        yield
        if world.after_call:
            world.after_call.popleft()()
        if self._calls % 5 == 4:
            world.events["answer lost"] += 1
            raise LostAnswerError("the line was cut")


class SimulatedRucio:
    """Our backend on a world; listing the site, and whether it is ready, are the world's own."""

    def __init__(self, world: RucioWorld, folder: Path) -> None:
        self.world = world
        database = folder / "rucio.db"
        entry = {"database": f"sqlite:///{database}", "lfn2pfn": "cms", "datasetNames": "cms", "type": "rucio"}
        options = Options.model_validate(entry)
        real = RucioBackend(options)
        catalogue = WorldCatalogue(real.catalogue.engine, real.catalogue.tables)
        object.__setattr__(catalogue, "world", world)
        object.__setattr__(catalogue, "rows", WorldTables(world, database))
        real.catalogue = catalogue
        self.DatasetFilter, self.deletion_requests = real.DatasetFilter, real.deletion_requests
        inventory = type(real.inventory)(catalogue, options)
        self._stream = inventory.stream
        self.inventory = SimpleNamespace(
            list_files=inventory.list_files,
            stream=self._breaking,
            look_up=inventory.look_up,
            protected_datasets=inventory.protected_datasets,
        )
        self.registry = Registry(catalogue, options, WorldRest(world, database))  # type: ignore[arg-type]
        self.siteinfo = SimpleNamespace(site_list=lambda: [SITE], ready_sites=lambda: {SITE} if world.ready else set())

    def _breaking(self, site: str) -> Iterator[Any]:
        for batch in self._stream(site):
            breaks = self.world.inventory_breaks_after
            if breaks is not None and breaks < batch.num_rows:
                yield batch.slice(0, breaks)
                raise BackendError("the catalogue is down")
            yield batch

    def check_site(self, site: str) -> bool:
        return self.world.ready

    def get_listers(self, site: str) -> tuple[Callable, list[tuple]]:
        return self.world.list_directory, [()]


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
