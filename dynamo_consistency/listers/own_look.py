"""Asking for a single file where a backend has listers of its own: their `stat(file)`, or its `exists(path)`."""

import queue
import time
from collections.abc import Callable, Sequence
from typing import Any

from dynamo_consistency import paths
from dynamo_consistency.listers.contract import FileLook, FileStat, NotThere, Unsure
from dynamo_consistency.listers.times import known_size, known_time
from dynamo_consistency.secrets import redact


def look_of_lister(
    factory: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], timeout: float
) -> FileLook | None:
    """`stat(file)` beside `list` of what `factory` constructs; None where it has none.

    Each of the listers, one for each tuple of `arguments`, is used by one thread at a time. One that hangs is not
    waited for longer than `timeout` seconds.
    """
    made_by = getattr(factory, "func", factory)
    if not isinstance(made_by, type) or not callable(getattr(made_by, "stat", None)):
        return None
    free: queue.SimpleQueue[Callable[[], Any]] = queue.SimpleQueue()
    for each in arguments:
        free.put(_made_once(factory, tuple(each)))

    def look(file: bytes) -> FileStat | NotThere | Unsure:
        try:
            lister = free.get(timeout=timeout)
        except queue.Empty:
            return Unsure("all listers hang")
        try:
            return _of_stat(lister().stat(paths.to_text(file)))
        except Exception as error:  # noqa: BLE001 (whatever a lister raises, nothing is known of the file)
            return Unsure(redact(f"{type(error).__name__}: {error}"))
        finally:
            free.put(lister)

    return look


def look_of_backend(exists: Callable[[str], Any]) -> FileLook:
    """`exists(path)` of a backend: only a plain False means that the file is not there."""

    def look(file: bytes) -> FileStat | NotThere | Unsure:
        try:
            answer = exists(paths.to_text(file))
        except Exception as error:  # noqa: BLE001 (whatever a backend raises, nothing is known of the file)
            return Unsure(redact(f"{type(error).__name__}: {error}"))
        if answer is True:
            return FileStat(None, None)
        return NotThere() if answer is False else Unsure(f"exists answered {answer!r} and not True or False")

    return look


def _made_once(factory: Callable[..., Any], arguments: tuple[Any, ...]) -> Callable[[], Any]:
    made: list[Any] = []

    def lister() -> Any:
        if not made:
            made.append(factory(*arguments))
        return made[0]

    return lister


def _of_stat(answer: Any) -> FileStat | NotThere:
    """Raises TypeError or ValueError for what is neither None nor (size, mtime)."""
    if answer is None:
        return NotThere()
    size, mtime = answer
    return FileStat(known_size(size), known_time(mtime, time.time()))
