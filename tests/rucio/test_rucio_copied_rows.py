"""The CSV of PostgreSQL's COPY, read by Arrow, has the values that were written."""

from itertools import chain, repeat
from types import SimpleNamespace

import psycopg
import pyarrow as pa
import pytest
from effort import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st
from psycopg.pq import ExecStatus
from sqlalchemy import String, create_engine, func, select
from sqlalchemy.exc import DBAPIError

from dynamo_consistency.backend.sql import copied

TYPES = [pa.string(), pa.string(), pa.int64()]
PIECES = [
    "a",
    "é",
    ",",
    '"',
    '""',
    "\n",
    "\r",
    "\r\n",
    "\\",
    "\\.",
    " ",
    "\t",
    "\ufeff",
    "NULL",
    "N/A",
    "nan",
    "1",
    "#",
]
TEXTS = st.one_of(st.none(), st.lists(st.sampled_from(PIECES), max_size=5).map("".join))
NUMBERS = st.one_of(st.none(), st.sampled_from([0, -(2**63), 2**63 - 1]))
ROWS = st.lists(st.tuples(TEXTS, TEXTS, NUMBERS), min_size=1, max_size=6)


def written(value: str | int | None) -> str:
    """As PostgreSQL writes it: null is empty, and in quotes stands what is empty or has one of four signs."""
    if value is None:
        return ""
    text = str(value)
    quoted = text in ("", "\\.") or any(sign in text for sign in ',"\n\r')
    return '"' + text.replace('"', '""') + '"' if quoted else text


def lines(rows) -> list[bytes]:
    return [(",".join(map(written, row)) + "\n").encode() for row in rows]


@settings(max_examples=examples(500), deadline=None)
@given(rows=ROWS)
@example(rows=[("\ufeffa", "", 1), ("\ufeff", None, None)])
def test_every_value_is_read_as_it_was_written(rows):
    parsed = copied._parsed(bytearray(b"".join(lines(rows))), TYPES)
    assert list(zip(*(column.to_pylist() for column in parsed), strict=True)) == rows


class Wire:
    """As psycopg's PGconn: 0 where nothing has come yet, -1 at the end of the rows, and then results."""

    def __init__(self, answers: list[bytes], *states: ExecStatus) -> None:
        self._answers = iter(answers)
        words = {"error_field": lambda _field: None, "get_error_message": lambda _encoding: "gone"}
        self._results = chain((SimpleNamespace(status=state, **words) for state in states), repeat(None))

    def get_copy_data(self, _async: int) -> tuple[int, bytes]:
        answer = next(self._answers, None)
        return (-1, b"") if answer is None else (len(answer), answer)

    def read(self) -> bytes:
        """As psycopg's Copy: waits for a row, and judges the results itself."""
        return self.get_copy_data(0)[1]

    def get_result(self) -> SimpleNamespace | None:
        return next(self._results)


@settings(max_examples=examples(200), deadline=None)
@given(waits=st.lists(st.booleans(), max_size=8), at_once=st.integers(1, 4))
def test_rows_are_the_same_whether_or_not_they_are_waited_for(waits, at_once):
    rows = lines([("a", None, number) for number in range(len(waits))])
    answers = [answer for row, wait in zip(rows, waits, strict=True) for answer in ([b"", row] if wait else [row])]
    wire = Wire(answers, ExecStatus.COMMAND_OK)
    pieces = list(copied._rows_together(wire, wire, at_once))
    assert b"".join(pieces) == b"".join(rows)
    assert all(0 < piece.count(b"\n") <= at_once for piece in pieces)


@pytest.mark.parametrize("states", [(), (ExecStatus.FATAL_ERROR,), (ExecStatus.COMMAND_OK, ExecStatus.FATAL_ERROR)])
def test_rows_that_end_without_success_are_an_error(states):
    wire = Wire(lines([("a", "b", 1)]), *states)
    with pytest.raises(psycopg.Error):
        list(copied._rows_together(wire, wire, 10))


@pytest.mark.postgresql
@pytest.mark.parametrize("ending", ["pg_cancel_backend", "pg_terminate_backend", None])
def test_rows_that_the_server_stops_to_send_in_the_middle_are_an_error(postgresql_server, ending):
    number = func.generate_series(1, 60_000).column_valued("number")
    query = select(func.repeat("x", 600, type_=String), number)
    engine = create_engine(postgresql_server.url("postgres"))
    try:
        with engine.connect() as connection:
            parts = copied.columns(connection, query, [pa.string(), pa.int64()], 1000)
            found = [next(parts)]
            if ending is None:
                numbers = [number for part in [*found, *parts] for number in part[1].to_pylist()]
                assert numbers == list(range(1, 60_001))
                return
            with postgresql_server.connect() as other:
                where = "query LIKE 'COPY%' AND state = 'active'"
                stopped = other.execute(f"SELECT {ending}(pid) FROM pg_stat_activity WHERE {where}").fetchall()
            assert stopped == [(True,)]
            with pytest.raises(DBAPIError):
                list(parts)
    finally:
        engine.dispose()
