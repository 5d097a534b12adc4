"""Stdout and stderr, as they fail.

Data that does not arrive ends the command: with a sentence where the disk is full, quietly where the reader has gone.
Progress and messages that do not arrive end nothing.
"""

import contextlib
import io
import os
import sys
from typing import Any

from dynamo_consistency.errors import ConsistencyError


class ReaderGoneError(Exception):
    """Whoever read the output has gone, as `head` does when it has enough."""


class _Output(io.FileIO):
    """Stdout's file. What comes after a failure, at the latest when the interpreter ends, is thrown away."""

    _failed = False

    def write(self, data: Any) -> int:
        if self._failed:
            return len(data)
        try:
            return super().write(data)
        except BrokenPipeError:
            self._failed = True
            raise ReaderGoneError from None
        except OSError as error:
            self._failed = True
            raise ConsistencyError(f"the output could not be written to its end: {error.strerror}") from None


def use_stdout() -> None:
    """Let stdout fail as above. Raises ConsistencyError when it is closed: what is opened next would take its place."""
    if sys.stdout is None:
        raise ConsistencyError("stdout is closed, and so nothing was started; send it to a file, or to /dev/null")
    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError):  # not a file: a test has put something in its place
        return
    sys.stdout.flush()
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(_Output(number, "w", closefd=False)),
        encoding=sys.stdout.encoding,
        errors=sys.stdout.errors,
        line_buffering=sys.stdout.isatty(),
    )


class _Messages(io.FileIO):
    """Stderr's file: what cannot be written is thrown away."""

    def write(self, data: Any) -> int:
        with contextlib.suppress(OSError):
            return super().write(data)
        return len(data)


def use_stderr() -> None:
    """Let stderr fail as above. Where it or stdin is closed it becomes /dev/null, so that no file takes its place."""
    for number in (0, 2):
        _open_if_closed(number)
    try:
        number = 2 if sys.stderr is None else sys.stderr.fileno()
    except (OSError, ValueError):  # not a file: a test has put something in its place
        return
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(_Messages(number, "w", closefd=False)),
        encoding="utf-8" if sys.stderr is None else sys.stderr.encoding,
        errors="backslashreplace",
        write_through=True,
        line_buffering=True,
    )


def _open_if_closed(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)
