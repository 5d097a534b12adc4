"""Rucio's tables, with the columns that we read.

Ids of RSEs and rules are text, UUID or bytes, by database: they are handed back as they came. States are of a type of
their own on PostgreSQL, which compares with text only after a cast; so they are read as text and compared here.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Integer,
    Label,
    MetaData,
    String,
    Table,
    TypeDecorator,
    cast,
)
from sqlalchemy.types import NullType


class AsItCame(TypeDecorator[Any]):
    """A value that is only ever compared with itself: no conversion in either direction."""

    impl = NullType
    cache_ok = True


class TextType(TypeDecorator[str]):
    """Text in which files are named. MySQL has Rucio's in latin1, and fails (1271) when it is asked for any other.

    What it cannot hold is asked for as NULL, which nothing equals.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value and dialect.name in ("mysql", "mariadb") and not _in_latin1(value) else value


def _in_latin1(text: str) -> bool:
    """By MySQL's latin1, which is that of Windows."""
    return all(sign < "\x80" or "\xa0" <= sign <= "\xff" or sign in _OF_WINDOWS for sign in text)


_OF_WINDOWS = bytes(range(0x80, 0xA0)).decode("cp1252", "ignore")


class CatalogueTables:
    """The tables of a catalogue, in the schema that is named, else in the account's own. Every attribute is a table."""

    def __init__(self, schema: str | None = None) -> None:
        table = _Maker(MetaData(schema=schema))
        self.rses, self.rse_attributes, self.protocols = _of_rses(table)
        self.replicas, self.requests, self.bad_replicas = _of_replicas(table)
        self.quarantined, self.quarantine_history = _of_quarantine(table)
        self.dataset_locks, self.locks, self.rules = _of_rules(table)
        self.contents, self.dids, self.scopes = _of_dids(table)

    @staticmethod
    def text_of(column: Column[Any]) -> Label[str]:
        """A state as text, on every database."""
        return cast(column, String(16)).label(column.name)


class _Maker:
    """Makes the tables of one schema. `table(name, column=type, …)`."""

    def __init__(self, metadata: MetaData) -> None:
        self._metadata = metadata

    def __call__(self, name: str, /, **columns: Any) -> Table:
        return Table(name, self._metadata, *(Column(column, kind) for column, kind in columns.items()))


_DID: Mapping[str, Any] = {"scope": TextType, "name": TextType}
_TIMES: Mapping[str, Any] = {"created_at": DateTime, "updated_at": DateTime}


def _of_rses(table: _Maker) -> tuple[Table, Table, Table]:
    rses = table(
        "rses",
        id=AsItCame,
        rse=TextType,
        vo=String,
        rse_type=String,
        deterministic=Boolean,
        volatile=Boolean,
        staging_area=Boolean,
        deleted=Boolean,
        availability_read=Boolean,
        availability_write=Boolean,
        availability_delete=Boolean,
    )
    attributes = table("rse_attr_map", rse_id=AsItCame, key=String, value=String)
    protocols = table(
        "rse_protocols",
        rse_id=AsItCame,
        scheme=String,
        hostname=String,
        port=Integer,
        prefix=String,
        extended_attributes=String,
        read_wan=Integer,
        delete_wan=Integer,
    )
    return rses, attributes, protocols


def _of_replicas(table: _Maker) -> tuple[Table, Table, Table]:
    replicas = table(
        "replicas",
        **_DID,
        rse_id=AsItCame,
        bytes=BigInteger,
        adler32=String,
        path=TextType,
        state=String,
        lock_cnt=Integer,
        tombstone=DateTime,
        **_TIMES,
    )
    requests = table("requests", **_DID, dest_rse_id=AsItCame, bytes=BigInteger, **_TIMES)
    bad = table("bad_replicas", **_DID, rse_id=AsItCame, reason=String, state=String, bytes=BigInteger, **_TIMES)
    return replicas, requests, bad


def _of_quarantine(table: _Maker) -> tuple[Table, Table]:
    waiting = table("quarantined_replicas", **_DID, rse_id=AsItCame, path=TextType, created_at=DateTime)
    history = table("quarantined_replicas_history", **_DID, rse_id=AsItCame, path=TextType, deleted_at=DateTime)
    return waiting, history


def _of_rules(table: _Maker) -> tuple[Table, Table, Table]:
    dataset_locks = table("dataset_locks", **_DID, rse_id=AsItCame, rule_id=AsItCame, account=String)
    locks = table("locks", **_DID, rse_id=AsItCame, rule_id=AsItCame, state=String)
    rules = table("rules", **_DID, id=AsItCame, account=String, did_type=String, grouping=String, expires_at=DateTime)
    return dataset_locks, locks, rules


def _of_dids(table: _Maker) -> tuple[Table, Table, Table]:
    contents = table("contents", **_DID, child_scope=TextType, child_name=TextType, did_type=String)
    dids = table("dids", **_DID, account=String, did_type=String, availability=String, expired_at=DateTime)
    return contents, dids, table("scopes", scope=TextType)
