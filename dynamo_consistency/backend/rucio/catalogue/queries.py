"""What the catalogue has at an RSE: the queries, whose rows are all of one form."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Select,
    String,
    Table,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
)

from dynamo_consistency.backend.rucio.catalogue.replica_states import BAD
from dynamo_consistency.backend.rucio.catalogue.rses import Rse
from dynamo_consistency.backend.rucio.catalogue.schema import CatalogueTables

REQUESTED = "requested"
"""The state where there is no replica, but a request for one."""


def replicas(tables: CatalogueTables, rse: Rse) -> Select[Any]:
    """(scope, name, path, bytes, adler32, state, lock_cnt, tombstone, time, disturbed) of every replica at `rse`.

    `disturbed`: a request has it as its destination, or a declaration that it is bad is open.
    """
    table, requests, bad = tables.replicas, tables.requests, tables.bad_replicas
    requested = exists().where(_same_did(requests, table), requests.c.dest_rse_id == rse.id)
    is_open = cast(bad.c.state, String(16)) == BAD
    declared = exists().where(_same_did(bad, table), bad.c.rse_id == rse.id, is_open)
    return select(
        table.c.scope,
        table.c.name,
        table.c.path,
        table.c.bytes,
        table.c.adler32,
        tables.text_of(table.c.state),
        table.c.lock_cnt,
        table.c.tombstone,
        func.coalesce(table.c.updated_at, table.c.created_at, type_=DateTime).label("time"),
        case((or_(requested, declared), 1), else_=0).label("disturbed"),
    ).where(table.c.rse_id == rse.id)


def requests(tables: CatalogueTables, rse: Rse) -> Select[Any]:
    """The same of every file that is on its way to `rse` without a replica there, such as a hop between two others."""
    table, there = tables.requests, tables.replicas
    registered = exists().where(_same_did(there, table), there.c.rse_id == rse.id)
    return (
        select(
            table.c.scope,
            table.c.name,
            cast(null(), String(1024)).label("path"),
            func.max(table.c.bytes).label("bytes"),
            cast(null(), String(8)).label("adler32"),
            literal(REQUESTED).label("state"),
            literal(0, Integer).label("lock_cnt"),
            cast(null(), DateTime).label("tombstone"),
            func.max(table.c.updated_at, type_=DateTime).label("time"),
            literal(1, Integer).label("disturbed"),
        )
        .where(table.c.dest_rse_id == rse.id, table.c.scope.is_not(None), ~registered)
        .group_by(table.c.scope, table.c.name)
    )


def quarantined(tables: CatalogueTables, rse: Rse) -> Select[Any]:
    """The paths that wait for the dark reaper, as they were given."""
    return select(tables.quarantined.c.path).where(tables.quarantined.c.rse_id == rse.id)


def _same_did(table: Table, other: FromClause) -> ColumnElement[bool]:
    return and_(table.c.scope == other.c.scope, table.c.name == other.c.name)
