"""The queue of checks: nothing is lost, nothing is done twice at once, and what fails is not hammered."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from consistency_operator.loop.workqueue import LONGEST_BACKOFF, WorkQueue

A, B = ("ns", "a"), ("ns", "b")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def played(play: Callable[[WorkQueue, Clock], Coroutine[Any, Any, None]]) -> None:
    async def playing() -> None:
        clock = Clock()
        async with asyncio.timeout(60):
            await play(WorkQueue(clock), clock)

    asyncio.run(playing())


async def nothing_is_due(queue: WorkQueue) -> bool:
    taking = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0.01)
    done = taking.done()
    taking.cancel()
    return not done


def test_a_key_added_many_times_is_one_piece_of_work() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        queue.add(A)
        queue.add(A)
        assert await queue.get() == A
        queue.done(A)
        assert await nothing_is_due(queue)

    played(play)


def test_a_key_added_while_it_is_processed_is_not_lost_and_not_given_out_twice_at_once() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        queue.add(A)
        assert await queue.get() == A
        queue.add(A)
        assert await nothing_is_due(queue)
        queue.done(A)
        assert await queue.get() == A

    played(play)


def test_who_has_been_due_for_longest_comes_first() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        queue.add(B)
        clock.now += 10
        queue.add(A)
        assert [await queue.get(), await queue.get()] == [B, A]

    played(play)


def test_a_key_sleeps_until_its_time_and_an_earlier_time_wins() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        queue.add_after(A, 10)
        queue.add_after(A, 5)
        queue.add_after(A, 20)
        assert await nothing_is_due(queue)
        clock.now = 1005
        assert await queue.get() == A

    played(play)


def test_a_worker_that_waits_is_woken_by_a_new_key() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        taking = asyncio.ensure_future(queue.get())
        await asyncio.sleep(0.01)
        queue.add(A)
        assert await taking == A

    played(play)


def test_failures_make_the_backoff_longer_up_to_a_limit_and_adding_does_not_shorten_it() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        backoffs = []
        queue.add(A)
        for _ in range(12):
            assert await queue.get() == A
            queue.add(A)
            backoffs.append(queue.failed(A))
            queue.add(A)
            assert await nothing_is_due(queue)
            clock.now += backoffs[-1]
        assert backoffs[:4] == [1, 2, 4, 8]
        assert backoffs[-1] == LONGEST_BACKOFF

    played(play)


def test_success_ends_the_series_of_failures() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        for _ in range(3):
            queue.add(A)
            await queue.get()
            clock.now += queue.failed(A)
        await queue.get()
        queue.done(A)
        queue.add(A)
        await queue.get()
        assert queue.failed(A) == 1

    played(play)


def test_forgetting_the_failures_ends_the_backoff_at_once() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        queue.add(A)
        await queue.get()
        queue.failed(A, least=60)
        queue.forget(A)
        queue.add(A)
        assert await queue.get() == A

    played(play)


def test_failures_forgotten_while_the_key_is_processed_keep_it_from_a_long_backoff() -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        queue.add(A)
        await queue.get()
        queue.forget(A)
        queue.add(A)
        assert queue.failed(A, least=60) == 1
        clock.now += 1
        assert await queue.get() == A
        assert queue.failed(A, least=60) == 60

    played(play)


@pytest.mark.parametrize("failed", [False, True])
def test_a_clock_that_is_set_back_makes_everything_due(failed: bool) -> None:
    """Else what is due in a minute would sleep for as long as the clock was ahead, and that minute."""

    async def play(queue: WorkQueue, clock: Clock) -> None:
        queue.add(A)
        await queue.get()
        if failed:
            queue.failed(A)
        else:
            queue.done(A)
            queue.add_after(A, 60)
        assert await nothing_is_due(queue)
        clock.now -= 900
        assert await queue.get() == A

    played(play)


@pytest.mark.parametrize("processing", [False, True])
def test_the_delay_is_that_of_the_most_neglected_key(processing: bool) -> None:
    async def play(queue: WorkQueue, clock: Clock) -> None:
        assert queue.overdue() == 0
        queue.add_after(B, 500)
        queue.add(A)
        if processing:
            await queue.get()
        clock.now = 1100
        assert queue.overdue() == 100

    played(play)


def dealt_with(number: int) -> float:
    """The seconds of a processor that each of so many keys takes."""

    async def play(queue: WorkQueue, clock: Clock) -> None:
        keys = [("ns", str(i)) for i in range(number)]
        taken = []

        async def work() -> None:
            while True:
                key = await queue.get()
                taken.append(key)
                await asyncio.sleep(0)
                queue.done(key)
                queue.add_after(key, 3600)

        workers = [asyncio.ensure_future(work()) for _ in range(8)]
        for times in (1, 2, 3):
            for key in keys:
                queue.add(key)
            while len(taken) < times * len(keys):
                await asyncio.sleep(0)
        assert sorted(taken) == sorted(keys * 3)
        for worker in workers:
            worker.cancel()

    began = time.process_time()
    played(play)
    return (time.process_time() - began) / number


def test_a_key_takes_as_long_among_thousands_as_among_few() -> None:
    dealt_with(100)
    few, many = (min(dealt_with(number) for _ in range(3)) for number in (200, 4000))
    assert many < 5 * few  # were it quadratic it would be 20 times
