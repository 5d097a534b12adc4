"""Answers that look whole and are not, in the protocol's own bytes: a healthy server cannot be made to give them."""

import struct
import time
from collections.abc import Callable, Iterator

import pytest
from xrdclient.testing import FakeServer, FaultProxy, error, frame

from dynamo_consistency.listers.contract import Failed, Listed

DIRLIST = 3004
OK, OKSOFAR, WAIT = 0, 4000, 4005
STAT_FLAG = 2
Frames = Callable[..., Iterator[bytes]]


def answering(*, stat: list[bytes], names: bytes = b"") -> Frames:
    """A handler for dirlist: the bodies in `stat` one after the other (the last one for ever), and bare `names`."""
    turns = list(stat)

    def handle(connection: object, stream: int, params: bytes, body: bytes) -> Iterator[bytes]:
        if not params[15] & STAT_FLAG:
            yield frame(stream, OK, names + b"\0")
        else:
            yield frame(stream, OK, (turns.pop(0) if len(turns) > 1 else turns[0]) + b"\0")

    return handle


def entries(**files: str) -> bytes:
    """A listing with STAT; a value is `id size flags mtime`."""
    return b".\n0 0 0 0\n" + "".join(f"{name}\n{stat}\n" for name, stat in files.items()).encode()


EMPTY = entries()
TWO = entries(a="0 5 16 100", b="0 7 16 100")


@pytest.fixture
def answer(fake: FakeServer, make_lister, ask) -> Callable[[Frames], Listed | Failed]:
    def answer(handler: Frames) -> Listed | Failed:
        fake.handlers[DIRLIST] = handler
        return ask(make_lister(str(fake.url), timeout=5), b"/store/x")

    return answer


def test_an_empty_answer_is_believed_when_the_bare_names_are_empty_too(fake, answer) -> None:
    assert answer(answering(stat=[EMPTY])) == Listed()
    assert fake.seen.count(DIRLIST) == 2


def test_an_empty_answer_is_asked_again_when_there_are_names(answer) -> None:
    listed = answer(answering(stat=[EMPTY, TWO], names=b"a\nb"))
    assert sorted((file.name, file.size) for file in listed.files) == [(b"a", 5), (b"b", 7)]


def test_a_server_that_stays_empty_while_it_has_names_is_not_believed(answer) -> None:
    failed = answer(answering(stat=[EMPTY], names=b"a\nb"))
    assert isinstance(failed, Failed)
    assert "answered empty, then with 2 names, then with 0" in failed.reason
    assert failed.retry


def test_fewer_entries_than_names_after_an_empty_answer_are_not_believed(answer) -> None:
    assert isinstance(answer(answering(stat=[EMPTY, TWO], names=b"a\nb\nc")), Failed)


def test_names_without_sizes_are_a_failure_and_not_files_of_size_0(answer) -> None:
    failed = answer(answering(stat=[b"a\nb"], names=b"a\nb"))
    assert isinstance(failed, Failed)
    assert "without sizes" in failed.reason


def test_an_impossible_size_is_a_hole(answer) -> None:
    listed = answer(answering(stat=[entries(a="0 -1 16 100", b="0 7 16 100")]))
    assert [hole.name for hole in listed.holes] == [b"a"]
    assert [file.name for file in listed.files] == [b"b"]


def test_a_server_without_inodes_gives_its_directories_no_identity(answer) -> None:
    listed = answer(answering(stat=[entries(a="0 0 19 100", b="5 0 19 100", c=f"{7 << 32 | 5} 0 19 100")]))
    assert [(entry.name, entry.identity) for entry in listed.directories] == [
        (b"a", None),
        (b"b", None),
        (b"c", (0, 7 << 32 | 5)),
    ]


def test_garbage_instead_of_stat_information_is_a_failure(answer) -> None:
    assert isinstance(answer(answering(stat=[entries(a="nonsense")])), Failed)


@pytest.mark.parametrize(
    ("code", "retry", "slow"),
    [(3010, False, False), (3011, False, False), (3007, True, False), (3024, True, True), (3008, True, True)],
)
def test_refusals_say_whether_asking_again_helps_and_whether_the_server_is_overrun(
    answer, code: int, retry: bool, slow: bool
) -> None:
    def refuse(connection: object, stream: int, params: bytes, body: bytes) -> Iterator[bytes]:
        yield error(stream, code, "no")

    failed = answer(refuse)
    assert isinstance(failed, Failed)
    assert (failed.retry, failed.slow) == (retry, slow)


def test_a_server_that_asks_for_patience_gets_it(fake, answer) -> None:
    fake.waits[DIRLIST] = 2
    assert len(answer(answering(stat=[TWO])).files) == 2


def test_a_server_that_asks_for_too_much_patience_is_overrun(answer) -> None:
    def wait(connection: object, stream: int, params: bytes, body: bytes) -> Iterator[bytes]:
        yield frame(stream, WAIT, struct.pack(">i", 60) + b"busy\0")

    failed = answer(wait)
    assert isinstance(failed, Failed)
    assert failed.retry
    assert failed.slow


def test_a_server_that_never_answers_is_overrun_and_the_time_limit_holds(answer) -> None:
    began = time.monotonic()
    failed = answer(lambda *_: iter(()))
    assert time.monotonic() - began < 9
    assert isinstance(failed, Failed)
    assert failed.retry
    assert failed.slow


def test_a_forgotten_directory_is_not_answered(fake, make_lister) -> None:
    fake.handlers[DIRLIST] = lambda *_: iter(())
    lister = make_lister(str(fake.url), timeout=1)
    answers: list = []
    lister.submit(b"/store/x", answers.append)
    lister.forget(b"/store/x")
    time.sleep(4)
    assert answers == []


def test_a_listing_in_many_pieces_is_one_listing(answer) -> None:
    def pieces(connection: object, stream: int, params: bytes, body: bytes) -> Iterator[bytes]:
        half = len(TWO) // 2
        yield frame(stream, OKSOFAR, TWO[:half])
        yield frame(stream, OK, TWO[half:] + b"\0")

    assert len(answer(pieces).files) == 2


@pytest.mark.xrootd
def test_a_connection_that_breaks_in_the_middle_of_an_answer_never_gives_a_part_of_it(site, make_lister, ask) -> None:
    for number in range(1000):
        (site.path / f"f{number}").touch()
    with FaultProxy(("127.0.0.1", site.server.port)) as proxy:
        lister = make_lister(str(proxy.url), timeout=2)
        lister.prepare()
        proxy.chop(512).flaky(0.1, seed=1)
        answers = [ask(lister, site.lfn) for _ in range(3)]
        assert proxy.connections > 1
        assert {len(answer.files) for answer in answers if isinstance(answer, Listed)} <= {1000}
        assert any(isinstance(answer, Failed) and answer.retry for answer in answers)
        proxy.heal()
        assert len(ask(lister, site.lfn).files) == 1000
