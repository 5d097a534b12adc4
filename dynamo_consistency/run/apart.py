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
        outcome, exit_code = _attempt(work)
        if outcome is not None:
            return outcome()
        log.warning("%s: its process died (exit code %s), attempt %d of %d", what, exit_code, attempt, ATTEMPTS)
    raise ListingError(f"{what} crashed {ATTEMPTS} times: are there doors that break connections? nothing was written")


def _attempt(work: Callable[[], Result]) -> tuple[Callable[[], Result] | None, int | None]:
    """What tells the outcome, None when there is none; and the exit code of the process."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_report, args=(work, there))
    process.start()
    there.close()
    try:
        result, error = here.recv()
    except EOFError:
        process.join()
        return None, process.exitcode
    except BaseException:
        process.terminate()
        process.join(GRACE_SECONDS)
        process.kill()
        raise
    process.join()

    def outcome() -> Result:
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    return outcome, process.exitcode


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
