"""What the catalogue says now of single files at one RSE, asked for by DID or by path."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, and_, func, or_, select

from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did
from dynamo_consistency.backend.rucio.catalogue.rses import Rse
from dynamo_consistency.backend.rucio.catalogue.schema import CatalogueTables
from dynamo_consistency.backend.sql.reading import chunks


class Replica(NamedTuple):
    """A file that Rucio has registered at the RSE; `path` as it is stored there, None where Rucio computes it."""

    did: Did
    path: str | None
    size: int
    state: str
    locked: bool
    tombstone: datetime | None
    created_at: datetime


class Copy(NamedTuple):
    """A replica at another RSE."""

    rse: str
    type: str
    usable: bool
    """It is available, no one is about to delete it, and its RSE is there to stay and can be read."""

    size: int


class Declared(NamedTuple):
    """A declaration that a replica is bad; `state` is B while it is open."""

    state: str
    reason: str
    created_at: datetime
    updated_at: datetime


class Records:
    """One view of the catalogue, for one RSE. Raises what SQLAlchemy raises (see `Catalogue.reading`)."""

    def __init__(self, connection: Connection, tables: CatalogueTables, rse: Rse) -> None:
        self._connection, self._tables, self._rse = connection, tables, rse

    def replicas(self, dids: Iterable[Did]) -> list[Replica]:
        """Those of `dids` that are registered at the RSE, in whatever state."""
        table = self._tables.replicas
        return [_replica(row) for row in self._of_dids(self._replicas(), table, dids)]

    def replicas_at(self, texts: Iterable[str]) -> list[Replica]:
        """What is registered at the RSE with one of these very paths, or in a way that is not normalised."""
        path = self._tables.replicas.c.path
        rows = list(self._of_values(self._replicas(), path, texts))
        if not self._rse.deterministic:
            rows += self._connection.execute(self._replicas().where(path.like("%//%")))
        return [_replica(row) for row in rows]

    def has_replicas_without_path(self) -> bool:
        """On an RSE where paths are not computed: is there a file whose path nobody knows yet?"""
        table = self._tables.replicas
        query = select(table.c.name).where(table.c.rse_id == self._rse.id, table.c.path.is_(None)).limit(1)
        return self._connection.execute(query).first() is not None

    def copies(self, dids: Iterable[Did]) -> dict[Did, list[Copy]]:
        """The replicas at other RSEs, usable or not."""
        table, rses = self._tables.replicas, self._tables.rses
        query = (
            select(
                table.c.scope,
                table.c.name,
                table.c.bytes,
                self._tables.text_of(table.c.state),
                table.c.lock_cnt,
                table.c.tombstone,
                rses.c.rse,
                self._tables.text_of(rses.c.rse_type).label("type"),
                *(rses.c[name] for name in ("availability_read", "volatile", "staging_area", "deleted")),
            )
            .join(rses, rses.c.id == table.c.rse_id)
            .where(table.c.rse_id != self._rse.id)
        )
        found: defaultdict[Did, list[Copy]] = defaultdict(list)
        for row in self._of_dids(query, table, dids):
            stays = not row.tombstone or row.lock_cnt > 0
            readable = row.availability_read and not (row.volatile or row.staging_area or row.deleted)
            usable = bool(row.state == "A" and stays and readable)
            found[Did(row.scope, row.name)].append(Copy(row.rse, row.type, usable, row.bytes))
        return found

    def held(self, dids: Iterable[Did], now: float) -> set[Did]:
        """Those that a rule holds at the RSE, and will go on holding; `now` in seconds since 1970."""
        locks, rules = self._tables.locks, self._tables.rules
        lasts = or_(
            rules.c.expires_at.is_(None), rules.c.expires_at > datetime.fromtimestamp(now, UTC).replace(tzinfo=None)
        )
        query = (
            select(locks.c.scope, locks.c.name)
            .join(rules, rules.c.id == locks.c.rule_id)
            .where(locks.c.rse_id == self._rse.id, lasts)
        )
        return {Did(*row) for row in self._of_dids(query, locks, dids)}

    def on_their_way(self, dids: Iterable[Did]) -> set[Did]:
        """Those of which a transfer to the RSE is asked for, whatever has become of it."""
        table = self._tables.requests
        query = select(table.c.scope, table.c.name).where(table.c.dest_rse_id == self._rse.id)
        return {Did(*row) for row in self._of_dids(query, table, dids)}

    def declared(self, dids: Iterable[Did]) -> dict[Did, list[Declared]]:
        """Every declaration of theirs at the RSE, the oldest first."""
        table = self._tables.bad_replicas
        names = ("scope", "name", "reason", "created_at", "updated_at")
        query = select(*(table.c[name] for name in names), self._tables.text_of(table.c.state)).where(
            table.c.rse_id == self._rse.id
        )
        found: defaultdict[Did, list[Declared]] = defaultdict(list)
        for row in self._of_dids(query, table, dids):
            found[Did(row.scope, row.name)].append(
                Declared(row.state, row.reason or "", row.created_at, row.updated_at)
            )
        return {did: sorted(some, key=lambda one: one.created_at) for did, some in found.items()}

    def availability(self, dids: Iterable[Did]) -> dict[Did, str]:
        """Of those that Rucio knows anywhere: A, or L and D for what is lost and deleted."""
        table = self._tables.dids
        query = select(table.c.scope, table.c.name, self._tables.text_of(table.c.availability))
        rows = self._of_dids(query, table, dids)
        return {Did(row.scope, row.name): row.availability or "A" for row in rows}

    def known_in_any_scope(self, names: Iterable[str]) -> list[Did]:
        """Whatever Rucio knows anywhere by one of `names`."""
        dids, scopes = self._tables.dids, self._tables.scopes
        # By way of the scopes, as there is no index of names alone.
        query = select(dids.c.scope, dids.c.name).join(scopes, scopes.c.scope == dids.c.scope)
        return [Did(*row) for row in self._of_values(query, dids.c.name, names)]

    def scopes(self, names: Iterable[str]) -> set[str]:
        """Those of `names` that are scopes."""
        column = self._tables.scopes.c.scope
        return {row.scope for row in self._of_values(select(column), column, names)}

    def styles(self, scope: str) -> set[bool]:
        """Do names of the scope's files begin with a slash, which sorts before all that else they may begin with?"""
        table = self._tables.replicas
        ends = (
            select(end(table.c.name)).where(table.c.scope == scope).scalar_subquery() for end in (func.min, func.max)
        )
        return {name.startswith("/") for name in self._connection.execute(select(*ends)).one() if name is not None}

    def quarantined(self, texts: Iterable[str]) -> set[str]:
        """Those of these paths that wait for the dark reaper."""
        table = self._tables.quarantined
        query = select(table.c.path).where(table.c.rse_id == self._rse.id)
        return {row.path for row in self._of_values(query, table.c.path, texts)}

    def quarantined_as(self, texts: Iterable[str]) -> list[Did | None]:
        """The DIDs that were given with these paths when they were put in quarantine; None where none was."""
        table = self._tables.quarantined
        query = select(table.c.path, table.c.scope, table.c.name).where(table.c.rse_id == self._rse.id)
        rows = self._of_values(query, table.c.path, texts)
        return [Did(row.scope, row.name) if row.scope and row.name else None for row in rows]

    def reaped(self, texts: Iterable[str], since: datetime) -> dict[str, datetime]:
        """When the dark reaper last took each of these paths from its list, whether it deleted the file or not."""
        table = self._tables.quarantine_history
        # The table has no index: it is gone through once, and not once for some paths at a time.
        query = select(table.c.path, table.c.deleted_at).where(
            table.c.rse_id == self._rse.id, table.c.deleted_at >= since
        )
        wanted = set(texts)
        found: dict[str, datetime] = {}
        for path, deleted_at in self._connection.execute(query):
            if path in wanted:
                found[path] = max(deleted_at, found.get(path, deleted_at))
        return found

    def _replicas(self) -> Select[Any]:
        table = self._tables.replicas
        names = ("scope", "name", "path", "bytes", "lock_cnt", "tombstone", "created_at")
        return select(*(table.c[name] for name in names), self._tables.text_of(table.c.state)).where(
            table.c.rse_id == self._rse.id
        )

    def _of_dids(self, query: Select[Any], table: Table, dids: Iterable[Did]) -> Iterator[Any]:
        for some in chunks(sorted(set(dids))):
            yield from self._connection.execute(query.where(is_one_of(table.c.scope, table.c.name, some)))

    def _of_values(self, query: Select[Any], column: Column[Any], values: Iterable[str]) -> Iterator[Any]:
        for some in chunks(sorted(set(values))):
            yield from self._connection.execute(query.where(column.in_(some)))


def is_one_of(scope: Column[Any], name: Column[Any], dids: Iterable[Did]) -> ColumnElement[bool]:
    """By scope and by name, so that every database finds the rows by an index."""
    groups = groupby(sorted(dids), key=lambda did: did.scope)
    return or_(*(and_(scope == group, name.in_([did.name for did in some])) for group, some in groups))


def _replica(row: Any) -> Replica:
    did, locked = Did(row.scope, row.name), row.lock_cnt > 0
    return Replica(did, row.path, row.bytes, row.state, locked, row.tombstone, row.created_at)


def spellings(path: bytes) -> list[str]:
    """A path as Rucio's tables may hold it; none for what they cannot hold."""
    try:
        relative = path.decode("utf-8").lstrip("/")
    except UnicodeDecodeError:
        return []
    return [relative, f"/{relative}"]
