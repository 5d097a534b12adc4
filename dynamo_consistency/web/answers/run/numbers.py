"""What findings say when they are counted: by dataset, by age, and against the run before."""

from collections.abc import Iterator

from dynamo_consistency.kinds import FINDING_KINDS, MISSING, ORPHAN, FindingKind
from dynamo_consistency.paths import of_one_line, visible
from dynamo_consistency.run.database import byte_sum
from dynamo_consistency.run.finding_queries import new_gone_standing
from dynamo_consistency.web.answers.run.source import RunSource
from dynamo_consistency.web.models import AgeBand, Change, DatasetRow

DATASETS_SHOWN = 100
_MOST_LISTED = 200_000
"""Files without a source of which the datasets are counted; of more it is not known."""
_DAY = 86400
_BANDS = (
    ("less than a week", 7),
    ("1 to 4 weeks", 28),
    ("1 to 3 months", 91),
    ("3 to 12 months", 365),
    ("1 to 3 years", 1096),
    ("more than 3 years", None),
    ("unknown", -1),
)
"""Title → upper limit in days."""

_DATASETS = f"""
    SELECT dataset, count(*) AS files, {byte_sum("size")} AS bytes, count(*) OVER () AS datasets
    FROM read_parquet(?) GROUP BY dataset ORDER BY files DESC, dataset LIMIT {DATASETS_SHOWN}
"""
_AMONG = """
    SELECT dataset, count(*) AS files FROM read_parquet(?) SEMI JOIN (SELECT unnest(?::BLOB[]) AS path) USING (path)
    GROUP BY dataset
"""
_AGES = f"""
    SELECT CASE WHEN mtime IS NULL OR mtime <= 0 THEN -1
                ELSE greatest((?::DOUBLE - mtime) / {_DAY}, 0) END AS days, site_size
    FROM read_parquet(?)
"""
_CHANGE = new_gone_standing("read_parquet(?)", "read_parquet(?)")


def datasets(source: RunSource) -> tuple[list[DatasetRow], int]:
    """The datasets with most missing files, and how many datasets have some."""
    with source.findings(MISSING) as file:
        if file is None:
            return [], 0
        rows = source.question.rows(_DATASETS, [file])
        lists = {name: _by_dataset(source, file, f"reports/{name}.txt") for name in ("nosource", "unrecoverable")}
    no_source, unrecoverable = lists["nosource"], lists["unrecoverable"]
    shown = [
        DatasetRow(
            dataset=None if row["dataset"] is None else visible(row["dataset"]),
            files=row["files"],
            bytes=row["bytes"],
            no_source=None if no_source is None else no_source.get(row["dataset"], 0),
            unrecoverable=None if unrecoverable is None else unrecoverable.get(row["dataset"], 0),
        )
        for row in rows
    ]
    return shown, rows[0]["datasets"] if rows else 0


def _by_dataset(source: RunSource, file: str, name: str) -> dict[str | None, int] | None:
    """How many of the files of a list are of which dataset; None where the backend could not say."""
    contents = source.files.contents(source.site, source.run_id, name)
    if contents is None or contents.startswith(b"# not known"):
        return None
    files = contents.split(b"\n")[:-1]
    if len(files) > _MOST_LISTED:
        return None
    listed = [of_one_line(line) for line in files]
    return {row["dataset"]: row["files"] for row in source.question.rows(_AMONG, [file, listed])} if listed else {}


def ages(source: RunSource) -> list[AgeBand]:
    """Orphans by the time since their last change, counted from the listing."""
    listed_at = next((at for at in (*source.digest.times[1:], source.digest.start) if at is not None), None)
    with source.findings(ORPHAN) as file:
        if file is None or listed_at is None:
            return []
        query = f"SELECT {_CASE} AS band, count(*) AS files, {byte_sum('site_size')} AS bytes FROM ({_AGES}) GROUP BY 1"
        found = {row["band"]: row for row in source.question.rows(query, [listed_at, file])}
    return [
        AgeBand(
            title=title,
            files=found[number]["files"] if number in found else 0,
            bytes=found[number]["bytes"] if number in found else 0,
        )
        for number, (title, _) in enumerate(_BANDS)
    ]


def _case() -> str:
    unknown = len(_BANDS) - 1
    limits = [f"WHEN days < {limit} THEN {number}" for number, (_, limit) in enumerate(_BANDS[:-2])]
    return f"CASE WHEN days < 0 THEN {unknown} {' '.join(limits)} ELSE {unknown - 1} END"


_CASE = _case()


def changes(source: RunSource) -> Iterator[Change]:
    """By kind, what is new, gone and standing since the complete run before; none without one."""
    before = source.complete_before
    for kind in FINDING_KINDS if before else ():
        with source.shown_as_far_as_possible(f"what has changed of {kind.name}"):
            if change := _change(source, kind):
                yield change


def _change(source: RunSource, kind: FindingKind) -> Change | None:
    with source.findings(kind) as now, source.findings(kind, source.complete_before) as before:
        if now is None or before is None:
            return None
        (row,) = source.question.rows(_CHANGE, [now, before])
    return Change(kind=kind.name, title=kind.title, **row)
