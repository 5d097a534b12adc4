"""Requests that are taken back before Dynamo has carried them out.

Nothing in Dynamo's tables says who wrote a row. So a row is taken for the one that we made when it is what we would
write, nobody has touched it since, and, where the table has dates, it is of the time of the request. In any doubt it
stays and is answered for as `cannot`: the run tells people of it.

Rows of `unmanaged_deletions` and of the queues of 2018 are removed. A subscription is set to `cancelled`, as Dynamo
itself takes one back.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Table, and_, func, select

from dynamo_consistency.backend.contract import Asked, Withdrawn
from dynamo_consistency.backend.dynamo.database.connection import Databases, reading
from dynamo_consistency.backend.dynamo.database.names import look_ups
from dynamo_consistency.backend.dynamo.database.schema import file_subscriptions, files, unmanaged_deletions
from dynamo_consistency.backend.dynamo.database.schema_version import Generation
from dynamo_consistency.backend.dynamo.requests import pfn
from dynamo_consistency.backend.dynamo.requests.deletion import own_rules
from dynamo_consistency.backend.dynamo.requests.insert import locked
from dynamo_consistency.backend.dynamo.requests.unsafe_paths import RefusedError
from dynamo_consistency.backend.dynamo.requests.v1_queues import OVER
from dynamo_consistency.backend.dynamo.sites import site_id
from dynamo_consistency.backend.sql.reading import chunks

CLOCKS_DIFFER = 600
"""Seconds by which the time of a row may differ from the time at which it was asked for."""


def unmanaged(
    databases: Databases, generation: Generation, site: str, wanted: Iterable[bytes]
) -> dict[bytes, Withdrawn]:
    """Of each of `wanted` (LFNs), what became of the wish to take its row of `unmanaged_deletions` back.

    Of two rows with one PFN, one is somebody else's, and nobody can say which. A row that another rule made, or the
    rules as they were then, is not found by its PFN, but ends as the LFN does.
    """
    if not generation.unmanaged_deletions:
        return dict.fromkeys(wanted, "unknown")
    urls = _urls(databases, generation, site, wanted)
    table = unmanaged_deletions.c
    waiting: defaultdict[bytes, list[int]] = defaultdict(list)
    with locked(databases.inventory, unmanaged_deletions) as writer:
        for number, name, url in writer.rows(select(table.id, table.site, table.url).where(table.site == site)):
            if name == site:
                waiting[url].append(number)
        found = {path: waiting.get(url or b"", []) for path, url in urls.items()}
        ours = {path: numbers[0] for path, numbers in found.items() if len(numbers) == 1}
        for numbers in chunks(ours.values()):
            writer.remove(table.id.in_(numbers))
    return {path: "withdrawn" if path in ours else _elsewhere(path, waiting) for path in urls}


def _elsewhere(path: bytes, waiting: Iterable[bytes]) -> Withdrawn:
    return "cannot" if any(url.endswith(path) for url in waiting) else "unknown"


def _urls(
    databases: Databases, generation: Generation, site: str, wanted: Iterable[bytes]
) -> dict[bytes, bytes | None]:
    """The PFN of each; None where the rules of today give none."""
    with reading(databases.inventory) as connection:
        rules = own_rules(pfn.read_rules(connection, generation), site_id(connection, site))
    return {path: None if isinstance(rules, RefusedError) else _url(path, rules) for path in wanted}


def _url(path: bytes, rules: pfn.PfnRules) -> bytes | None:
    try:
        return rules.pfn(path)
    except RefusedError:
        return None


def subscriptions(databases: Databases, site: str, wanted: Mapping[bytes, float]) -> dict[bytes, Withdrawn]:
    """Of each of `wanted` (LFN → when it was asked for), the same for its subscription for deletion."""
    with reading(databases.inventory) as connection:
        number = site_id(connection, site)
        query = select(files.c.name, files.c.id)
        rows = [row for some in look_ups(wanted) for row in connection.execute(query.where(files.c.name.in_(some)))]
    numbers = {name: file for name, file in rows if name in wanted}
    table = file_subscriptions.c
    known: dict[int, tuple[str, int | None]] = {}
    with locked(databases.inventory, file_subscriptions) as writer:
        for some in chunks(numbers.values()):
            here = and_(table.site_id == number, table.delete == 1, table.file_id.in_(some))
            found = writer.rows(select(table.file_id, table.status, table.last_update).where(here))
            known |= {file: (status, time) for file, status, time in found}
        outcomes = {path: _subscribed(known.get(numbers.get(path, 0)), asked_at) for path, asked_at in wanted.items()}
        ours = [numbers[path] for path, outcome in outcomes.items() if outcome == "withdrawn"]
        for some in chunks(ours):
            here = and_(table.site_id == number, table.delete == 1, table.file_id.in_(some), table.status == "new")
            writer.change(here, status="cancelled", last_update=func.now())
    return outcomes


def _subscribed(row: tuple[str, int | None] | None, asked_at: float) -> Withdrawn:
    if row is None or row[0] == "cancelled":
        return "unknown"
    status, time = row
    if status in ("inbatch", "done"):
        return "done"
    return "withdrawn" if status == "new" and _of_then(time, asked_at) else "cannot"


def _of_then(time: int | None, asked_at: float) -> bool:
    return time is not None and abs(time - asked_at) <= CLOCKS_DIFFER


def queued(databases: Databases, queue: Table, site: str, wanted: Mapping[bytes, float]) -> dict[bytes, Withdrawn]:
    """Of each of `wanted`, the same for its rows of one of the queues of 2018, of which a transfer has several."""
    table = queue.c
    here = (table.site if "site" in table else table.site_to) == site
    outcomes: dict[bytes, Withdrawn] = {}
    with locked(databases.register, queue) as writer:
        for some in chunks(wanted):
            query = select(table.file, table.reqid, table.status, table.created).where(here, table.file.in_(some))
            rows: defaultdict[bytes, list[tuple[int, str, int | None]]] = defaultdict(list)
            for path, *row in writer.rows(query):
                rows[path].append((row[0], row[1], row[2]))
            outcomes |= {path: _in_queue(rows[path], wanted[path]) for path in some}
            ours = [path for path in some if outcomes[path] == "withdrawn"]
            writer.remove(here, table.file.in_(ours), table.status == "new", table.reqid == 0)
    return outcomes


def _in_queue(rows: Sequence[tuple[int, str, int | None]], asked_at: float) -> Withdrawn:
    if not rows:
        return "unknown"
    under_way = any(status not in ("new", *OVER) for _, status, _ in rows)
    if (new := [row for row in rows if row[1] == "new"]) and not under_way:
        return "withdrawn" if all(not reqid and _of_then(time, asked_at) for reqid, _, time in new) else "cannot"
    return "done"


def by_path(asked: Sequence[Asked], request: str) -> dict[bytes, float]:
    """Those of the requests that are of one kind: LFN → when it was asked for last."""
    return {one.path: one.asked_at for one in sorted(asked, key=lambda one: one.asked_at) if one.request == request}
