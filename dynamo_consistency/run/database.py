"""DuckDB as the stages use it: in memory up to a bound, then in a temporary folder; and how to write its literals."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dynamo_consistency import paths
from dynamo_consistency.errors import ConfigurationError, ConsistencyError
from dynamo_consistency.run.store.leftovers import scratch_folder

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    import duckdb

ROWS = 20_000
_READ_ONCE = 2**18
"""Bytes of compressed files."""
_PYTHON_HERE = "-- continue\n"
SqlRow = tuple[Any, ...]
RowFunction = Callable[[list[SqlRow]], Iterable[SqlRow]]


@contextlib.contextmanager
def open_database(*, tables: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that spills to a temporary folder; a part of the memory is left to Python and Arrow.

    All of a process share the engine, its memory and its folder; each has its own tables or, for questions to files
    alone, none: that saves most of the time on a small site. Raises ConsistencyError when memory or disk space do not
    suffice.
    """
    import duckdb

    memory = memory_limit() * 6 // 10 // 2**20
    with _explained(memory):
        engine = _engine(os.getpid(), memory, tempfile.gettempdir()).connection
        try:
            with engine.cursor() as database, _own_tables(database) if tables else contextlib.nullcontext():
                yield database
        except duckdb.FatalException:
            _engine.cache_clear()  # it is of no use any more
            raise


@contextlib.contextmanager
def _own_tables(database: duckdb.DuckDBPyConnection) -> Iterator[None]:
    import duckdb

    name = f"database_{next(_NUMBERS)}"
    database.execute(f"ATTACH ':memory:' AS {name}; USE {name}")
    try:
        yield
    finally:
        with contextlib.suppress(duckdb.Error):
            database.execute(f"USE memory; DETACH DATABASE IF EXISTS {name}")


class _Engine(NamedTuple):
    connection: duckdb.DuckDBPyConnection
    folder: contextlib.ExitStack
    """Keeps the folder to which it spills until the process ends."""


_NUMBERS = itertools.count()


@functools.cache
def _engine(process: int, memory: int, temporary: str) -> _Engine:
    """The engine of a process: starting one takes longer than a query on a small site, and a run has many.

    A fork has not got the threads of its parent's engine, and starts one of its own.
    """
    import duckdb

    folder = contextlib.ExitStack()
    spill = folder.enter_context(scratch_folder())
    connection = duckdb.connect()
    connection.execute(f"SET memory_limit = '{memory}MiB'")
    connection.execute(f"SET temp_directory = {literal(str(spill))}")
    connection.execute("SET preserve_insertion_order = false")
    return _Engine(connection, folder)


@contextlib.contextmanager
def _explained(memory: int) -> Iterator[None]:
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise ConsistencyError(
            f"{memory} MiB are too little memory for this, or there is no room in {tempfile.gettempdir()} for the "
            f"rest; raise {SETTING} or make room (TMPDIR), then run the stage again"
        ) from None


def execute(
    database: duckdb.DuckDBPyConnection,
    queries: Traversable,
    *steps: Callable[[], None],
    tell: Callable[[], None] = lambda: None,
) -> None:
    """Execute a file of statements; the `steps` are called one by one, each at a line `-- continue`.

    `tell` is called after each statement.
    """
    first, *others = queries.read_text(encoding="utf-8").split(_PYTHON_HERE)
    _execute_each(database, first, tell)
    for step, statements in zip(steps, others, strict=True):
        step()
        _execute_each(database, statements, tell)


def _execute_each(database: duckdb.DuckDBPyConnection, statements: str, tell: Callable[[], None]) -> None:
    for statement in database.extract_statements(statements):  # together they take longer
        database.execute(statement)
        tell()


def number_of_statements(queries: Traversable) -> int:
    """About how often `execute` will tell."""
    return len(re.findall(r";[ \t]*$", queries.read_text(encoding="utf-8"), re.MULTILINE))


