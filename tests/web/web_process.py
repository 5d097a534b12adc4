"""`dynamo-consistency serve` as a process, on a free port of this machine."""

import contextlib
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

COMMAND = Path(sys.executable).with_name("dynamo-consistency")
SERVING = re.compile(r"on (http://\S+/) \(Ctrl-C ends it\)")


class Service:
    """A process that serves, and where."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self._log = process, log
        while not (begun := SERVING.search(log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        self.url = begun[1].replace("//0.0.0.0:", "//127.0.0.1:")

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.url.removeprefix("http://").rstrip("/").split(":")
        return host, int(port)

    def get(self, path: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=60) as answer:  # noqa: S310 (our own service)
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def end(self, how: signal.Signals) -> tuple[int, str]:
        """Exit code, and what it has said."""
        self.process.send_signal(how)
        return self.process.wait(60), self._log.read_text()


@contextlib.contextmanager
def serving(store: Path, *options: str) -> Iterator[Service]:
    arguments = [COMMAND, "serve", "--store", str(store), "--listen", "127.0.0.1:0", *options]
    log = store.with_name("log")
    with log.open("wb") as file, subprocess.Popen(arguments, stderr=file, stdout=file) as process:
        try:
            yield Service(process, log)
        finally:
            process.kill()
