"""Requests in the queues of Dynamo of 2018: `deletion_queue` and `transfer_queue` of the register.

A row that is `done` or `failed` has had its time; a renewed request sets it to `new` again.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from dynamo_consistency.backend.contract import Outcome
from dynamo_consistency.backend.dynamo.database.connection import Databases, reading
from dynamo_consistency.backend.dynamo.database.names import look_ups
from dynamo_consistency.backend.dynamo.database.schema import block_replicas, files, sites
from dynamo_consistency.backend.dynamo.database.schema_version import Generation
from dynamo_consistency.backend.dynamo.database.version_tables import deletion_queue, transfer_queue
from dynamo_consistency.backend.dynamo.inventory import claimed
from dynamo_consistency.backend.dynamo.other_copies import copies
from dynamo_consistency.backend.dynamo.requests import other_claims
from dynamo_consistency.backend.dynamo.requests.insert import Writer, locked
from dynamo_consistency.backend.dynamo.requests.pfn import SiteRules
from dynamo_consistency.backend.dynamo.requests.transfer import check_sources
from dynamo_consistency.backend.dynamo.requests.unsafe_paths import (
    RefusedError,
    check_path,
    check_plain,
    check_storable,
)
from dynamo_consistency.backend.dynamo.sites import site_id
from dynamo_consistency.backend.sql.reading import chunks


class _Copy(NamedTuple):
    """`site`, `name`: of another site; `storage`: its type."""

    site: int
    name: str
    storage: str


OVER = ("done", "failed")
AS_NEW: dict[str, Any] = {"reqid": 0, "status": "new"}


def check_name(path: bytes) -> None:
    """Raises RefusedError for a name that the queues, or those who read them, might take for another one."""
    check_path(path)
    check_storable(path, "name")
    check_plain(path)


def _sorted_out(wanted: Iterable[bytes]) -> tuple[list[bytes], dict[bytes, Outcome]]:
    """(names that can be requested, outcomes of the others)."""
    good, refused = [], {}
    for path in wanted:
        try:
            check_name(path)
            good.append(path)
        except RefusedError as reason:
            refused[path] = Outcome(path, "refused", str(reason))
    return good, refused


def request_deletion(
    databases: Databases, generation: Generation, site: str, wanted: Sequence[bytes]
) -> dict[bytes, Outcome]:
    good, outcomes = _sorted_out(wanted)
    with reading(databases.inventory) as connection:
        objections = _objections(connection, generation, site_id(connection, site), good)
    outcomes |= {path: Outcome(path, "refused", objection) for path, objection in objections.items()}
    good = [path for path in good if path not in objections]
    if not good:
        return outcomes
    table = deletion_queue.c
    with locked(databases.register, deletion_queue) as writer:
        for chunk in chunks(good):
            here = table.site == site, table.file.in_(chunk)
            rows: dict[bytes, str] = dict(writer.rows(select(table.file, table.status).where(*here)))
            writer.change(*here, table.status.in_(OVER), **AS_NEW, created=func.now())
            writer.add(
                ({"file": path, "site": site} for path in chunk if path not in rows), **AS_NEW, created=func.now()
            )
            for path in chunk:
                waiting = path in rows and rows[path] not in OVER
                outcomes[path] = Outcome(path, "waiting" if waiting else "requested")
    return outcomes


def _objections(connection: Connection, generation: Generation, site: int, files: Iterable[bytes]) -> dict[bytes, str]:
    """Those that another site on the same storage may have, and why: a PFN is the `backend` of a site and the LFN."""
    rules, urls = _rules_and_urls(connection, site, files)
    return other_claims.objections(connection, generation, rules, site, urls) if urls else {}


def _rules_and_urls(
    connection: Connection, site: int, files: Iterable[bytes]
) -> tuple[list[SiteRules], dict[bytes, bytes]]:
    """Of all sites, and of the files at `site`; no URLs where it has no `backend`."""
    rows = connection.execute(select(sites.c.id, sites.c.backend).where(sites.c.backend.is_not(None))).all()
    doors = {number: door.encode("latin-1", "replace") for number, door in rows}
    forms = {number: door.replace(b"{", b"{{").replace(b"}", b"}}") + b"{0}" for number, door in doors.items()}
    rules = [SiteRules(number, "backend", [(0, 0, b"(.*)", form)]) for number, form in forms.items()]
    return rules, {path: doors[site] + path for path in files} if site in doors else {}


def request_transfer(
    databases: Databases, generation: Generation, site: str, wanted: Sequence[bytes]
) -> dict[bytes, Outcome]:
    """A row for each disk that has the file; none where one of them waits already."""
    good, outcomes = _sorted_out(wanted)
    with reading(databases.inventory) as connection:
        number = site_id(connection, site)
        sizes = _sizes(connection, generation, number, good)
        disks: dict[bytes, set[str]] = {}
        rules, urls = _rules_and_urls(connection, number, good)
        sharing = other_claims.sharing_sites(rules, number, urls)
        for path, places in _places(connection, generation, number, good):
            try:
                disks[path] = _sources(places, sharing.get(path, set()), path in sizes)
            except RefusedError as reason:
                outcomes[path] = Outcome(path, "refused", str(reason))
    if disks:
        with locked(databases.register, transfer_queue) as writer:
            for path, sources in disks.items():
                outcomes[path] = _queue(writer, site, path, max(sizes[path], 0), sources)
    return outcomes


def _sizes(connection: Connection, generation: Generation, site: int, wanted: Iterable[bytes]) -> dict[bytes, int]:
    """Of those files that the site has by an owned replica."""
    query = (
        select(files.c.name, files.c.size)
        .join(block_replicas, block_replicas.c.block_id == files.c.block_id)
        .where(block_replicas.c.site_id == site, block_replicas.c.group_id != 0, claimed(generation))
    )
    return {
        name: size
        for chunk in look_ups(wanted)
        for name, size in connection.execute(query.where(files.c.name.in_(chunk)))
    }


def _places(
    connection: Connection, generation: Generation, site: int, wanted: Iterable[bytes]
) -> Iterator[tuple[bytes, list[_Copy]]]:
    """Each file with its copies elsewhere."""
    for chunk in look_ups(wanted):
        found: dict[bytes, list[_Copy]] = {path: [] for path in chunk}
        for name, *copy in connection.execute(copies(generation, site, chunk)):
            if name in found:
                found[name].append(_Copy(*copy))
        yield from found.items()


def _sources(places: list[_Copy], sharing: Set[int], known: bool) -> set[str]:
    if not known:
        raise RefusedError("the inventory does not claim it at the site, or its block has no owner there")
    sources = check_sources(((copy.site, copy.storage) for copy in places), sharing)
    return {copy.name for copy in places if copy.site in sources}


def _queue(writer: Writer, site: str, path: bytes, size: int, sources: set[str]) -> Outcome:
    table = transfer_queue.c
    here = table.file == path, table.site_to == site, table.site_from.in_(sources)
    rows: dict[str, str] = dict(writer.rows(select(table.site_from, table.status).where(*here)))
    if not set(rows.values()) <= set(OVER):
        return Outcome(path, "waiting")
    writer.change(*here, **AS_NEW, created=func.now())
    lacking = ({"file": path, "site_from": source, "site_to": site} for source in sorted(sources - rows.keys()))
    writer.add(lacking, **AS_NEW, fsize=size, created=func.now())
    return Outcome(path, "requested")
