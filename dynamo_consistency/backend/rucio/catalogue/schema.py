"""Rucio's tables, with the columns that we read.

Ids of RSEs and rules are text, UUID or bytes, by database: they are handed back as they came. States are of a type of
their own on PostgreSQL, which compares with text only after a cast; so they are read as text and judged here.
"""

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


class Name(TypeDecorator[str]):
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


class Tables:
    """The tables of a catalogue, in the schema that is named, else in the account's own."""

    def __init__(self, schema: str | None = None) -> None:
        metadata = MetaData(schema=schema)

        def table(name: str, /, **columns: Any) -> Table:
            return Table(name, metadata, *(Column(column, kind) for column, kind in columns.items()))

        did = {"scope": Name, "name": Name}
        times = {"created_at": DateTime, "updated_at": DateTime}
        self.rses = table(
            "rses",
            id=AsItCame,
            rse=Name,
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
        self.rse_attributes = table("rse_attr_map", rse_id=AsItCame, key=String, value=String)
        self.protocols = table(
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
        self.replicas = table(
            "replicas",
            **did,
            rse_id=AsItCame,
            bytes=BigInteger,
            adler32=String,
            path=Name,
            state=String,
            lock_cnt=Integer,
            tombstone=DateTime,
            **times,
        )
        self.requests = table("requests", **did, dest_rse_id=AsItCame, bytes=BigInteger, **times)
        self.bad_replicas = table(
            "bad_replicas", **did, rse_id=AsItCame, reason=String, state=String, bytes=BigInteger, **times
        )
        self.quarantined = table("quarantined_replicas", **did, rse_id=AsItCame, path=Name, created_at=DateTime)
        self.quarantine_history = table(
            "quarantined_replicas_history", **did, rse_id=AsItCame, path=Name, deleted_at=DateTime
        )
        self.dataset_locks = table("dataset_locks", **did, rse_id=AsItCame, rule_id=AsItCame, account=String)
        self.locks = table("locks", **did, rse_id=AsItCame, rule_id=AsItCame, state=String)
        self.rules = table(
            "rules", **did, id=AsItCame, account=String, did_type=String, grouping=String, expires_at=DateTime
        )
        self.contents = table("contents", **did, child_scope=Name, child_name=Name, did_type=String)
        self.dids = table("dids", **did, account=String, did_type=String, availability=String, expired_at=DateTime)
        self.scopes = table("scopes", scope=Name)

    @staticmethod
    def text_of(column: Column[Any]) -> Label[str]:
        """A state as text, on every database."""
        return cast(column, String(16)).label(column.name)
