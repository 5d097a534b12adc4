"""DuckDB as the web service uses it: it sees the store and nothing else, and no question takes long.

Questions are constants of ours; whatever a person gives is a bound value. Beyond that the database may open only files
below the folders that it was given, and nobody can change that any more.
"""

import contextlib
import copy
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from dynamo_consistency.errors import ConsistencyError

AT_ONCE = 2
SECONDS = 10.0
_WAIT = 10.0
_MEMORY = "64MiB"


class BusyError(ConsistencyError):
    """Too many questions at a time, or one that takes too long."""


class TooBigError(ConsistencyError):
    """A question that needs more memory than the service may use."""


class DamagedFileError(ConsistencyError):
    """A Parquet file cannot be read."""


class Question:
    """A connection for one answer."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, query: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The rows as {column: value}. Raises DamagedFileError where a file cannot be read."""
        result = self._execute(query, values)
        names = [column[0] for column in result.description]
        with _errors_explained():
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def batches(self, query: str, values: Sequence[object] = (), size: int = 5000) -> Iterator[list[tuple[Any, ...]]]:
        """A result of any length, in batches of rows."""
        result = self._execute(query, values)
        while True:
            with _errors_explained():
                rows = result.fetchmany(size)
            if not rows:
                return
            yield rows

    def columns(self, file: str) -> list[str]:
        """Of a Parquet file; those of former versions have fewer."""
        return [row["column_name"] for row in self.rows("DESCRIBE FROM read_parquet(?)", [file])]

    def _execute(self, query: str, values: Sequence[object]) -> duckdb.DuckDBPyConnection:
        with _errors_explained():
            return self._connection.execute(query, list(values))


class Database:
    """Answers at most `AT_ONCE` questions at a time, each within `SECONDS`."""

    def __init__(self, folders: Sequence[Path], scratch: Path) -> None:
        """`folders`: what may be read. `scratch`: where it puts what does not fit into its memory."""
        engine = duckdb.connect()
        for setting, value in _settings(folders, scratch).items():
            engine.execute(f"SET {setting} = {value}")
        self._engine = [engine]
        """One, until it is closed; shared with those beside it."""
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def beside(self, at_once: int) -> "Database":
        """The same engine with places of its own: who waits for these does not wait for the others."""
        other = copy.copy(self)
        other._places = threading.BoundedSemaphore(at_once)
        return other

    def close(self) -> None:
        self._engine.pop().close()

    @contextlib.contextmanager
    def question(self, seconds: float = SECONDS) -> Iterator[Question]:
        """Raises BusyError when others take too long, or this one does."""
        if not self._places.acquire(timeout=_WAIT):
            raise BusyError("too many questions are being answered; ask again in a while")
        try:
            connection = self._engine[0].cursor()
            timer = threading.Timer(seconds, connection.interrupt)
            timer.daemon = True
            timer.start()
            try:
                yield Question(connection)
            finally:
                timer.cancel()
                connection.close()
        finally:
            self._places.release()


def _settings(folders: Sequence[Path], scratch: Path) -> Mapping[str, str]:
    """The last two shut the door."""
    readable = ", ".join(_literal(f"{folder.absolute()}/") for folder in folders)
    return {
        "memory_limit": _literal(_MEMORY),
        "threads": "2",
        "temp_directory": _literal(str(scratch)),
        "max_temp_directory_size": "'4GiB'",
        "preserve_insertion_order": "false",
        "allowed_directories": f"[{readable}]",
        "enable_external_access": "false",
        "lock_configuration": "true",
    }


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@contextlib.contextmanager
def _errors_explained() -> Iterator[None]:
    try:
        yield
    except duckdb.InterruptException:
        raise BusyError("the answer takes too long; ask for less") from None
    except duckdb.OutOfMemoryException:
        raise TooBigError("the answer needs more memory than the service may use; ask for less") from None
    except duckdb.Error as error:
        raise DamagedFileError(str(error).partition("\n")[0][:300]) from None
