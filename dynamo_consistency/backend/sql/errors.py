"""What a database driver reports, as one sentence for the person who has to fix it."""

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, ExceptionContext
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError

from dynamo_consistency import secrets
from dynamo_consistency.errors import BackendError

NO_SUCH_TABLE = 1146

_CREDENTIALS = "the server refused user or password; correct the URL, passwordFile, option file or MYSQL_PWD"
_NO_DATABASE = "there is no such database on the server; correct the URL, or let the administrator create it"
_RIGHTS = (
    "the account may not do this; it needs the rights listed in docs/dynamo.md or docs/rucio.md; or correct the URL"
)
_UNREACHABLE = "the server cannot be reached; is the host right, and is it up?"
_LOST = "the connection was lost; what was read so far is not used; run again"
_NO_ROOM = "make room, or put it elsewhere"
_NO_FILE_RIGHTS = "give the file and its folder to this account"
_NO_SQLITE = "it is another file, or damaged; correct the URL, or make the inventory anew"
_BUSY = "somebody else holds it; run again"

_ADVICE = {
    1044: _RIGHTS,
    1045: _CREDENTIALS,
    1049: _NO_DATABASE,
    1142: _RIGHTS,
    1143: _RIGHTS,
    1205: _BUSY,
    1213: _BUSY,
    1317: _LOST,
    1698: _CREDENTIALS,
    1927: _LOST,
    2002: _UNREACHABLE,
    2003: _UNREACHABLE,
    2005: _UNREACHABLE,
    2006: _LOST,
    2013: _LOST,
}
"""By MySQL's number of the error."""

_SQLSTATES = {
    "28": _CREDENTIALS.replace("option file or MYSQL_PWD", "~/.pgpass or PGPASSWORD"),
    "25P03": _LOST,
    "3D": _NO_DATABASE,
    "40001": "a replica of the database could not keep its view for so long; run again, or name the primary server",
    "42501": _RIGHTS,
    "55P03": _BUSY,
    "57P01": _LOST,
    "57P02": _LOST,
    "57014": "the server ended the statement; raise its statement_timeout for this account, and run again",
}
"""By PostgreSQL's code, or the class that it begins with."""

_WORDS = {
    "database is locked": _BUSY,
    "database or disk is full": _NO_ROOM,
    "readonly database": _NO_FILE_RIGHTS,
    "unable to open database file": _NO_FILE_RIGHTS,
    "is not a database": _NO_SQLITE,
    "disk image is malformed": _NO_SQLITE,
    "password authentication failed": _SQLSTATES["28"],
    "no password supplied": _SQLSTATES["28"],
    'role "': _SQLSTATES["28"],
    "does not exist": _NO_DATABASE,
    "connection refused": _UNREACHABLE,
    "connection timeout": _UNREACHABLE,
    "failed to resolve host": _UNREACHABLE,
    "server closed the connection": _LOST,
    "connection is lost": _LOST,
    "terminating connection": _LOST,
}
"""By the text: SQLite has no numbers, and a connection to PostgreSQL that is not made, or is lost, has none."""


def code(error: DBAPIError) -> int | None:
    """MySQL's number of the error; None for other databases."""
    number = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return number if isinstance(number, int) else None


def drop_lost_connection(context: ExceptionContext) -> None:
    """Handler of SQLAlchemy's `handle_error`, which takes some ways to lose a connection for an ordinary error."""
    if (
        isinstance(context.sqlalchemy_exception, DBAPIError)
        and _ADVICE.get(code(context.sqlalchemy_exception) or 0) == _LOST
    ):
        context.is_disconnect = True
        forget_answer(getattr(context, "cursor", None))


def forget_answer(cursor: Any) -> None:
    """Keeps a MySQL driver from reading an unfinished answer to its end, or from a connection that is closed."""
    answer: Any = getattr(cursor, "_result", None)
    if answer is not None:
        cursor.connection = None
    if hasattr(answer, "unbuffered_active"):  # pymysql
        answer.unbuffered_active = False


@contextlib.contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turns every error of the database into a BackendError with one sentence and without a credential."""
    try:
        yield
    except DBAPIError as error:
        raise BackendError(_sentence(engine, error)) from None
    except SQLAlchemyError as error:
        if isinstance(error, StatementError) and isinstance(error.orig, BackendError):
            raise error.orig from None  # of what was to be sent
        raise BackendError(secrets.redact(f"the database {place(engine)} answered nonsense: {error}")) from None


def _sentence(engine: Engine, error: DBAPIError) -> str:
    number = code(error)
    words = " ".join(str(error.orig.args[-1] if error.orig is not None and error.orig.args else error.orig).split())
    message = f"{words} [{number}]" if number else words
    return secrets.redact(f"the database {place(engine)} failed: {message}: {_advice(error, words)}")


def _advice(error: DBAPIError, words: str) -> str:
    state = getattr(error.orig, "sqlstate", None) or ""
    by_words = (advice for part, advice in _WORDS.items() if part in words.lower())
    known = _ADVICE.get(code(error) or 0) or _SQLSTATES.get(state) or _SQLSTATES.get(state[:2])
    # A code is more precise than the words: `relation "x" does not exist` is no database that is lacking.
    return known or (None if state else next(by_words, None)) or "is the URL right, and is the database well?"


def place(engine: Engine) -> str:
    """Which database, for messages: never with the account's password."""
    url = engine.url
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    port = f":{url.port}" if url.port else ""
    return f"{url.database} on {url.host or 'localhost'}{port}"
