"""Engines: which driver, with which credentials, and how long an answer is waited for."""

import os
import re
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, NullPool, create_engine, event

from dynamo_consistency import secrets
from dynamo_consistency.backend.sql import errors
from dynamo_consistency.errors import ConfigurationError

CONNECT_TIMEOUT = 10
ANSWER_TIMEOUT = 1800
"""Seconds in which a connection must be made, and in which the server must send something while it works."""

_OPTION_FILE_PASSWORD = re.compile(r"^\s*pass(?:word|wd)?\s*=\s*(?P<value>.*?)\s*$", re.MULTILINE)

_ENVIRONMENT = {"mysql": "MYSQL_PWD", "postgresql": "PGPASSWORD"}
"""Variables that hold a password. PostgreSQL's driver reads its own, and ~/.pgpass, by itself."""


def with_password(url: URL, password_file: str | None) -> URL:
    """`url` with its password, from the first of: the URL, the file, the driver's option file, the environment.

    Raises ConfigurationError for a file that cannot be read.
    """
    kind = url.get_backend_name()
    if kind == "sqlite":
        return url
    from_file = secrets.read_secret_file(password_file) if password_file else None
    option_file = url.query.get("read_default_file")
    if isinstance(option_file, str):
        _remember_passwords(option_file)
    environment = None if option_file else os.environ.get(_ENVIRONMENT.get(kind, ""))
    password = url.password or from_file or environment
    if not password:
        return url
    url = url.set(password=secrets.remember(password))
    secrets.remember(url.render_as_string(hide_password=False).split("://", 1)[1].rsplit("@", 1)[0].partition(":")[2])
    return url


def _remember_passwords(option_file: str) -> None:
    """The driver reads the file itself; only what must never be shown is remembered here."""
    try:
        text = Path(option_file).expanduser().read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise ConfigurationError(f"the option file {option_file} cannot be read: {error.strerror}") from None
    for match in _OPTION_FILE_PASSWORD.finditer(text):
        secrets.remember(match["value"])
        secrets.remember(match["value"].strip("'\""))


def make_engine(url: URL, *, install: str, init_command: str | None = None) -> Engine:
    """An engine for `url`; nothing is asked of the server yet.

    `install`: what to do where the driver is not installed. `init_command`: sent first on each connection to MySQL.
    Raises ConfigurationError when the driver is not there.
    """
    kind = url.get_backend_name()
    arguments: dict[str, Any] = {}
    if kind == "sqlite":
        arguments = {"timeout": CONNECT_TIMEOUT, "check_same_thread": False}
    elif kind == "mysql":
        arguments = _mysql_arguments(url, init_command)
    elif kind == "postgresql":
        # A server that is gone is noticed, and one that works for long is waited for.
        lost_after = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 6}
        arguments = {"connect_timeout": CONNECT_TIMEOUT, **lost_after}
    elif kind == "oracle":
        arguments = {"tcp_connect_timeout": CONNECT_TIMEOUT}
    try:
        # No pool: a check holds a connection for one stage, and an operator must not keep idle ones for weeks.
        engine = create_engine(url, connect_args=arguments, poolclass=NullPool, hide_parameters=True)
    except ImportError:
        driver = secrets.redact(url.drivername)
        raise ConfigurationError(f"the driver of {driver} is not installed; {install}") from None
    if kind == "mysql":
        event.listen(engine, "connect", _allow_long_answers)
        event.listen(engine, "handle_error", errors.drop_lost_connection)
    return engine


def _mysql_arguments(url: URL, init_command: str | None) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "charset": "utf8mb4",
        "connect_timeout": CONNECT_TIMEOUT,
        "read_timeout": CONNECT_TIMEOUT if url.get_driver_name() == "pymysql" else ANSWER_TIMEOUT,
        "write_timeout": ANSWER_TIMEOUT,
    }
    if init_command:
        arguments["init_command"] = init_command
    option_file = url.query.get("read_default_file")
    if isinstance(option_file, str):
        arguments["read_default_file"] = str(Path(option_file).expanduser())
    return arguments


def _allow_long_answers(connection: Any, _record: object) -> None:
    """pymysql bounds only the TCP handshake by its connect_timeout, so the server's greeting waits for read_timeout."""
    if hasattr(connection, "_read_timeout"):
        connection._read_timeout = ANSWER_TIMEOUT
