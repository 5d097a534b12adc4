"""Questions are bounded in time, in number and in memory."""

import threading

import pytest

from dynamo_consistency.web.queries import database
from dynamo_consistency.web.queries.database import BusyError, Database, TooBigError

SLOW = "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE hash(a.range, b.range) = 1"


@pytest.fixture
def opened(tmp_path) -> Database:
    return Database([tmp_path], tmp_path)


def test_a_question_that_takes_too_long_is_ended(opened):
    with pytest.raises(BusyError, match="takes too long"), opened.question(seconds=0.2) as question:
        question.rows(SLOW)
    with opened.question() as question:
        assert question.rows("SELECT 1 AS one") == [{"one": 1}]


def test_more_questions_than_places_wait_and_are_then_refused(opened, monkeypatch):
    monkeypatch.setattr(database, "_WAIT", 0.05)
    with opened.question(), opened.question():
        with pytest.raises(BusyError, match="too many questions"), opened.question():
            pass
        with opened.beside(1).question() as question:
            assert question.rows("SELECT 1 AS one") == [{"one": 1}]
    with opened.question() as question:
        assert question.rows("SELECT 1 AS one") == [{"one": 1}]


def test_one_that_waits_has_its_turn(opened):
    answers = []

    def ask() -> None:
        with opened.question() as question:
            answers.append(question.rows("SELECT sum(range) AS sum FROM range(100000)")[0]["sum"])

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [4999950000] * 12


def test_one_that_needs_more_memory_than_there_is_is_refused(opened):
    with pytest.raises(TooBigError, match="ask for less"), opened.question() as question:
        question.rows("SELECT list(repeat(chr(97 + (range % 26)::INT), 1000) || range) FROM range(1000000)")
