"""Dynamo's databases: every generation of the schema on MariaDB, and our own, also on SQLite."""

import contextlib
import itertools
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pymysql

from dynamo_consistency.backend.dynamo import DynamoBackend, Options, open_backend

SCHEMAS = Path(__file__).parent / "schemas"
GENERATIONS = {
    "master": (["master.sql"], ["master_register.sql"]),
    "innodb": (["master.sql", "innodb.sql"], ["master_register.sql"]),
    "production": (["master.sql", "production.sql"], ["production_register.sql"]),
}
ROOT_PASSWORD = "root+pass/word@1"
_numbers = itertools.count(1)


class Server:
    """A MariaDB server on this machine whose local time is five hours ahead of UTC."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.admin: pymysql.Connection | None = None
        self.spare: dict[str, list[World]] = defaultdict(list)

    def connect(self, database: str | None = None, **options) -> pymysql.Connection:
        given = {"user": "root", "password": ROOT_PASSWORD, "charset": "utf8mb4", "autocommit": True, **options}
        return pymysql.connect(host="127.0.0.1", port=self.port, database=database, **given)

    def execute(self, sql: str, values: tuple = (), database: str | None = None) -> list[tuple]:
        if self.admin is None:
            self.admin = self.connect()
        if database:
            self.admin.select_db(database)
        with self.admin.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    def load(self, database: str, files: list[str]) -> None:
        for file in files:
            for statement in (SCHEMAS / file).read_text().split(";\n"):
                if statement.strip():
                    self.execute(statement, database=database)

    def new_world(self, generation: str) -> "World":
        name = f"dynamo{next(_numbers)}"
        for database in (name, f"{name}register"):
            self.execute(f"CREATE DATABASE {database} CHARACTER SET utf8mb4")
            self.execute(f"GRANT SELECT ON {database}.* TO reader@'127.0.0.1'")
        world = World(self.url(name), server=self)
        if generation == "ours":
            world.backend().init()
        else:
            inventory, register = GENERATIONS[generation]
            self.load(name, inventory)
            self.load(f"{name}register", register)
        return world

    def url(self, database: str, user: str = "root", password: str = ROOT_PASSWORD, driver: str = "pymysql") -> str:
        plain = "?ssl_disabled=true" if driver == "pymysql" else ""  # loading certificates takes 50 ms each time
        return f"mysql+{driver}://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}{plain}"


class World:
    """A pair of databases, and words to put things into them."""

    def __init__(self, url: str, register_url: str | None = None, server: Server | None = None) -> None:
        self.url, self.register_url, self.server = url, register_url, server
        self.name = url.rsplit("/", 1)[-1].partition("?")[0] if server else url.removeprefix("sqlite:///")
        self.ids = itertools.count(1)

    def backend(self, **options) -> DynamoBackend:
        return open_backend(Options(**{"url": self.url, "register_url": self.register_url, **options}))

    def execute(self, sql: str, values: tuple = ()) -> list[tuple]:
        """`%s` are the values; `{register}` stands before the tables of requests."""
        if self.server:
            return self.server.execute(sql.replace("{register}", f"{self.name}register."), values, self.name)
        with contextlib.closing(sqlite3.connect(self.name)) as connection, connection:
            return connection.execute(sql.replace("{register}", "").replace("%s", "?"), values).fetchall()

    def insert(self, table: str, **values) -> None:
        columns = ", ".join(f"`{column}`" for column in values)
        marks = ", ".join(self._mark(column, value) for column, value in values.items())
        self.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(values.values()))

    def _mark(self, column: str, value: object) -> str:
        if column in ("last_update", "created", "request_time", "timestamp"):
            return "FROM_UNIXTIME(%s)" if self.server else "datetime(%s, 'unixepoch')"
        return "CAST(%s AS TEXT)" if isinstance(value, bytes) and not self.server else "%s"

    def site(self, name: str, status: str = "ready", storage: str = "disk") -> int:
        number = next(self.ids)
        self.insert("sites", id=number, name=name, status=status, storage_type=storage)
        return number

    def group(self, name: str) -> int:
        number = next(self.ids)
        self.insert("`groups`", id=number, name=name)
        return number

    def dataset(self, name: str, status: str = "VALID") -> int:
        number = next(self.ids)
        self.insert("datasets", id=number, name=name, status=status, last_update=0, is_open=0)
        return number

    def block(self, dataset: int, name: str) -> int:
        number = next(self.ids)
        self.insert("blocks", id=number, dataset_id=dataset, name=name, is_open=0, last_update=0)
        return number

    def file(self, block: int, name: bytes, size: int = 1) -> int:
        number = next(self.ids)
        self.insert("files", id=number, block_id=block, size=size, name=name)
        return number

    def many_files(self, number: int, name: str = "CONCAT('/store/', REPEAT('x', 400), seq)", size: str = "1") -> None:
        """So many in one complete block of T2_HERE; name and size in the SQL of MariaDB, by a number `seq`."""
        block = self.block(self.dataset("/A"), "b")
        self.replica(block, self.site("T2_HERE"), self.group("g"))
        self.execute(f"INSERT INTO files (block_id, size, name) SELECT {block}, {size}, {name} FROM seq_1_to_{number}")

    def replica(self, block: int, site: int, group: int, complete: bool = True, last_update: int = 0) -> None:
        self.insert(
            "block_replicas",
            block_id=block,
            site_id=site,
            group_id=group,
            is_complete=int(complete),
            last_update=last_update,
        )

    def claim(self, block: int, site: int, file: int) -> None:
        self.insert("block_replica_files", block_id=block, site_id=site, file_id=file)

    def subscription(self, file: int, site: int, delete: int, status: str = "new") -> None:
        self.insert("file_subscriptions", file_id=file, site_id=site, delete=delete, status=status, created=1)

    def in_flight(self, site: str) -> dict[bytes, bool]:
        """What the stream says of each file at the site."""
        rows = [row for batch in self.backend().inventory.stream(site) for row in batch.to_pylist()]
        found = {row["path"]: row["in_flight"] for row in rows}
        assert len(found) == len(rows)
        return found


@contextlib.contextmanager
def empty_worlds(server: Server) -> Iterator[Callable[..., World]]:
    """Makes empty databases of a generation ("master", "innodb", "production"), or of our own ("ours").

    Databases are emptied and used again, because making them takes most of the time; a test that changes their tables
    asks for new ones.
    """
    used = []

    def make(generation: str, new: bool = False) -> World:
        spare = server.spare[generation]
        world = server.new_world(generation) if new or not spare else spare.pop()
        used.append((generation, new, world))
        return world

    yield make
    for generation, new, world in used:
        for database in (world.name, f"{world.name}register"):
            if new:
                server.execute(f"DROP DATABASE IF EXISTS {database}")
                continue
            for (table,) in server.execute("SHOW TABLES", database=database):
                server.execute(f"DELETE FROM `{table}`")
        if not new:
            server.spare[generation].append(world)
