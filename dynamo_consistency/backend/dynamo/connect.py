"""Connections to Dynamo's databases: where they are, with which credentials, and how a session is set up."""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url

from dynamo_consistency import secrets
from dynamo_consistency.backend.dynamo import trouble
from dynamo_consistency.backend.dynamo.options import Options
from dynamo_consistency.errors import BackendError, ConfigurationError

CONNECT_TIMEOUT = 10
ANSWER_TIMEOUT = 1800
"""Seconds in which a connection must be made, and in which the server must say something while it works."""

_OPTION_FILE_PASSWORD = re.compile(r"^\s*pass(?:word|wd)?\s*=\s*(?P<value>.*?)\s*$", re.MULTILINE)

_SESSION = "SET SESSION time_zone = @@global.time_zone, sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"
"""Dynamo writes times as its server's local time, so that is the zone in which they are read. In strict mode the
server refuses what it would otherwise cut short."""

_CONSISTENT_READ = "START TRANSACTION WITH CONSISTENT SNAPSHOT /*!50605 , READ ONLY */"
"""The version comment leaves the second half to servers that know it (MySQL 5.6.5, MariaDB 10)."""


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
    password = secrets.read_secret_file(options.password_file) if options.password_file else None
    inventory = _with_password(make_url(options.url), password)

    def beside(text: str | None, suffix: str) -> URL:
        if text is not None:
            return _with_password(make_url(text), password)
        embedded = inventory.get_backend_name() == "sqlite"
        return inventory if embedded else inventory.set(database=f"{inventory.database}{suffix}")

    return Databases(
        inventory=_engine(inventory),
        register=_engine(beside(options.register_url, "register")),
        history=_engine(beside(options.history_url, "history")),
    )


def _with_password(url: URL, from_file: str | None) -> URL:
    """`url` with its password, from the first of: the URL, passwordFile, the driver's option file, MYSQL_PWD."""
    if url.get_backend_name() == "sqlite":
        return url
    driver = url.drivername.partition("+")[2] or "pymysql"
    url = url.set(drivername=f"mysql+{driver}")
    option_file = url.query.get("read_default_file")
    if isinstance(option_file, str):
        _remember_passwords(option_file)
    environment = None if option_file else os.environ.get("MYSQL_PWD")
    password = url.password or from_file or environment
    if not password:
        return url
    url = url.set(password=secrets.remember(password))
    secrets.remember(url.render_as_string(hide_password=False).split("://", 1)[1].rsplit("@", 1)[0].partition(":")[2])
    return url


def _remember_passwords(option_file: str) -> None:
    """The driver reads the file itself; we only learn what must never be shown."""
    try:
        text = Path(option_file).expanduser().read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise ConfigurationError(f"the option file {option_file} cannot be read: {error.strerror}") from None
    for match in _OPTION_FILE_PASSWORD.finditer(text):
        secrets.remember(match["value"])
        secrets.remember(match["value"].strip("'\""))


def _engine(url: URL) -> Engine:
    # No pool: a check holds a connection for one stage, and an operator must not keep idle ones for weeks.
    embedded = url.get_backend_name() == "sqlite"
    arguments: dict[str, Any] = {"timeout": CONNECT_TIMEOUT} if embedded else _mysql_arguments(url)
    try:
        engine = create_engine(url, connect_args=arguments, poolclass=NullPool, hide_parameters=True)
    except ImportError:
        raise ConfigurationError(
            f"the driver of {secrets.redact(url.drivername)} is not installed; write mysql+pymysql:// instead, "
            "or install dynamo-consistency[mysqlclient]"
        ) from None
    if not embedded:
        event.listen(engine, "connect", _allow_long_answers)
        event.listen(engine, "handle_error", trouble.drop_lost_connection)
    return engine


def _mysql_arguments(url: URL) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "charset": "utf8mb4",
        "connect_timeout": CONNECT_TIMEOUT,
        "read_timeout": CONNECT_TIMEOUT if url.get_driver_name() == "pymysql" else ANSWER_TIMEOUT,
        "write_timeout": ANSWER_TIMEOUT,
        "init_command": _SESSION,
    }
    option_file = url.query.get("read_default_file")
    if isinstance(option_file, str):
        arguments["read_default_file"] = str(Path(option_file).expanduser())
    return arguments


def _allow_long_answers(connection: Any, _record: object) -> None:
    """pymysql bounds only the TCP handshake by its connect_timeout, so the server's greeting waits for read_timeout."""
    if hasattr(connection, "_read_timeout"):
        connection._read_timeout = ANSWER_TIMEOUT


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that can read and not write, in one transaction: one consistent view where the engine gives one.

    Raises BackendError for all that goes wrong inside.
    """
    with trouble.explained(engine), _opened(engine) as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.exec_driver_sql("BEGIN")
        else:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.exec_driver_sql(_CONSISTENT_READ)
        yield connection


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection in one transaction that is committed at the end, and rolled back by any error."""
    with trouble.explained(engine), _opened(engine) as connection, connection.begin():
        yield connection


@contextlib.contextmanager
def _opened(engine: Engine) -> Iterator[Connection]:
    database = engine.url.database
    if engine.dialect.name == "sqlite" and database and not Path(database).is_file():
        raise BackendError(f"there is no file {database}; `dynamo-consistency inventory init` makes one")
    with engine.connect() as connection:
        yield connection
