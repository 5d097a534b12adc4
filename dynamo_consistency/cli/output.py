"""Stdout, as it fails: a full disk ends the command with a sentence, a reader that has gone ends it quietly."""

import io
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
