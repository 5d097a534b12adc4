"""The operator as a process: command, settings and rights are those of `deploy/`, the addresses this machine's."""

import os
import signal
import sys
import urllib.request
from pathlib import Path
from typing import Any

from cluster.control_plane import ControlPlane
from cluster.processes import Processes, free_port, wait_until

ACCOUNT, NAMESPACE = "consistency-operator", "consistency"


class Operator:
    """`start`, `kill`, `start` again: like a pod that is restarted. Its account is the one of deploy/."""

    def __init__(self, plane: ControlPlane, folder: Path, container: dict[str, Any], backends: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.processes = Processes(folder)
        self.container = container
        self.health, self.metrics = free_port(), free_port()
        token = plane.token(ACCOUNT, NAMESPACE)
        kubeconfig = plane.write_kubeconfig(folder / "operator.kubeconfig", token, NAMESPACE)
        self.settings = {
            "KUBECONFIG": str(kubeconfig),
            "CONSISTENCY_BACKENDS": str(backends),
            "CONSISTENCY_HEALTH_LISTEN": f"127.0.0.1:{self.health}",
            "CONSISTENCY_METRICS_LISTEN": f"127.0.0.1:{self.metrics}",
        }

    @property
    def pid(self) -> int:
        return self.processes.running["operator"].pid

    def start(self, ready: bool = True, **settings: str) -> None:
        """Until it serves; `settings` go over those of the Deployment."""
        said = {variable["name"]: variable["value"] for variable in self.container.get("env", [])}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CONSISTENCY_")}
        program, *arguments = [*self.container["command"], *self.container.get("args", [])]
        self.processes.start(
            "operator",
            str(Path(sys.executable).with_name(program)),
            *arguments,
            env={**environment, **said, **self.settings, **settings},
        )
        if ready:
            self.processes.wait_until("operator", "the operator is healthy", self.is_healthy)

    def is_healthy(self) -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.health}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)

    def scrape(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    @property
    def log(self) -> str:
        return self.processes.log("operator").read_text(errors="replace")

    def said(self, words: str) -> None:
        wait_until(f"the operator says: {words}", lambda: words in self.log)

    def kill(self) -> None:
        """As the kernel does it: nothing is put in order."""
        self.processes.end("operator", signal.SIGKILL)

    def stop(self, patience: float = 5) -> int:
        """As a kubelet does it; its exit code, which is -9 if it did not go in time."""
        return self.processes.end("operator", signal.SIGTERM, patience)

    def close(self) -> None:
        self.processes.close()
