"""All requests to WebDAV doors go over one loop: who runs it, what is given up, and what breaks on the way."""

import gc
import queue
import threading
import time

from scripted_dav import FILES, Request, entry, here, listing, reply

from dynamo_consistency.listers.contract import Answer, LedLister, Listed
from dynamo_consistency.listers.loop.tasks import Later, Task
from dynamo_consistency.listers.shards import Share
from dynamo_consistency.listers.walk import Limits, Walk
from dynamo_consistency.listers.webdav.exchange import Exchange


def tree(request: Request) -> bytes:
    """A tree with ten directories in its root, and one file in each of these."""
    if request.path == b"/d/":
        return listing("/d/", *(entry(f"/d/{number}/", directory=True) for number in range(10)))
    return here(request)


def files_of(visits) -> int:
    return sum(len(visit.answer.files) for visit in visits if isinstance(visit.answer, Listed))


def test_a_walk_fetches_its_answers_itself(scripted, make_lister) -> None:
    lister = make_lister(scripted(tree).url)
    lister.prepare()
    assert isinstance(lister, LedLister)
    answers, threads = lister.answers(), set()
    put = answers.put
    answers.put = lambda item: (threads.add(threading.current_thread()), put(item))
    visits = list(Walk(lister, [b"/d"], Share(0, 1, 3), Limits(), answers=answers))
    assert files_of(visits) == 10
    assert threading.current_thread() in threads


def test_a_tree_whose_answers_all_break_once_is_listed_completely(scripted, make_lister, walk) -> None:
    broken: set[str] = set()

    def script(request: Request):
        whole = tree(request)
        if request.target in broken:
            return [whole]
        broken.add(request.target)
        return [whole[: len(whole) * 2 // 3], None]  # to send None fails, and the connection ends

    visits = walk(make_lister(scripted(_ending(script)).url), b"/d")
    assert [visit.directory.path for visit in visits if not isinstance(visit.answer, Listed)] == []
    assert files_of(visits) == 10


def _ending(script):
    """Of a script that says None after a part of an answer: the connection ends there."""

    def pieces(request: Request):
        for piece in script(request):
            if piece is None:
                raise ConnectionAbortedError
            yield piece

    return pieces


class TestForgotten:
    """A directory whose answer is no longer awaited."""

    def test_it_is_not_told_and_another_takes_its_place(self, scripted, make_lister, ask) -> None:
        goes_on = threading.Event()
        server = scripted(lambda request: (request.target == "/d/" and goes_on.wait(60) and None) or here(request))
        lister = make_lister(server.url, concurrency=1, timeout=600)
        told: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        lister.submit(b"/d", told.put)
        while not server.seen:
            time.sleep(0.01)
        lister.forget(b"/d")
        assert ask(lister, b"/e") == Listed(files=FILES)
        goes_on.set()
        assert ask(lister, b"/d") == Listed(files=FILES)
        assert told.empty()

    def test_one_that_has_not_been_asked_yet_never_is(self, scripted, make_lister, ask) -> None:
        goes_on = threading.Event()
        server = scripted(lambda request: (goes_on.wait(60) and None) or here(request))
        lister = make_lister(server.url, concurrency=1, timeout=600)
        told: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        lister.submit(b"/d", told.put)
        lister.submit(b"/e", told.put)
        lister.forget(b"/e")
        goes_on.set()
        assert told.get(timeout=60) == Listed(files=FILES)
        assert ask(lister, b"/f") == Listed(files=FILES)
        assert [request.target for request in server.seen] == ["/d/", "/f/"]
        assert told.empty()

    def test_one_whose_connection_is_being_made_leaves_that_to_the_next(
        self, scripted, make_lister, ask, caplog
    ) -> None:
        server = scripted(here)
        lister = make_lister(server.url, concurrency=1)
        told: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        for _ in range(20):
            lister.submit(b"/d", told.put)
            lister.forget(b"/d")
        assert ask(lister, b"/e") == Listed(files=FILES)
        assert told.empty() or told.get() == Listed(files=FILES)
        assert caplog.text == ""


class TestHttp:
    """What may stand before, in and after an answer."""

    def test_what_goes_before_an_answer_is_passed_over(self, told) -> None:
        before = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX: y\r\n\r\n"
        assert told(lambda request: before + here(request)) == Listed(files=FILES)

    def test_an_answer_may_come_byte_by_byte(self, told) -> None:
        assert told(lambda request: [here(request)[at : at + 1] for at in range(len(here(request)))]) == Listed(
            files=FILES
        )

    def test_a_refusal_counts_even_if_its_body_does_not_come(self, told) -> None:
        assert "403 Forbidden" in told(reply(403, b"", length=100), timeout=1).reason
        assert "403 Forbidden" in told(reply(403, b"no", length=100), timeout=10).reason

    def test_the_body_of_a_refusal_is_not_awaited_without_end(self, told) -> None:
        def endless(_: Request):
            yield reply(503, b"", length=1 << 40)
            while True:
                yield bytes(100_000)

        assert "503" in told(endless, timeout=600).reason

    def test_a_head_without_end_is_no_answer(self, told) -> None:
        def endless(_: Request):
            yield b"HTTP/1.1 207 Multi-Status\r\n"
            while True:
                yield b"X: " + b"y" * 10_000 + b"\r\n"

        assert "the head of its answer does not end" in told(endless, timeout=600).reason

    def test_what_a_server_says_unasked_spoils_the_connection_only(self, scripted, make_lister, ask) -> None:
        server = scripted(lambda request: 2 * here(request))
        lister = make_lister(server.url, concurrency=1)
        for number in range(5):
            assert ask(lister, f"/d{number}".encode()) == Listed(files=FILES)


def test_what_a_request_needed_goes_with_it(scripted, make_lister, ask) -> None:
    lister = make_lister(scripted(here).url)
    gc.collect()
    gc.disable()  # it would find in the end what keeps each other
    try:
        for number in range(20):
            ask(lister, f"/d{number}".encode())
        left = [each for each in gc.get_objects() if isinstance(each, Task | Later | Exchange)]
    finally:
        gc.enable()
    assert len(left) <= 1  # the last one may not have ended


def test_an_answer_of_which_only_a_part_has_come_does_not_hold_up_the_others(scripted, make_lister, ask) -> None:
    answered = threading.Event()

    def script(request: Request):
        whole = here(request)
        yield whole[:-50]
        if request.target == "/slow/":
            answered.wait(60)
        yield whole[-50:]

    lister = make_lister(scripted(script).url, concurrency=2, timeout=600)
    slow: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    lister.submit(b"/slow", slow.put)
    assert ask(lister, b"/d") == Listed(files=FILES)
    assert slow.empty()
    answered.set()
    assert slow.get(timeout=60) == Listed(files=FILES)
