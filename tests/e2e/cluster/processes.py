"""Programs that run as long as a test needs them, and not a moment longer."""

import contextlib
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

# Ends the program when the process that started it dies, even by SIGKILL.
WITH_US = ["setpriv", "--pdeathsig", "KILL", "--"]
PATIENCE_SECONDS = 2


def free_port(host: str = "127.0.0.1") -> int:
    """One below those that the system hands out, so that no other connection takes it before we do."""
    while True:
        port = random.randrange(15_000, 30_000)
        with contextlib.suppress(OSError), socket.create_server((host, port)):
            return port


def wait_until(what: str, condition: Callable[[], T], seconds: float = 60, pause: float = 0.1) -> T:
    """The first true value of `condition`; fails with `what` and the last value or exception when time is over."""
    deadline = time.monotonic() + seconds
    while True:
        last: object
        try:
            last = found = condition()
            if found:
                return found
        except OSError as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain: {what} (last: {last!r:.2000})")
        time.sleep(pause)


class Processes:
    """Programs with a log each in `folder`, ended in the reverse order of their start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        """A session of its own keeps a Ctrl-C at the terminal from ending etcd before those that need it."""
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(
                [*WITH_US, *command], stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=env, start_new_session=True
            )
        self.running[name] = process
        return process

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def tail(self, name: str, size: int = 3000) -> str:
        return self.log(name).read_text(errors="replace")[-size:]

    def wait_until(self, name: str, what: str, condition: Callable[[], object], seconds: float = 60) -> None:
        """Like `wait_until`, but stops waiting when the program has ended."""

        def reached() -> object:
            if self.running[name].poll() is not None:
                raise RuntimeError(f"{name} ended by itself: {self.tail(name)}")
            return condition()

        wait_until(f"{what}: {self.log(name)}", reached, seconds)

    def end(self, name: str, how: signal.Signals = signal.SIGTERM, patience: float = PATIENCE_SECONDS) -> int:
        """Its exit code. An API server without etcd does not listen to SIGTERM for minutes: then SIGKILL."""
        process = self.running.pop(name)
        process.send_signal(how)
        try:
            return process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def close(self) -> None:
        for name in reversed(list(self.running)):
            self.end(name)


def lacking(*programs: str) -> list[str]:
    """Those of the programs that are not installed."""
    return [program for program in programs if shutil.which(program) is None]
