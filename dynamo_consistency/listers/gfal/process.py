"""A process that asks gfal2 for us: started by the first request, killed when it does not answer."""

import json
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

from dynamo_consistency.listers.protocols import install_hint

PYTHON = "/usr/bin/python3"

START_SECONDS = 30

_SCRIPT = Path(__file__).with_name("helper.py")
_BLOCK = 1 << 20


class AbsentError(Exception):
    """There is no gfal2 here; the sentence says how to install it."""


class BrokenError(Exception):
    """The process has ended, or was killed because it did not answer in time (`silent`)."""

    def __init__(self, reason: str, *, silent: bool = False) -> None:
        super().__init__(reason)
        self.silent = silent


class GfalProblem(NamedTuple):
    """An error that gfal2 reported: an errno, and its words."""

    code: int
    reason: str


class Process:
    """For one thread at a time, except for `close`. `timeout`: seconds for each request, to its last line."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._channel: _Channel | None = None
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._over = False

    def ask(self, do: str, url: bytes) -> list[list[Any]] | GfalProblem:
        """The entries that `do` ("list", "rmdir" or "stat") gives for `url`, or gfal2's error.

        Raises AbsentError where there is no gfal2, and BrokenError where the answer is not complete.
        """
        with self._asking:
            try:
                channel = self._channel or self._start()
                channel.send({"do": do, "url": url.decode("utf-8", "surrogateescape")})
                return self._answer(channel, time.monotonic() + self._timeout)
            except TimeoutError:
                self._kill()
                self._end()
                raise BrokenError(f"gfal2 did not answer in {self._timeout:g} s", silent=True) from None
            except (OSError, ValueError):
                raise BrokenError(f"the process that asks gfal2 has ended{self._end()}") from None

    def close(self) -> None:
        """End the process; a thread that waits for an answer gets a BrokenError."""
        self._over = True
        self._kill()
        if self._asking.acquire(blocking=False):
            self._end()
            self._asking.release()

    def _kill(self) -> None:
        with self._lock:
            if self._channel is not None:
                self._channel.process.kill()

    def _answer(self, channel: "_Channel", deadline: float) -> list[list[Any]] | GfalProblem:
        entries: list[list[Any]] = []
        while True:
            reply = channel.receive(deadline)
            entries += reply.get("entries", ())
            if "error" in reply:
                return GfalProblem(int(reply["error"]), str(reply["reason"]))
            if "end" in reply:
                if reply["end"] != len(entries):
                    raise ValueError(reply["end"])
                return entries

    def _start(self) -> "_Channel":
        with self._lock:
            if self._over:
                raise BrokenError("the listing has been given up")
            if not Path(PYTHON).exists():
                raise AbsentError(
                    f"gfal2 is asked by {PYTHON}, which is not here; take an image that has it: {install_hint('gfal')}"
                )
            self._channel = channel = _Channel([PYTHON, "-I", str(_SCRIPT), str(int(self._timeout))])
        hello = channel.receive(time.monotonic() + START_SECONDS)
        if "ready" not in hello:
            self._end()
            raise AbsentError(f"{PYTHON} has no gfal2 ({hello.get('absent')}): {install_hint('gfal')}")
        return channel

    def _end(self) -> str:
        """Kill it, if it lives; returns how it has ended. The next request starts another."""
        with self._lock:
            channel, self._channel = self._channel, None
        return "" if channel is None else channel.close()


class _Channel:
    """A process that is running, and the socket to it, which carries a JSON object in each line of text."""

    def __init__(self, command: list[str]) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 (a script of ours)
                command,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._unread = b""

    def send(self, request: dict[str, str]) -> None:
        """Raises OSError."""
        self._socket.settimeout(None)
        self._socket.sendall(json.dumps(request).encode() + b"\n")

    def receive(self, deadline: float) -> dict[str, Any]:
        """The next line. Raises TimeoutError after `deadline`, OSError or ValueError where there is none."""
        parts = [self._unread]
        while b"\n" not in parts[-1]:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            parts.append(self._socket.recv(_BLOCK))
            if not parts[-1]:
                raise ConnectionError
        line, _, self._unread = b"".join(parts).partition(b"\n")
        return dict(json.loads(line))

    def close(self) -> str:
        """End the process; by which signal or exit code it ended, where it did so itself."""
        self._socket.close()
        try:
            code = self.process.wait(1)  # one that has ended by itself is known to have ended within that
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return ""
        return f" (signal {-code})" if code < 0 else f" (exit code {code})"
