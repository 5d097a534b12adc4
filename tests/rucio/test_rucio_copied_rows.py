"""The columns that PostgreSQL's binary COPY gives have the values that the tables have."""

from datetime import datetime
from operator import itemgetter

import pyarrow as pa
import pytest
from effort import examples
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, DateTime, Integer, String, column, create_engine, literal_column, select, table, text
from sqlalchemy.exc import DBAPIError

from dynamo_consistency.backend.sql import copied

pytestmark = pytest.mark.postgresql

TIME = pa.timestamp("us")
TYPES = [pa.int64(), pa.string(), pa.binary(), TIME, pa.string(), pa.int64()]
ROWS = table(
    "rows_to_copy",
    column("number", Integer),
    column("first", String),
    column("second", String),
    column("time", DateTime),
    column("third", String),
    column("size", BigInteger),
)
IN_LATIN1 = [
    "a",
    "é",
    "ÿ",
    ",",
    '"',
    "\n",
    "\r",
    "\r\n",
    "\\",
    "\\.",
    "\\N",
    " ",
    "\t",
    "NULL",
    "\x01",
    "\x7f",
    "/" * 300,
]
PIECES = [*IN_LATIN1, "\ufeff", "日本", "\u2028", "\U0001f600"]
NUMBERS = st.one_of(st.none(), st.sampled_from([0, -1, -(2**63) + 1, 2**63 - 1]))
TIMES = st.one_of(st.none(), st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)), st.just(datetime(2000, 1, 1)))


def rows_of(pieces):
    texts = st.one_of(st.none(), st.lists(st.sampled_from(pieces), max_size=5).map("".join))
    return st.lists(st.tuples(texts, texts, TIMES, texts, NUMBERS), max_size=9)


@pytest.fixture(scope="module", params=["UTF8", "LATIN1", "SQL_ASCII"])
def encoded(request, postgresql_server):
    """(encoding, engine) of a database in that encoding, which has the table."""
    name = f"in_{request.param.lower()}"
    with postgresql_server.connect() as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING '{request.param}' TEMPLATE template0")
    engine = create_engine(postgresql_server.url(name), connect_args={"client_encoding": "UTF8"})
    with engine.begin() as connection:
        columns = 'number integer, first text, second varchar, "time" timestamp, third text, size bigint'
        connection.exec_driver_sql(f"CREATE TABLE rows_to_copy ({columns})")
    yield request.param, engine
    engine.dispose()


def copied_rows(engine, rows, at_once=1000):
    """What is read of a table with these rows, by parts."""
    with engine.connect() as connection:  # and no commit
        insert = text("INSERT INTO rows_to_copy VALUES (:number, :first, :second, :time, :third, :size)")
        for number, row in enumerate(rows):
            values = dict(zip(("first", "second", "time", "third", "size"), row, strict=True))
            connection.execute(insert, {"number": number} | values)
        parts = list(copied.columns(connection, select(*ROWS.columns), TYPES, at_once))
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1  # it can be asked for more
    return [list(zip(*(column.to_pylist() for column in part), strict=True)) for part in parts]


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), at_once=st.integers(1, 4))
@example(data=None, at_once=2)
def test_every_value_is_read_as_it_was_written(encoded, data, at_once):
    encoding, engine = encoded
    edges = [("\ufeff" if encoding != "LATIN1" else "ÿ", "", None, None, 1), (None, None, datetime(1, 1, 1), "", None)]
    rows = data.draw(rows_of(IN_LATIN1 if encoding == "LATIN1" else PIECES)) if data else edges
    parts = copied_rows(engine, rows, at_once)
    written = [
        (number, first, None if second is None else second.encode(), time, third, size)
        for number, (first, second, time, third, size) in enumerate(rows)
    ]
    assert sorted((row for part in parts for row in part), key=itemgetter(0)) == written  # the table has no order
    assert all(0 < len(part) <= at_once for part in parts)


def one_row(server, *values):
    """The cells of a row of SQL's values, of these types."""
    engine = create_engine(server.url("postgres"))
    query = select(*(literal_column(sql).label(f"column{place}") for place, (sql, _) in enumerate(values)))
    try:
        with engine.connect() as connection:
            [columns] = copied.columns(connection, query, [kind for _, kind in values], 10)
    finally:
        engine.dispose()
    return [column[0] for column in columns]


def test_a_text_that_is_not_utf8_is_an_error_and_no_other_name(encoded):
    encoding, engine = encoded
    if encoding != "SQL_ASCII":
        return  # the server refuses it where it is written
    with engine.connect() as connection:
        connection.exec_driver_sql("SET LOCAL client_encoding = 'SQL_ASCII'")
        connection.exec_driver_sql("INSERT INTO rows_to_copy (first) VALUES (E'a\\xff')")
        connection.exec_driver_sql("SET LOCAL client_encoding = 'UTF8'")
        with pytest.raises((DBAPIError, pa.ArrowInvalid)):
            list(copied.columns(connection, select(ROWS.c.first), [pa.string()], 10))


def test_the_lowest_number_and_a_time_without_end_are_null(postgresql_server):
    values = ("''", pa.string()), ("'-9223372036854775808'::bigint", pa.int64()), ("'infinity'::timestamp", TIME)
    assert [cell.as_py() for cell in one_row(postgresql_server, *values)] == ["", None, None]


def test_a_time_without_beginning_is_before_all_others(postgresql_server):
    _, time = one_row(postgresql_server, ("''", pa.string()), ("'-infinity'::timestamp", TIME))
    assert time.value < pa.scalar(datetime(1, 1, 1), TIME).value
