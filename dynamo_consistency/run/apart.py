"""Work in a process of its own, for the sake of libraries that can crash.

The XRootD library does when a connection breaks in the middle of an answer, now and then, in all versions up to 6.2.1.
"""

import logging
import multiprocessing
import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TypeVar

from dynamo_consistency.errors import ConsistencyError, ListingError

log = logging.getLogger(__name__)

ATTEMPTS = 5
GRACE_SECONDS = 5  # what it has, when it is told to end, to leave nothing half-written
Result = TypeVar("Result")


def apart(what: str, work: Callable[[], Result]) -> Result:
    """What `work` returns or raises. It is done again when its process crashes; it must bear that, as stages do.

    Raises ListingError after too many crashes.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _attempt(work)
        except _CrashError as crash:
            log.warning("%s: its process died (exit code %s), attempt %d of %d", what, crash, attempt, ATTEMPTS)
    raise ListingError(f"{what} crashed {ATTEMPTS} times: are there doors that break connections? nothing was written")


class _CrashError(Exception):
    """The process ended without a word; the message is its exit code."""


def _attempt(work: Callable[[], Result]) -> Result:
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_report, args=(work, there))
    process.start()
    there.close()
    result: Result
    try:
        result, error = here.recv()
    except EOFError:
        process.join()
        raise _CrashError(process.exitcode) from None
    except BaseException:
        process.terminate()
        process.join(GRACE_SECONDS)
        process.kill()
        raise
    process.join()
    if error is not None:
        raise error
    return result


def _report(work: Callable[[], Result], connection: Connection) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        connection.send((work(), None))
    except (ConsistencyError, KeyboardInterrupt) as error:
        connection.send((None, error))
    except Exception as error:
        log.debug("unexpected", exc_info=True)
        connection.send((None, RuntimeError(f"{type(error).__name__}: {error}")))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
