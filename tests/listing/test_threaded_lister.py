"""The listers of a backend: constructors and functions, with one argument tuple per lister."""

import threading

import pytest
from asking_listers import walk_from

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.contract import Failed, File, Files, Listed, Subdirectory
from dynamo_consistency.listers.shards import Share
from dynamo_consistency.listers.threaded import ThreadedLister, simple_lister
from dynamo_consistency.listers.walk import Limits, Walk
from dynamo_consistency.secrets import remember


def ask(lister: ThreadedLister, directory: bytes):
    answers, answered = [], threading.Event()
    lister.submit(directory, lambda answer: (answers.append(answer), answered.set()))
    assert answered.wait(60)
    return answers[0]


def test_a_constructor_is_called_once_per_tuple_and_its_list_with_the_directory():
    built = []

    class Lister:
        def __init__(self, door, prefix):
            built.append((door, prefix))

        def list(self, directory):
            return True, [("sub", 1.2), (b"\xff", None)], [("f", 5, 7.5), (directory, 6, None)][:1]

    lister = simple_lister(Lister, [("a", "/x"), ("b", "/y")])
    assert built == [("a", "/x"), ("b", "/y")]
    assert lister.capacity == 2
    assert ask(lister, b"/store") == Listed(
        [Subdirectory(b"sub", 2), Subdirectory(b"\xff", None)], Files.of([File(b"f", 5, 8)])
    )
    lister.close()


def test_a_function_gets_the_directory_after_its_arguments_as_text_that_loses_nothing():
    calls = []

    def function(*arguments):
        calls.append(arguments)
        return True, [], []

    lister = simple_lister(function, [("door", 3)])
    ask(lister, b"/store/\xff")
    assert calls == [("door", 3, "/store/\udcff")]
    lister.close()


@pytest.mark.parametrize(
    "result",
    [(False, [], [("f", 1, 1.0)]), None, (True, []), (True, [("d",)], []), (True, [], [("f", "big", 1)]),
     *((ok, [], [("f", 1, 1.0)]) for ok in (None, "False", "error", -1, 54, float("nan"), OSError("x"), ["error"]))],
)  # fmt: skip
def test_an_answer_that_is_not_ok_or_makes_no_sense_is_a_failure(result):
    lister = simple_lister(lambda directory: result, [()])
    assert isinstance(ask(lister, b"/store"), Failed)
    lister.close()


@pytest.mark.parametrize(
    ("size", "mtime", "told"),
    [(1, float("nan"), (1, None)), (1, float("inf"), (1, None)), (1, -float("inf"), (1, None)), (2**70, 1, (None, 1)),
     (-1, 1, (None, 1)), (True, 1, (None, 1)), (5, 2**70, (5, None))],
)  # fmt: skip
def test_a_size_or_time_that_cannot_be_is_unknown(size, mtime, told):
    lister = simple_lister(lambda directory: (True, [("d", mtime)], [("f", size, mtime)]), [()])
    assert ask(lister, b"/store") == Listed([Subdirectory(b"d", told[1])], Files.of([File(b"f", *told)]))
    lister.close()


@pytest.mark.parametrize("name", ["a/b", "", ".", "..", "/"])
def test_a_name_that_no_directory_can_hold_puts_the_whole_answer_in_doubt(name):
    lister = simple_lister(lambda directory: (True, [], [("f", 1, 1), (name, 1, 1)]), [()])
    [visit] = walk_from(lister, b"/store")
    assert isinstance(visit.answer, Failed)
    assert "cannot be a name" in visit.answer.reason


def test_an_exception_is_a_failure_that_shows_no_secret():
    remember("hunter2")

    def raises(directory):
        raise RuntimeError("no access with password hunter2")

    lister = simple_lister(raises, [()])
    answer = ask(lister, b"/store")
    assert answer.reason == "RuntimeError: no access with password ***"
    assert isinstance(ask(lister, b"/store"), Failed), "the thread goes on"
    lister.close()


def test_a_constructor_that_fails_ends_the_listing_before_it_begins():
    class Broken:
        def __init__(self):
            raise OSError("no route")

    with pytest.raises(ListingError, match="the lister Broken of get_listers cannot be built: OSError: no route"):
        simple_lister(Broken, [()])
    with pytest.raises(ListingError, match="no lister"):
        simple_lister(Broken, [])


def test_a_thread_that_hangs_is_replaced_and_the_walk_ends_with_a_hole(monkeypatch: pytest.MonkeyPatch):
    for name in ("LISTER_GRACE_SECONDS", "FIRST_DELAY_SECONDS", "SWEEP_SECONDS"):
        monkeypatch.setattr(f"dynamo_consistency.listers.walk.{name}", 0.1)
    release = threading.Event()

    def hangs(directory):
        if directory == "/r/stuck":
            release.wait()
        return (
            (True, [(name, 1) for name in ("a", "stuck", "b")], []) if directory == "/r" else (True, [], [("f", 1, 1)])
        )

    lister = simple_lister(hangs, [()])
    limits = Limits(directory_timeout_seconds=0.5, retries=2)
    answers = {visit.directory.path: visit.answer for visit in Walk(lister, [b"/r"], Share(0, 1, 3), limits)}
    assert set(answers) == {b"/r", b"/r/a", b"/r/stuck", b"/r/b"}
    assert answers[b"/r/stuck"] == Failed("no answer; the request before still hangs (asked 3 times)")
    release.set()
    lister.close()


def test_when_everything_hangs_no_more_threads_are_started_and_all_answers_are_failures(monkeypatch):
    monkeypatch.setattr("dynamo_consistency.listers.threaded.MAX_STUCK", 2)
    release, begun = threading.Event(), threading.Semaphore(0)

    def hangs(directory):
        begun.release()
        release.wait()

    lister = simple_lister(hangs, [()])
    for number in range(3):
        lister.submit(b"/%d" % number, lambda answer: None)
        assert begun.acquire(timeout=60)
        lister.forget(b"/%d" % number)
    assert ask(lister, b"/next").reason == "not asked: 3 requests to the site hang"
    release.set()
    lister.close()
