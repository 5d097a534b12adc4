"""Answers of the library itself that no server can be made to provoke."""

import threading
import time
from collections.abc import Iterator

import pytest

from dynamo_consistency.listers.contract import Answer, Failed, Listed
from dynamo_consistency.listers.xrootd.doors import XRootDDoors, XRootDServer
from dynamo_consistency.listers.xrootd.request import Request
from dynamo_consistency.listers.xrootd.url import XRootDDoor
from dynamo_consistency.listers.xrootd.watchdog import Watchdog

SUCCESS = {"ok": True, "code": 0, "errno": 0, "message": "[SUCCESS] "}
ENTRY = {"name": "f", "statinfo": {"id": "0", "size": 1, "flags": 48, "modtime": 7}}
ONE = {"size": 1, "dirlist": [ENTRY]}


class Library:
    """Answers every listing with one (status, response), from a thread of its own as the real one does."""

    def __init__(self, status: dict | None = None, response: object = None, times: int = 1) -> None:
        self.status, self.response, self.times = status, response, times

    def dirlist(self, path: str, flags: int, timeout: int, callback=None):
        if self.status is None:
            raise ValueError("embedded null character")
        if callback is None:
            return self.status, self.response
        answer = [threading.Thread(target=callback, args=(self.status, self.response, [])) for _ in range(self.times)]
        for thread in answer:
            thread.start()
        return SUCCESS


@pytest.fixture
def watch() -> Iterator[Watchdog]:
    watch = Watchdog(lambda now: None)
    yield watch
    watch.close()


def answers_of(watch: Watchdog, library: object) -> list[Answer]:
    answers: list[Answer] = []
    doors = XRootDDoors([XRootDServer(0, XRootDDoor("door"), library)])
    Request(watch, doors, "/store", time.monotonic() + 60, answers.append).ask()
    deadline = time.monotonic() + 60
    while not answers and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    return answers


def test_a_whole_answer_is_a_listing(watch) -> None:
    (answer,) = answers_of(watch, Library(SUCCESS, ONE))
    assert isinstance(answer, Listed)
    assert [tuple(file) for file in answer.files] == [(b"f", 1, 7)]


@pytest.mark.parametrize("code", [1, 3])
def test_success_with_a_code_is_a_part_and_hence_a_failure(watch, code: int) -> None:
    (answer,) = answers_of(watch, Library(SUCCESS | {"code": code}, ONE))
    assert isinstance(answer, Failed)
    assert answer.retry
    assert "in part only" in answer.reason


def test_an_entry_without_stat_information_among_others_is_a_hole(watch) -> None:
    bare = {"name": "g", "statinfo": None}
    (answer,) = answers_of(watch, Library(SUCCESS, {"size": 2, "dirlist": [ENTRY, bare]}))
    assert [hole.name for hole in answer.holes] == [b"g"]
    assert [file.name for file in answer.files] == [b"f"]


@pytest.mark.parametrize("response", [42, {"size": 1}, {"size": 1, "dirlist": [{"name": "f"}]}])
def test_what_cannot_be_understood_is_a_failure_and_not_lost(watch, response: object) -> None:
    (answer,) = answers_of(watch, Library(SUCCESS, response))
    assert isinstance(answer, Failed)
    assert "cannot be understood" in answer.reason


def test_a_call_that_raises_is_a_failure_and_not_lost(watch) -> None:
    (answer,) = answers_of(watch, Library())
    assert isinstance(answer, Failed)
    assert "embedded null" in answer.reason


def test_several_answers_to_one_question_are_one_answer(watch) -> None:
    assert len(answers_of(watch, Library(SUCCESS, ONE, times=8))) == 1


def test_an_answer_that_only_comes_to_who_waits_for_it_is_taken(watch) -> None:
    (answer,) = answers_of(watch, Library(SUCCESS, ONE, times=0))
    assert isinstance(answer, Listed)
