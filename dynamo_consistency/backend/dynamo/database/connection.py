"""Connections to Dynamo's databases: where they are, with which credentials, and how a session is set up."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import URL, Connection, Engine, make_url

from dynamo_consistency.backend.dynamo.options import Options
from dynamo_consistency.backend.sql import engines, errors
from dynamo_consistency.backend.sql.reading import opened
from dynamo_consistency.backend.sql.reading import reading as _reading

_SESSION = "SET SESSION time_zone = @@global.time_zone, sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"
"""Dynamo writes times as its server's local time, so that is the zone in which they are read. In strict mode the
server refuses what it would otherwise cut short."""

_INSTALL = "write mysql+pymysql:// instead, or install dynamo-consistency[mysqlclient]"
_IF_LACKING = "`dynamo-consistency inventory init` makes one, and --backends names another inventory"


@dataclass(frozen=True)
class Databases:
    """Dynamo's databases. On SQLite all are one file: the names of the tables that we use do not clash."""

    inventory: Engine
    register: Engine
    history: Engine


def connect(options: Options) -> Databases:
    """Engines for the databases of `options`; nothing is asked of a server yet.

    Raises ConfigurationError for a password file that cannot be read or a driver that is not installed.
    """
    inventory = _url(options.url, options.password_file)

    def beside(text: str | None, suffix: str) -> URL:
        if text is not None:
            return _url(text, options.password_file)
        embedded = inventory.get_backend_name() == "sqlite"
        return inventory if embedded else inventory.set(database=f"{inventory.database}{suffix}")

    return Databases(
        inventory=_engine(inventory),
        register=_engine(beside(options.register_url, "register")),
        history=_engine(beside(options.history_url, "history")),
    )


def _url(text: str, password_file: str | None) -> URL:
    """`mysql://` and `mariadb://` mean pymysql."""
    url = make_url(text)
    if url.get_backend_name() != "sqlite":
        url = url.set(drivername=f"mysql+{url.drivername.partition('+')[2] or 'pymysql'}")
    return engines.with_password(url, password_file)


def _engine(url: URL) -> Engine:
    return engines.make_engine(url, install=_INSTALL, init_command=_SESSION)


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that can read and not write, in one transaction: one consistent view where the engine gives one.

    Raises BackendError for all that goes wrong inside.
    """
    with _reading(engine, _IF_LACKING) as connection:
        yield connection


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection in one transaction that is committed at the end, and rolled back by any error."""
    with errors.explained(engine), opened(engine, _IF_LACKING) as connection, connection.begin():
        yield connection
