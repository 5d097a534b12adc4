"""The operator in a thread of the test, which can be started again."""

import contextlib
import json
import logging
import urllib.error
import urllib.request

import consistency_operator.loop.handlers
import kopf
from kopf.testing import KopfRunner

HANDLERS = consistency_operator.loop.handlers.__file__

logging.raiseExceptions = False  # KopfRunner takes its stream away while kopf still says its last words


class Operator:
    """kopf with our handlers, in a thread. It can be started again after it was stopped."""

    def __init__(self, metrics_port: int, health_port: int) -> None:
        self.metrics_port = metrics_port
        self.health_port = health_port
        self.settings = kopf.OperatorSettings
        self._running: contextlib.ExitStack | None = None

    def start(self, *namespaces: str) -> None:
        where = [f"--namespace={namespace}" for namespace in namespaces] or ["-A"]
        arguments = ["run", *where, "--standalone", HANDLERS]
        runner = KopfRunner(arguments, registry=kopf.OperatorRegistry(), settings=self.settings(), timeout=60)
        self._running = contextlib.ExitStack()
        self.runner = self._running.enter_context(runner)

    def stop(self) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            running.close()

    def restart(self) -> None:
        self.stop()
        self.start()

    def metrics(self) -> dict[str, float]:
        """What a scraper sees: {'name{label="value"}': number}; nothing while the operator is not there."""
        try:
            lines = self.get(self.metrics_port, "/metrics").splitlines()
        except urllib.error.URLError:
            return {}
        pairs = [line.rsplit(" ", 1) for line in lines if line and not line.startswith("#")]
        return {name: float(number) for name, number in pairs}

    def probe(self, path: str) -> tuple[int, list[str]]:
        """What a probe answers: the HTTP status, and the problems; (0, []) while there is none."""
        try:
            return 200, json.loads(self.get(self.health_port, path))["problems"]
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())["problems"]
        except urllib.error.URLError:
            return 0, []

    def get(self, port: int, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return str(answer.read().decode())
