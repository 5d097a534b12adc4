"""`consistency-operator run` as a process of its own."""

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from free_ports import free_port

COMMAND = str(Path(sys.executable).with_name("consistency-operator"))


class Process:
    """`consistency-operator run`; its log is in `log`."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.port = free_port()
        self.log = log
        self._environment = environment | {"CONSISTENCY_HEALTH_LISTEN": f"127.0.0.1:{self.port}"}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([COMMAND, "run"], env=self._environment, stdout=log, stderr=log)

    def send(self, what: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(what)

    def end(self, how: signal.Signals) -> int:
        """The exit code."""
        self.send(how)
        return self.wait()

    def wait(self) -> int:
        """Until it ends by itself: its exit code."""
        assert self._process is not None
        code = self._process.wait(60)
        self._process = None
        return code

    def probe(self, path: str, seconds: float = 60) -> tuple[int, dict[str, Any]]:
        """Status and answer of a probe; (0, {}) where there is none in so many seconds."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=seconds) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return 0, {}

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None
