"""The loop that serves the connections of listers: what goes out late, and tasks that take turns."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from dynamo_consistency.listers.loop.loop import Loop
from dynamo_consistency.listers.loop.stream import Stream
from dynamo_consistency.listers.loop.tasks import Later, pause, run
from dynamo_consistency.listers.loop.turns import Turns


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop(lambda now: None)
    yield loop
    loop.close()


class Sender(Stream):
    """Sends, and keeps what comes."""

    def __init__(self, connected: socket.socket, data: bytes) -> None:
        super().__init__(connected)
        self._out += data
        self.came, self.ended = b"", threading.Event()

    def received(self, data: bytes) -> None:
        self.came += data

    def lost(self, error: OSError | None) -> None:
        self.ended.set()


def test_what_does_not_fit_into_the_socket_goes_out_when_there_is_room(loop) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.settimeout(60)
    data = bytes(range(256)) * 20_000
    sender = Sender(ours, data)
    loop.call(lambda: (loop.watch(sender), loop.has_to_send(sender)))
    seen = b""
    while len(seen) < len(data):
        seen += theirs.recv(1 << 20)
    assert seen == data
    theirs.sendall(b"thanks")
    theirs.close()
    assert sender.ended.wait(60)
    assert sender.came == b"thanks"


def test_a_task_goes_on_when_what_it_awaits_is_there(loop) -> None:
    async def steps() -> int:
        await pause(loop, 0.01)
        later = Later[int]()
        threading.Timer(0.05, loop.call, [lambda: later.resolve(3)]).start()
        return await later

    assert run(loop, steps(), time.monotonic() + 60) == 3


def test_the_error_of_a_task_is_raised_where_it_is_waited_for(loop) -> None:
    async def steps() -> None:
        await pause(loop, 0.01)
        raise KeyError("x")

    with pytest.raises(KeyError, match="x"):
        run(loop, steps(), time.monotonic() + 60)


def test_of_many_tasks_only_so_many_run_at_a_time_and_all_come_to_their_turn(loop) -> None:
    turns, at_work, most, left = Turns[int](loop, 3), 0, 0, threading.Semaphore(0)

    async def steps(number: int) -> int:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        if number % 3:
            await pause(loop, 0.001)
        at_work -= 1
        return number

    ends = []
    for number in range(2000):
        turns.submit(number, lambda number=number: steps(number), lambda end: (ends.append(end), left.release()))
    assert all(left.acquire(timeout=60) for _ in range(2000))
    assert sorted(ends) == list(range(2000))
    assert most == 3
