"""Argo CD's own controllers, as processes beside the API server, and what they say of what they reconcile."""

import os
from pathlib import Path
from typing import Any

from cluster.api import Object
from cluster.control_plane import ControlPlane
from cluster.processes import Processes, free_port, wait_until
from cluster.programs import ARGO_CD, definitions, program
from deployment import apply_when_served
from git_server import ALONE

NAMESPACE = "argocd"
APPLICATIONS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications"
REFRESH = "argocd.argoproj.io/refresh"
# As Argo CD's web server makes them when it first starts. Without its key no change of argocd-cm is taken over.
KEY = '{"stringData": {"server.secretkey": "of no server"}}'
EVERYTHING: Object = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "default", "namespace": NAMESPACE},
    "spec": {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    },
}


class ArgoCD:
    """Application controller and repository server, as administrators, with Redis between them."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane, self.folder = plane, plane.folder / "argocd"
        self.folder.mkdir()
        self.processes = Processes(plane.folder)

    def start(self) -> None:
        self.plane.namespace(NAMESPACE)
        self.plane.kubectl("apply", "--server-side", "-n", NAMESPACE, "-f", str(definitions(ARGO_CD)))
        self.plane.kubectl("patch", "secret", "argocd-secret", "-n", NAMESPACE, "-p", KEY)
        apply_when_served(self.plane, [EVERYTHING])
        cache, repositories = free_port(), free_port()
        in_memory = ("--save", "", "--dir", str(self.folder))
        self.processes.start("redis", "redis-server", "--bind", "127.0.0.1", "--port", str(cache), *in_memory)
        self._start(
            "argocd-repo-server", f"--redis=127.0.0.1:{cache}", "--address=127.0.0.1", f"--port={repositories}",
            "--metrics-address=127.0.0.1", "--disable-tls",
        )  # fmt: skip
        self._start(
            "argocd-application-controller", f"--redis=127.0.0.1:{cache}", f"--repo-server=127.0.0.1:{repositories}",
            "--repo-server-plaintext", f"--kubeconfig={self.plane.kubeconfig}", f"--namespace={NAMESPACE}",
            "--persist-resource-health",  # shows in the application how each of its objects is
        )  # fmt: skip

    def _start(self, name: str, *options: str) -> None:
        own = {
            "KUBECONFIG": str(self.plane.kubeconfig),
            "ARGOCD_FAKE_IN_CLUSTER": "true",  # the cluster that it is in is the one of KUBECONFIG
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_ASK_PASS_SOCK": str(self.folder / "askpass.sock"),
            "TMPDIR": str(self.folder),
            "PATH": f"{Path(program('kustomize')).parent}:{os.environ['PATH']}",
        }
        command = (program("argocd-controllers"), name, f"--metrics-port={free_port()}", *options)
        self.processes.start(name, *command, env=os.environ | ALONE | own)

    def refresh(self, name: str) -> None:
        """What the button of that name asks for: look now, and not when the interval is over. Returns when it has."""
        path = f"{APPLICATIONS}/{name}"
        self.plane.api.patch(path, {"metadata": {"annotations": {REFRESH: "normal"}}})

        def looked() -> bool:
            return REFRESH not in self.plane.api.get(path)["metadata"]["annotations"]

        wait_until(f"{name} has been refreshed", looked, 90)

    def status(self, name: str) -> Any:
        return self.plane.api.get(f"{APPLICATIONS}/{name}").get("status", {})

    def health(self, name: str) -> str:
        return str(self.status(name).get("health", {}).get("status"))

    def reaches(self, name: str, health: str) -> Any:
        """The status, once the application is so.

        It is asked to look again: it may have missed that the checks, whose kind it has brought itself, can be watched.
        """

        def reached() -> bool:
            if self.health(name) != health:
                self.refresh(name)
            return self.health(name) == health

        wait_until(f"{name} is {health}", reached, 120, pause=1)
        return self.status(name)

    def applied(self, name: str, revision: str) -> Object:
        """The operation that has applied all of this commit, whatever it had to leave where it was."""

        def ended() -> Object | None:
            operation = self.status(name).get("operationState", {})
            done = operation.get("syncResult", {}).get("revision") == revision and operation["phase"] == "Succeeded"
            return operation if done else None

        return wait_until(f"{name} has applied {revision}", ended, 120) or {}

    def synced(self, name: str, revision: str) -> Any:
        """The status, once nothing differs from this commit and nothing goes on."""

        def ended() -> Any:
            status = self.status(name)
            sync, operation = status.get("sync", {}), status.get("operationState", {})
            same = (sync.get("status"), sync.get("revision")) == ("Synced", revision)
            return status if same and operation.get("phase") in (None, "Succeeded") else None

        return wait_until(f"{name} is as in {revision}", ended, 180)

    def incomparable(self, name: str, revision: str) -> str:
        """Why this commit cannot even be compared with what is there, and nothing of it is applied."""

        def said() -> str:
            status = self.status(name)
            errors = [one["message"] for one in status.get("conditions", []) if one["type"] == "ComparisonError"]
            here = (status["sync"]["status"], status["sync"]["revision"]) == ("Unknown", revision)
            return errors[0] if here and errors else ""

        return wait_until(f"{name} cannot be compared with {revision}", said, 120)

    def failed(self, name: str, revision: str) -> Object:
        """The operation that could not apply this commit, tried again or not."""

        def ended() -> Object | None:
            operation = self.status(name).get("operationState", {})
            tried = operation.get("syncResult", {}).get("revision") == revision
            again = operation.get("phase") == "Running" and "finishedAt" in operation
            return operation if tried and (again or operation.get("phase") in ("Failed", "Error")) else None

        return wait_until(f"{name} cannot be as in {revision}", ended, 120) or {}

    def close(self) -> None:
        self.processes.close()
