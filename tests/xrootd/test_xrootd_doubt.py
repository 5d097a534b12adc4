"""Answers that look whole and are not, in the protocol's own bytes: a healthy server cannot be made to give them."""

import socket
import struct
import time
from collections.abc import Callable, Iterator

import pytest
from xrdclient.testing import FakeServer, error, frame

from dynamo_consistency.listers.contract import Failed, Listed
from dynamo_consistency.listers.xrootd import doors
from dynamo_consistency.listers.xrootd.tcp_connection import connection_to
from dynamo_consistency.listers.xrootd.url import XRootDDoor

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


def test_a_server_without_inodes_gives_its_directories_no_identity(fake, answer) -> None:
    listed = answer(answering(stat=[entries(a="0 0 19 100", b="5 0 19 100", c=f"{7 << 32 | 5} 0 19 100")]))
    assert [(entry.name, entry.identity) for entry in listed.directories] == [
        (b"a", None),
        (b"b", None),
        (b"c", (str(fake.url).rstrip("/"), 7 << 32 | 5)),
    ]


def test_one_number_for_several_directories_is_no_identity_unless_others_differ(answer) -> None:
    same = f"{7 << 32 | 5} 0 19 100"
    alike = answer(answering(stat=[entries(a=same, b=same)]))
    assert [entry.identity for entry in alike.directories] == [None, None]
    differing = answer(answering(stat=[entries(a=same, b=same, c=f"{8 << 32 | 5} 0 19 100")]))
    a, b, c = (entry.identity for entry in differing.directories)
    assert a == b != c
    assert None not in (a, c)


def test_a_name_that_stands_twice_puts_the_directory_in_doubt(answer) -> None:
    failed = answer(answering(stat=[b".\n0 0 0 0\nend\n0 5 16 100\nend\n\n0 5 16 100"]))
    assert isinstance(failed, Failed)
    assert "a line end in the name of an entry does that" in failed.reason
    assert not failed.retry


@pytest.mark.parametrize("name", ["n" * 254, "n" * 255, "ü" * 127])
def test_a_name_that_a_server_may_have_cut_puts_the_directory_in_doubt(answer, name: str) -> None:
    failed = answer(answering(stat=[entries(**{name: "0 5 16 100", "f": "0 5 16 100"})]))
    assert isinstance(failed, Failed)
    assert "253 bytes" in failed.reason


@pytest.mark.parametrize("name", ["n" * 253, "ü" * 126])
def test_a_long_name_that_no_server_cuts_is_a_name(answer, name: str) -> None:
    assert [file.name for file in answer(answering(stat=[entries(**{name: "0 5 16 100"})])).files] == [name.encode()]


def test_a_file_that_is_offline_without_a_size_has_an_unknown_size(answer) -> None:
    listed = answer(answering(stat=[entries(a=f"0 0 {16 | 8} 100", b=f"0 7 {16 | 8} 100", c="0 0 16 100")]))
    assert sorted(listed.files) == [(b"a", None, 100), (b"b", 7, 100), (b"c", 0, 100)]


def test_a_file_that_is_being_written_is_as_young_as_can_be(answer) -> None:
    before = time.time()
    [file] = answer(answering(stat=[entries(a=f"0 7 {16 | 64} 100")])).files
    assert before <= file.mtime <= time.time() + 1


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
    assert time.monotonic() - began < 60
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


ONE = entries(a="0 5 16 100")


@pytest.mark.parametrize("client", ["bindings"])
def test_where_the_connection_cannot_be_told_two_answers_in_a_row_must_be_alike(answer, monkeypatch) -> None:
    monkeypatch.setattr(doors, "connection_to", lambda door: None)
    assert len(answer(answering(stat=[ONE, TWO, ONE, TWO, TWO])).files) == 2


@pytest.mark.parametrize("client", ["bindings"])
def test_answers_that_never_are_alike_are_a_failure_when_the_time_is_over(answer, monkeypatch) -> None:
    monkeypatch.setattr(doors, "connection_to", lambda door: None)
    failed = answer(answering(stat=[ONE, TWO] * 100_000))
    assert isinstance(failed, Failed)
    assert failed.retry


def test_an_answer_over_a_standing_connection_is_asked_for_once(fake, answer) -> None:
    answer(answering(stat=[TWO]))
    assert fake.seen.count(DIRLIST) == 1


def connected_as(descriptor: int, address: tuple[str, int]) -> socket.socket:
    """A connection with this descriptor; a lower one may have become free since, in another thread."""
    others = []
    while (connection := socket.create_connection(address)).fileno() != descriptor:
        others.append(connection)
        assert len(others) < 50
    for other in others:
        other.close()
    return connection


def test_a_connection_is_told_from_a_later_one_with_the_same_descriptor() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        door = XRootDDoor("127.0.0.1", listener.getsockname()[1])
        assert connection_to(door) is None
        with socket.create_connection(listener.getsockname()) as first:
            descriptor, connection = first.fileno(), connection_to(door)
            assert connection is not None
            assert connection.is_open()
        assert not connection.is_open()
        with connected_as(descriptor, listener.getsockname()):
            assert not connection.is_open()
            assert connection_to(XRootDDoor("localhost", door.port)).is_open()
            with socket.create_connection(listener.getsockname()):
                assert connection_to(door) is None  # which of the two it is, nobody knows
