"""Who runs the loop of our own client: whoever waits for its answers, and else a thread of its own."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from xrdclient.testing import frame

from dynamo_consistency.listers.contract import Answer, Failed, LedLister
from dynamo_consistency.listers.look import FileStat
from dynamo_consistency.listers.loop.led_answers import LedAnswers
from dynamo_consistency.listers.loop.loop import Loop
from dynamo_consistency.listers.shards import Share
from dynamo_consistency.listers.walk import Limits, Walk
from dynamo_consistency.listers.xrootd import XRootDLister
from dynamo_consistency.listers.xrootd.wire.frames import DIRLIST, OK

LIMITS = Limits(directory_timeout_seconds=30)


@pytest.fixture
def client() -> str:
    return "wire"


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop(lambda now: None)
    yield loop
    loop.close()


class Watched:
    """The answers of a lister, and which threads brought them."""

    def __init__(self, answers: LedAnswers) -> None:
        self._answers = answers
        self.get, self.threads = answers.get, set()

    def put(self, item: tuple) -> None:
        self.threads.add(threading.current_thread())
        self._answers.put(item)


def fetched(answers: LedAnswers) -> tuple:
    """The next answer, as a walk waits for it."""
    while True:
        with suppress(queue.Empty):
            return answers.get(timeout=60)


@pytest.mark.xrootd
def test_a_walk_fetches_its_answers_itself(site, make_lister, make_tree) -> None:
    made = make_tree(site.path, 20, 5)
    lister = make_lister(site.server.url)
    assert isinstance(lister, LedLister)
    answers = Watched(lister.answers())
    visits = list(Walk(lister, [site.lfn], Share(0, 1, 3), LIMITS, answers=answers))
    assert sum(len(visit.answer.files) for visit in visits) == len(made)
    assert threading.current_thread() in answers.threads


@pytest.mark.xrootd
def test_between_a_walk_and_after_it_questions_are_answered_too(site, make_lister, make_tree) -> None:
    make_tree(site.path, 3, 1)
    lister = make_lister(site.server.url)
    lister.prepare()
    for visit in Walk(lister, [site.lfn], Share(0, 1, 3), LIMITS):  # a question while the walk waits for nothing
        for name in visit.answer.files.names:
            assert isinstance(lister.look(visit.directory.path + b"/" + name), FileStat)
    assert lister.list(site.lfn)[0]


class Counting:
    """A lister, how many of its questions were open at most."""

    def __init__(self, lister: XRootDLister) -> None:
        self._lister, self.capacity = lister, lister.capacity
        self.open = self.most = 0
        self.answers, self.forget = lister.answers, lister.forget

    def submit(self, directory: bytes, done: Callable[[Answer], None]) -> None:
        def answered(answer: Answer) -> None:
            self.open -= 1
            done(answer)

        self.open += 1
        self.most = max(self.most, self.open)
        self._lister.submit(directory, answered)


@pytest.mark.xrootd
def test_a_walk_keeps_to_its_window_and_its_rate(site, make_lister, make_tree) -> None:
    made = make_tree(site.path, 20, 2)
    lister = Counting(make_lister(site.server.url))
    limits = Limits(concurrency=3, directory_timeout_seconds=30)
    walk = Walk(lister, [site.lfn], Share(0, 1, 3), limits)
    assert sum(len(visit.answer.files) for visit in walk) == len(made)
    assert lister.most == 3
    began = time.monotonic()
    walk = Walk(lister, [site.lfn], Share(0, 1, 3), replace(limits, max_requests_per_second=100))
    assert sum(len(visit.answer.files) for visit in walk) == len(made)
    assert time.monotonic() - began > (walk.requests - 11) / 100, "ten of them may go out at once after a pause"


@pytest.mark.xrootd
def test_all_doors_are_asked_in_turn(daemons, make_lister) -> None:
    doors = [daemons.server(name=name) for name in ("one", "other")]
    for door in doors:
        (door.store / door.directory.name).touch()
    lister = make_lister(*(door.url for door in doors))
    seen = [lister.list(b"/store")[2][0][0] for _ in range(4)]
    assert sorted(seen) == [b"one", b"one", b"other", b"other"]
    assert seen[0] != seen[1] != seen[2] != seen[3]


def test_an_answer_that_another_thread_brings_ends_the_wait(loop) -> None:
    answers = LedAnswers(loop)
    threading.Thread(target=lambda: (time.sleep(0.2), answers.put((1, 0.0, Failed("no"))))).start()
    assert fetched(answers) == (1, 0.0, Failed("no"))


def test_an_error_in_a_call_does_not_end_who_leads(loop, caplog) -> None:
    answers = LedAnswers(loop)
    loop.call(lambda: 1 / 0)
    loop.call(lambda: answers.put((1, 0.0, Failed("no"))))
    assert fetched(answers) == (1, 0.0, Failed("no"))
    assert "division by zero" in caplog.text


def test_several_threads_may_lead_and_call_at_once(loop) -> None:
    mine = [LedAnswers(loop) for _ in range(4)]
    left = threading.Barrier(4)

    def work(answers: LedAnswers) -> None:
        left.wait()
        for token in range(200):
            loop.call(lambda token=token: answers.put((token, 0.0, Failed("no"))))
            assert fetched(answers)[0] == token

    threads = [threading.Thread(target=work, args=(answers,)) for answers in mine]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


def test_a_silent_door_is_noticed_by_the_walk_that_waits_for_it(fake, make_lister) -> None:
    fake.handlers[DIRLIST] = lambda connection, stream, *_: iter(())
    lister = make_lister(str(fake.url), timeout=1)
    limits = Limits(directory_timeout_seconds=1, retries=0)
    (visit,) = Walk(lister, [b"/store/x"], Share(0, 1, 1), limits)
    assert isinstance(visit.answer, Failed)
    assert "in time" in visit.answer.reason
    fake.handlers[DIRLIST] = lambda connection, stream, *_: iter([frame(stream, OK, b".\n0 0 0 0\na\n0 5 16 100\0")])
    (visit,) = Walk(lister, [b"/store/x"], Share(0, 1, 1), limits)
    assert visit.answer.files.names == [b"a"]