def create_input(database: duckdb.DuckDBPyConnection, name: str, query: str, files: Iterable[str]) -> None:
    """Create the table or view `name` of `query`, which reads `files`.

    What is small is read once: each statement that looks into a file takes longer than with its few rows in memory.
    """
    kind = "TABLE" if sum(Path(file).stat().st_size for file in files) <= _READ_ONCE else "VIEW"
    database.execute(f"CREATE {kind} {name} AS {query}")


def columns_of(database: duckdb.DuckDBPyConnection, file: str) -> set[str]:
    """The columns of a Parquet file; those of former versions have fewer."""
    return set(database.sql(f"FROM read_parquet({literal(file)})").columns)  # a query that is never carried out


def fill(database: duckdb.DuckDBPyConnection, table: str, question: str, answer: RowFunction) -> None:
    """Fill `table` with what `answer` makes of the rows of the query `question`, some at a time.

    A function in the database would be simpler, but DuckDB needs numpy for those.
    """
    result = beside(database).execute(question)
    columns = database.execute(f"SELECT column_type FROM (DESCRIBE {table})").fetchall()
    values = ", ".join(f"unnest(?::{kind}[])" for (kind,) in columns)
    while rows := result.fetchmany(ROWS):
        if answers := list(answer(rows)):
            database.execute(
                f"INSERT INTO {table} SELECT {values}", [list(column) for column in zip(*answers, strict=True)]
            )


def beside(database: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A second connection to the same tables."""
    (name,) = database.execute("SELECT current_catalog()").fetchall()[0]
    second = database.cursor()
    second.execute(f"USE {name}")
    return second


def within(column: str, directory: bytes) -> str:
    """The condition that the path in `column`, which is normalised, is strictly below `directory`."""
    first, past = paths.subtree(directory)
    return f"({column} > {blob(first)} AND {column} < {blob(past)})"


PATH_MACROS = """
    CREATE MACRO parent(text) AS
        CASE WHEN text = '/' THEN '' ELSE coalesce(nullif(parse_dirpath(text, 'forward_slash'), ''), '/') END;
    CREATE MACRO last_name(text) AS parse_filename(text, false, 'forward_slash');
    CREATE MACRO first_below(path) AS CASE WHEN path = '\\x2F'::BLOB THEN path ELSE path || '\\x2F'::BLOB END;
    CREATE MACRO past_below(path) AS CASE WHEN path = '\\x2F'::BLOB THEN '\\x30'::BLOB ELSE path || '\\x30'::BLOB END;
"""
"""Paths in SQL. Of text: `parent`, the directory that a path is in, nothing for `/`; `last_name`, its name in there.

Of bytes: what is below a directory is the interval from `first_below` up to, not including, `past_below`; 0 follows /
in ASCII.
"""


def byte_sum(sizes: str) -> str:
    """The sum of `sizes`, an SQL expression, as a BIGINT: unknown ones count nothing, and no sum is too large."""
    return f"least(coalesce(sum(greatest({sizes}, 0)), 0), {LARGEST})::BIGINT"


LARGEST = 2**63 - 1


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def blob(path: bytes) -> str:
    return "'" + "".join(f"\\x{byte:02X}" for byte in path) + "'::BLOB"


SETTING = "DYNAMO_CONSISTENCY_MEMORY_LIMIT"

_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}


def memory_limit() -> int:
    """Bytes that this process may use: the setting, else the container's limit, else the machine's memory.

    Raises ConfigurationError when the setting is not a number with an optional unit Ki, Mi, Gi.
    """
    setting = os.environ.get(SETTING)
    if setting:
        match = re.fullmatch(r"(\d+)(?:([KMG])i?B?)?", setting)
        if not match:
            raise ConfigurationError(f"{SETTING} is {setting!r}; write a size such as 1536Mi or 2Gi")
        return int(match[1]) * _UNITS[match[2] or ""]
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *_container_limits()])


def _container_limits() -> list[int]:
    limits = []
    for path in _CGROUP_LIMITS:
        try:
            limits.append(int(path.read_text()))
        except (OSError, ValueError):  # no such control group, or "max": no limit here
            continue
    return limits
