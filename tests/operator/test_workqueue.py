"""The queue of checks: nothing is lost, nothing is done twice at once, and what fails is not hammered."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from consistency_operator.loop.workqueue import LONGEST_REST, WorkQueue

A, B = ("ns", "a"), ("ns", "b")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def played(play: Callable[[WorkQueue, Clock], Coroutine[Any, Any, None]]) -> None:
    async def playing() -> None:
        clock = Clock()
        async with asyncio.timeout(5):
            await play(WorkQueue(clock), clock)

    asyncio.run(playing())


async def nothing_is_due(queue: WorkQueue) -> bool:
    taking = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0.01)
    done = taking.done()
    taking.cancel()
    return not done


def test_many_pokes_are_one_piece_of_work() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        queue.poke(A)
        queue.poke(A)
        assert await queue.take() == A
        queue.put_back(A)
        assert await nothing_is_due(queue)

    played(play)


def test_a_poke_that_comes_while_the_key_is_out_is_not_lost_and_not_served_at_once() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        queue.poke(A)
        assert await queue.take() == A
        queue.poke(A)
        assert await nothing_is_due(queue)
        queue.put_back(A)
        assert await queue.take() == A

    played(play)


def test_who_has_been_due_for_longest_comes_first() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        queue.wake_at(B, 990)
        queue.poke(A)
        assert [await queue.take(), await queue.take()] == [B, A]

    played(play)


def test_a_key_sleeps_until_its_time_and_an_earlier_time_wins() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        queue.wake_at(A, 1010)
        queue.wake_at(A, 1005)
        queue.wake_at(A, 1020)
        assert await nothing_is_due(queue)
        clock.now = 1005
        assert await queue.take() == A

    played(play)


def test_someone_who_waits_is_woken_by_a_poke() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        taking = asyncio.ensure_future(queue.take())
        await asyncio.sleep(0.01)
        queue.poke(A)
        assert await taking == A

    played(play)


def test_failures_make_the_rest_longer_up_to_a_limit_and_pokes_do_not_shorten_it() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        rests = []
        queue.poke(A)
        for _ in range(12):
            assert await queue.take() == A
            queue.poke(A)
            rests.append(queue.failed(A))
            queue.poke(A)
            assert await nothing_is_due(queue)
            clock.now += rests[-1]
        assert rests[:4] == [1, 2, 4, 8]
        assert rests[-1] == LONGEST_REST

    played(play)


def test_success_ends_the_series_of_failures() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        for _ in range(3):
            queue.poke(A)
            await queue.take()
            clock.now += queue.failed(A)
        await queue.take()
        queue.put_back(A)
        queue.poke(A)
        await queue.take()
        assert queue.failed(A) == 1

    played(play)


def test_a_mended_cause_ends_the_rest_at_once() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        queue.poke(A)
        await queue.take()
        queue.failed(A, least=60)
        queue.relax(A)
        queue.poke(A)
        assert await queue.take() == A

    played(play)


def test_a_cause_that_is_mended_while_the_key_is_out_keeps_it_from_a_long_rest() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        queue.poke(A)
        await queue.take()
        queue.relax(A)
        queue.poke(A)
        assert queue.failed(A, least=60) == 1
        clock.now += 1
        assert await queue.take() == A
        assert queue.failed(A, least=60) == 60

    played(play)


@pytest.mark.parametrize("out", [False, True])
def test_the_most_neglected_key_tells_the_delay(out: bool) -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        assert queue.overdue() == 0
        queue.wake_at(B, 1500)
        queue.poke(A)
        if out:
            await queue.take()
        clock.now = 1100
        assert queue.overdue() == 100

    played(play)


def test_a_thousand_keys_are_dealt_with_in_no_time() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        keys = [("ns", str(i)) for i in range(1000)]
        taken = []

        async def work() -> None:
            while True:
                key = await queue.take()
                taken.append(key)
                await asyncio.sleep(0)
                queue.put_back(key)
                queue.wake_at(key, clock.now + 3600)

        workers = [asyncio.ensure_future(work()) for _ in range(8)]
        for times in (1, 2, 3):
            for key in keys:
                queue.poke(key)
            while len(taken) < times * len(keys):
                await asyncio.sleep(0)
        assert sorted(taken) == sorted(keys * 3)
        for worker in workers:
            worker.cancel()

    began = time.process_time()
    played(play)
    assert time.process_time() - began < 1
