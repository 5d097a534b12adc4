"""Which requests of earlier runs may still wait in the registry, and which of them this program has made itself."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from dynamo_consistency.backend.contract import Asked, FollowingRegistry, Registry
from dynamo_consistency.run.action.directory_removal import REMOVED
from dynamo_consistency.run.database import literal, open_database
from dynamo_consistency.run.records.history import ACTIONS, FOLLOWED, WITHDRAWN, complete_before, start_of
from dynamo_consistency.run.records.retention import DAYS_OF_LIMITS
from dynamo_consistency.run.store.run_directory import RunDirectory

_DAY = 86400

_ACTION = f"""
    SELECT path, kind, request, outcome, {{run_id}} AS run_id, epoch_ms(asked_at) / 1000.0 AS asked_at,
           {{number}} AS number
    FROM read_parquet({{file}})
    WHERE outcome IN ('requested', 'waiting', 'unanswered') AND asked_at IS NOT NULL AND reason <> {literal(REMOVED)}"""
_SETTLED = {
    FOLLOWED: "SELECT path, request, {number} AS number FROM read_parquet({file}) WHERE became <> 'queued'",
    WITHDRAWN: "SELECT path, request, {number} AS number FROM read_parquet({file}) WHERE outcome <> 'cannot'",
}
_WAITING = """
    WITH asked AS (SELECT DISTINCT ON (path, request) * FROM action ORDER BY number DESC),
         made AS (SELECT DISTINCT ON (path, request) * FROM action AS a
                  WHERE outcome <> 'waiting'
                    AND NOT EXISTS (FROM settled AS s
                                    WHERE s.path = a.path AND s.request = a.request AND s.number > a.number)
                  ORDER BY number DESC)
    SELECT asked.kind, asked.path, asked.request, asked.run_id, asked.asked_at, made.run_id, made.asked_at
    FROM asked JOIN made USING (path, request) WHERE {waits} ORDER BY asked.path, asked.request"""


@dataclass(frozen=True)
class WaitingRequest:
    """asked: by the last run that asked for it; made: by the last one that has put it there, which may be another."""

    kind: str
    asked: Asked
    made: Asked


def waiting_requests(run: RunDirectory, registry: Registry) -> list[WaitingRequest]:
    """Requests of ours that, as far as can be told, still wait when `run` is compared.

    A registry that follows requests has told of which it is so (`followed.parquet`). Of one that does not, all that
    was asked for in the 30 days before may wait, but for what is settled by `withdrawn.parquet`. What was there already
    when it was first asked for is somebody else's.
    """
    earlier = complete_before(run.store, run)
    follows = isinstance(registry, FollowingRegistry)
    if not any(other.exists(ACTIONS) for other in earlier) or (follows and not run.exists(FOLLOWED)):
        return []
    with contextlib.ExitStack() as files, open_database() as database:
        _give_actions(database, files, earlier)
        if follows:
            queued = literal(str(files.enter_context(run.reading(FOLLOWED))))
            database.execute(
                f"CREATE VIEW queued AS SELECT path, request FROM read_parquet({queued}) WHERE became = 'queued'"
            )
            waits = "(asked.path, asked.request) IN (SELECT (path, request) FROM queued)"
        else:
            recent = (start_of(run) - start_of(other) <= DAYS_OF_LIMITS * _DAY for other in earlier)
            waits = f"asked.number >= {next((number for number, is_so in enumerate(recent) if is_so), len(earlier))}"
        rows = database.execute(_WAITING.format(waits=waits)).fetchall()
    return [
        WaitingRequest(kind, Asked(path, request, *asked), Asked(path, request, *made))
        for kind, path, request, *asked, made in ((*row[:5], row[5:]) for row in rows)
    ]


def _give_actions(
    database: duckdb.DuckDBPyConnection, files: contextlib.ExitStack, earlier: Sequence[RunDirectory]
) -> None:
    """Tables `action`, what was asked for, and `settled`, by the numbers of the runs."""
    database.execute(
        "CREATE TABLE action "
        "(kind VARCHAR, path BLOB, request VARCHAR, outcome VARCHAR, run_id VARCHAR, asked_at DOUBLE, number INTEGER)"
    )
    database.execute("CREATE TABLE settled (path BLOB, request VARCHAR, number INTEGER)")
    for number, other in enumerate(earlier):
        for name, table, query in (
            (ACTIONS, "action", _ACTION),
            *((name, "settled", query) for name, query in _SETTLED.items()),
        ):
            if other.exists(name):
                file = literal(str(files.enter_context(other.reading(name))))
                values = query.format(file=file, number=number, run_id=literal(other.run_id))
                database.execute(f"INSERT INTO {table} BY NAME {values}")
