"""Column types that hide how databases differ: names are bytes and times are seconds, whatever the engine.

Names. MySQL would convert a latin1 column to the character set of the connection; the file at the site has the bytes
that are stored. So names are read as they are stored (CAST … AS BINARY). For a look-up the bytes are sent as the text
that MySQL converts back into just these bytes: it is within latin1 by construction, so that the comparison can use the
index and can never end in error 1267 (illegal mix of collations). Where the tables have been converted to UTF-8, it is
the text itself (`name_codes.py`).

Times. MySQL holds the server's local time and converts with the session's zone; SQLite holds UTC.
"""

import contextlib
from collections.abc import Set
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Dialect, String
from sqlalchemy.dialects.mysql import VARCHAR
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import BindParameter
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import BigInteger, LargeBinary, TypeDecorator, TypeEngine

from dynamo_consistency.errors import BackendError


def _mysql_latin1() -> dict[int, str]:
    """MySQL's latin1 is cp1252, in which the five bytes without a meaning are kept as they are."""
    table = {}
    for byte in range(256):
        try:
            table[byte] = bytes([byte]).decode("cp1252")
        except UnicodeDecodeError:
            table[byte] = chr(byte)
    return table


_LATIN1 = _mysql_latin1()

LATIN1_TEXT = frozenset(_LATIN1.values())
"""All characters that a latin1 column of MySQL can hold."""


def as_latin1_text(raw: bytes) -> str:
    """The text that MySQL stores as exactly the bytes `raw` in a latin1 column."""
    return raw.decode("latin-1").translate(_LATIN1)


_LATIN1_CODE, _UTF8_CODES = {"latin1"}, {"utf8", "utf8mb3", "utf8mb4"}


class NameCode:
    """The codes that the names of a database are in; latin1 until they are known."""

    def __init__(self) -> None:
        self._codes: Set[str | None] = _LATIN1_CODE

    @classmethod
    def of(cls, dialect: Dialect) -> "NameCode":
        """That of the database of an engine, which is what has a dialect of its own."""
        code: NameCode = dialect.__dict__.setdefault("code_of_names", cls())
        return code

    def learn(self, codes: Set[str | None]) -> None:
        self._codes = codes or _LATIN1_CODE

    def text(self, name: bytes) -> str:
        """The text that the database stores as exactly these bytes. Raises BackendError where none is sure to be."""
        if name.isascii() or self._codes <= _LATIN1_CODE:
            return as_latin1_text(name)
        if self._codes <= _UTF8_CODES:
            with contextlib.suppress(UnicodeDecodeError):
                return name.decode("utf-8")
        codes = ", ".join(sorted(code or "binary" for code in self._codes))
        raise BackendError(
            f"the name {name.decode('utf-8', 'backslashreplace')} cannot be looked up: Dynamo's tables have their "
            f"names in latin1, and these are in {codes}"
        )


class _Stored(GenericFunction[bytes]):
    """The bytes of a text column as they are stored."""

    type = LargeBinary()
    inherit_cache = True
    name = "stored_bytes"


@compiles(_Stored, "sqlite")
def _stored_on_sqlite(element: _Stored, compiler: Any, **kwargs: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **kwargs)} AS BLOB)"


@compiles(_Stored, "mysql")
def _stored_on_mysql(element: _Stored, compiler: Any, **kwargs: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **kwargs)} AS BINARY)"


class _Literal(GenericFunction[str]):
    """A name that is sent to the database."""

    type = String()
    inherit_cache = True
    name = "name_literal"


@compiles(_Literal, "sqlite")
def _literal_on_sqlite(element: _Literal, compiler: Any, **kwargs: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **kwargs)} AS TEXT)"


@compiles(_Literal, "mysql")
def _literal_on_mysql(element: _Literal, compiler: Any, **kwargs: Any) -> str:
    return str(compiler.process(element.clauses, **kwargs))


class NameType(TypeDecorator[bytes]):
    """A text column whose Python values are the bytes that are stored; upper and lower case differ."""

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        text = VARCHAR(self.length, charset="latin1", collation="latin1_general_cs")
        return dialect.type_descriptor(text if dialect.name == "mysql" else self.impl_instance)

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "sqlite":
            return value
        return NameCode.of(dialect).text(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        return None  # the drivers give bytes

    def bind_expression(self, bindvalue: BindParameter[bytes]) -> ColumnElement[Any]:
        return _Literal(bindvalue)

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return _Stored(column)


class _ToSeconds(GenericFunction[int]):
    type = BigInteger()
    inherit_cache = True
    name = "to_seconds"


@compiles(_ToSeconds, "sqlite")
def _to_seconds_on_sqlite(element: _ToSeconds, compiler: Any, **kwargs: Any) -> str:
    return f"NULLIF(CAST(strftime('%s', {compiler.process(element.clauses, **kwargs)}) AS INTEGER), 0)"


@compiles(_ToSeconds, "mysql")
def _to_seconds_on_mysql(element: _ToSeconds, compiler: Any, **kwargs: Any) -> str:
    return f"NULLIF(UNIX_TIMESTAMP({compiler.process(element.clauses, **kwargs)}), 0)"


class _FromSeconds(GenericFunction[Any]):
    type = DateTime()
    inherit_cache = True
    name = "from_seconds"


@compiles(_FromSeconds, "sqlite")
def _from_seconds_on_sqlite(element: _FromSeconds, compiler: Any, **kwargs: Any) -> str:
    return f"datetime({compiler.process(element.clauses, **kwargs)}, 'unixepoch')"


@compiles(_FromSeconds, "mysql")
def _from_seconds_on_mysql(element: _FromSeconds, compiler: Any, **kwargs: Any) -> str:
    return f"FROM_UNIXTIME({compiler.process(element.clauses, **kwargs)})"


class SecondsType(TypeDecorator[int]):
    """A datetime column whose Python values are seconds since 1970; the epoch itself and zero dates read as None."""

    impl = DateTime
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:
        return None

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        return None

    def bind_expression(self, bindvalue: BindParameter[int]) -> ColumnElement[Any]:
        return _FromSeconds(bindvalue)

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return _ToSeconds(column)
