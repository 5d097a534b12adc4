"""Work in processes of its own: for machines with several processors, and for libraries that can crash.

The problem: the XRootD library crashes now and then when a connection breaks in the middle of an answer, in all
versions up to 6.2.1, and takes its process with it; our own client does not, but some doors need the library. And one
process understands answers more slowly than several doors give them. So each task has a process; one that died is
started again, and the run goes on.

A task must therefore write nothing until it is complete, and may not use a connection that its parent has opened.
A child ends when its parent does, also by SIGKILL: nobody would read its result.

Rejected ways:
* threads: a crash ends all of them and the run, and only one of them runs Python at a time;
* ProcessPoolExecutor: one dead worker breaks the pool and fails the tasks of all others;
* multiprocessing.Pool: it replaces a dead worker, but waits for the lost result for ever;
* spawn or forkserver: they import everything anew, and a task would have to be picklable;
* the command line in a subprocess: it would need the backend's settings and the check once more, and its messages
  would have to be parsed.
"""

import logging
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from dynamo_consistency.errors import ConsistencyError, ListingError

log = logging.getLogger(__name__)

ATTEMPTS = 5
GRACE_SECONDS = 5  # what a process has, when it is asked to end, to leave nothing half-written
TaskResult = TypeVar("TaskResult")
Send = Callable[[Any], None]
"""What a task calls, in its own process, with a message for the process that started it."""
Task = Callable[[Send], TaskResult]


def in_processes(
    what: str, tasks: Sequence[Task[TaskResult]], receive: Callable[[int, Any], None] = lambda number, message: None
) -> list[TaskResult]:
    """What the tasks return, all at work at once, each in a process of its own.

    `receive` is called here with the number of a task and each of its messages. A task whose process crashes is done
    again; it must bear that, as stages do. What one raises is raised here, when the processes of the others have been
    ended, and so is ListingError after too many crashes of one.
    """
    workers: list[_Worker[TaskResult]] = []
    results: dict[int, TaskResult] = {}
    try:
        for number, task in enumerate(tasks):
            workers.append(_Worker(number, task))
        while len(results) < len(workers):
            awaited = {worker.connection: worker for worker in workers if worker.number not in results}
            for connection in wait(list(awaited)):
                worker = awaited[connection]  # type: ignore[index]
                try:
                    message = worker.connection.recv()
                except EOFError:
                    worker.begin_again(what)
                    continue
                if isinstance(message, _Message):
                    receive(worker.number, message.content)
                else:
                    results[worker.number] = message.result()
    except BaseException:
        _end(workers)
        raise
    for worker in workers:
        worker.process.join()
    return [results[number] for number in range(len(workers))]


@dataclass(frozen=True)
class _Message:
    content: Any


@dataclass(frozen=True)
class _Ended:
    returned: Any = None
    raised: BaseException | None = None

    def result(self) -> Any:
        if self.raised is not None:
            raise self.raised
        return self.returned


class _Worker(Generic[TaskResult]):
    """A task and the process that is at it."""

    def __init__(self, number: int, task: Task[TaskResult]) -> None:
        self.number, self._task, self._attempt = number, task, 0
        self.connection: Connection
        self.process: BaseProcess
        self._begin()

    def _begin(self) -> None:
        self._attempt += 1
        self.connection, there = multiprocessing.Pipe(duplex=False)
        self.process = multiprocessing.get_context("fork").Process(target=_work, args=(self._task, there))
        self.process.start()
        there.close()

    def begin_again(self, what: str) -> None:
        """The process has ended without a word. Raises ListingError when it did so too often."""
        self.process.join()
        code = self.process.exitcode
        log.warning("%s: its process died (exit code %s), attempt %d of %d", what, code, self._attempt, ATTEMPTS)
        if self._attempt == ATTEMPTS:
            raise ListingError(
                f"{what} crashed {ATTEMPTS} times: are there doors that break connections? nothing was written"
            )
        self._begin()


def _end(workers: list[_Worker[Any]]) -> None:
    for worker in workers:
        worker.process.terminate()
    for worker in workers:
        worker.process.join(GRACE_SECONDS)
        worker.process.kill()


def _work(task: Task[Any], connection: Connection) -> None:
    sys.stderr = getattr(sys.stderr, "rich_proxied_file", sys.stderr)  # the bar above which lines go is the parent's
    with suppress(KeyboardInterrupt):  # asked to end while it reports how it ended: nobody reads that
        threading.Thread(target=_end_with_parent, daemon=True).start()
        connection.send(_ended(task, lambda content: connection.send(_Message(content))))


def _ended(task: Task[Any], send: Send) -> _Ended:
    try:
        return _Ended(task(send))
    except (ConsistencyError, KeyboardInterrupt) as error:
        return _Ended(raised=error)
    except Exception as error:
        log.debug("unexpected", exc_info=True)
        return _Ended(raised=RuntimeError(f"{type(error).__name__}: {error}"))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
