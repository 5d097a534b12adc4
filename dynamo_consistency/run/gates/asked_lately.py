"""What the runs of the last 30 days have asked for, beside what a run has found: the limits over time (gate 11).

An inventory that loses a few entries before each run keeps within the limits of every single one.
"""

import contextlib
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import duckdb

from dynamo_consistency import paths
from dynamo_consistency.kinds import ACTED_ON_KINDS, KindName
from dynamo_consistency.run.database import literal, open_database, within
from dynamo_consistency.run.records.history import ACTIONS, start_of
from dynamo_consistency.run.records.retention import DAYS_OF_LIMITS
from dynamo_consistency.run.store.run_directory import RunDirectory

log = logging.getLogger(__name__)

_DAY = 86400
_JOURNAL = "actions"
_ASKED = "('requested', 'waiting', 'unanswered')"

Asked = Mapping[KindName, Counter[str | None]]
"""By kind and root: how many paths. A path that is below none of today's roots has the root None."""


def asked_lately(run: RunDirectory, earlier: Sequence[RunDirectory], now: float) -> Asked:
    """The paths that those of the `earlier` runs which began in the last 30 days have asked for, each once.

    Without those that are findings of that kind in `run`. A run dated after `now` does not count. The days are those
    before `run` began: a clock that is ahead when it is acted on forgets nothing.
    """
    since = min(now, start_of(run)) - DAYS_OF_LIMITS * _DAY
    lately = [other for other in earlier if since <= start_of(other) <= now]
    acted = [other for other in lately if other.exists(ACTIONS) or other.names(_JOURNAL)]
    if not acted:
        return {}
    with contextlib.ExitStack() as files, open_database() as database:
        database.execute("CREATE TABLE asked (kind VARCHAR, path BLOB)")
        for other in acted:
            _give(database, other)
        return {
            kind.name: _beside_findings(database, kind.name, str(files.enter_context(run.reading(kind.file))), run)
            for kind in ACTED_ON_KINDS
            if run.exists(kind.file)
        }


def _give(database: duckdb.DuckDBPyConnection, run: RunDirectory) -> None:
    """Add to `asked` what a run has asked for: by its file of actions or, where that cannot be read, by its journal."""
    query = f"INSERT INTO asked SELECT kind, path FROM read_parquet(?) WHERE outcome IN {_ASKED}"
    if run.exists(ACTIONS):
        try:
            with run.reading(ACTIONS) as path:
                database.execute(query, [str(path)])
        except duckdb.Error as error:
            log.warning("%s of run %s cannot be read: %s", ACTIONS, run.run_id, error)
        else:
            return
    for kind, asked in _journal(run):
        database.execute("INSERT INTO asked SELECT ?, unnest(?::BLOB[])", [kind, asked])


def _journal(run: RunDirectory) -> Iterator[tuple[str, list[bytes]]]:
    """Of an action that died before it could write its file of actions: what it was about to ask for."""
    for name in run.names(_JOURNAL):
        if name.endswith("-asked.json"):
            record = run.read_json(name)
            yield record["kind"], [paths.to_bytes(path) for path in record["files"]]


def _beside_findings(
    database: duckdb.DuckDBPyConnection, kind: KindName, findings: str, run: RunDirectory
) -> Counter[str | None]:
    cases = " ".join(
        f"WHEN {within('path', paths.to_bytes(root.path))} THEN {literal(root.path)}"
        for root in run.check().spec.listing.roots
    )
    rows = database.execute(
        f"""SELECT CASE {cases} END AS root, count(DISTINCT path) FROM asked
            WHERE kind = ? AND path NOT IN (SELECT path FROM read_parquet(?)) GROUP BY root""",
        [kind, findings],
    ).fetchall()
    return Counter(dict(rows))
