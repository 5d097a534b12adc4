"""What is not to be touched at an RSE: datasets that a rule holds there, and those that are being deleted."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, DateTime, Select, exists, func, or_, select

from dynamo_consistency.backend.rucio.catalogue import rses
from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue
from dynamo_consistency.backend.rucio.catalogue.rses import Rse
from dynamo_consistency.backend.rucio.catalogue.schema import CatalogueTables
from dynamo_consistency.backend.rucio.options import Options

_FAR = datetime(9999, 1, 1)


def protected_datasets(catalogue: Catalogue, options: Options, site: str) -> set[str]:
    """Datasets that a rule holds at the RSE, and will go on holding. Raises BackendError for an unknown RSE."""
    with catalogue.reading() as connection:
        rse = rses.find(connection, catalogue, site)
        return _names(connection, options, held(catalogue.tables, rse), held_file_by_file(catalogue.tables, rse))


def datasets_being_deleted(catalogue: Catalogue, options: Options, site: str) -> set[str]:
    """Datasets at the RSE whose rules have all expired, and those that have themselves expired anywhere.

    Raises BackendError for an unknown RSE.
    """
    with catalogue.reading() as connection:
        rse = rses.find(connection, catalogue, site)
        return _names(connection, options, let_go(catalogue.tables, rse), expired(catalogue.tables))


def _names(connection: Connection, options: Options, *queries: Select[Any]) -> set[str]:
    """`scope:name`; or the CMS name, whose blocks are Rucio's datasets."""
    dids = (row for query in queries for row in connection.execute(query))
    if options.dataset_names == "cms":
        return {name.partition("#")[0] for _, name in dids}
    return {f"{scope}:{name}" for scope, name in dids}


def held(tables: CatalogueTables, rse: Rse) -> Select[Any]:
    """By locks on datasets; one whose rule is lacking counts."""
    locks, rules = tables.dataset_locks, tables.rules
    return (
        select(locks.c.scope, locks.c.name)
        .distinct()
        .outerjoin(rules, rules.c.id == locks.c.rule_id)
        .where(locks.c.rse_id == rse.id, _lasts(tables))
    )


def held_file_by_file(tables: CatalogueTables, rse: Rse) -> Select[Any]:
    """By rules that spread the files of a dataset over RSEs: they lock files and not datasets."""
    rules, locks = tables.rules, tables.locks
    here = exists().where(locks.c.rule_id == rules.c.id, locks.c.rse_id == rse.id)
    spread = tables.text_of(rules.c.grouping) == "N"
    return select(rules.c.scope, rules.c.name).distinct().where(spread, _is_collection(tables), _lasts(tables), here)


def _lasts(tables: CatalogueTables) -> ColumnElement[bool]:
    return or_(tables.rules.c.expires_at.is_(None), tables.rules.c.expires_at > _now())


def _is_collection(tables: CatalogueTables) -> ColumnElement[bool]:
    return tables.text_of(tables.rules.c.did_type) != "F"


def let_go(tables: CatalogueTables, rse: Rse) -> Select[Any]:
    locks, rules = tables.dataset_locks, tables.rules
    last = func.max(func.coalesce(rules.c.expires_at, _FAR, type_=DateTime), type_=DateTime)
    return (
        select(locks.c.scope, locks.c.name)
        .outerjoin(rules, rules.c.id == locks.c.rule_id)
        .where(locks.c.rse_id == rse.id)
        .group_by(locks.c.scope, locks.c.name)
        .having(last <= _now())
    )


def expired(tables: CatalogueTables) -> Select[Any]:
    dids = tables.dids
    is_collection = tables.text_of(dids.c.did_type) != "F"
    return select(dids.c.scope, dids.c.name).where(dids.c.expired_at <= _now(), is_collection)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
