"""Flux' own controllers, as processes beside the API server, and what they say of what they reconcile."""

import itertools
import os
from typing import Any

from cluster.api import ApiError, Object
from cluster.control_plane import ControlPlane
from cluster.processes import Processes, free_port, wait_until
from cluster.programs import FLUX, definitions, program

NAMESPACE = "flux-system"
GROUPS = {
    "GitRepository": f"/apis/source.toolkit.fluxcd.io/v1/namespaces/{NAMESPACE}/gitrepositories",
    "Kustomization": f"/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{NAMESPACE}/kustomizations",
}
ASKED = "reconcile.fluxcd.io/requestedAt"
_numbers = itertools.count(1)


class Flux:
    """source-controller and kustomize-controller, as administrators: what `flux install` gives them."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane, self.folder = plane, plane.folder / "flux"
        self.folder.mkdir()
        self.processes = Processes(plane.folder)

    def start(self) -> None:
        self.plane.kubectl("apply", "--server-side", "-f", str(definitions(FLUX)))
        self.plane.namespace(NAMESPACE)
        store = f"127.0.0.1:{free_port()}"
        self._start("source-controller", f"--storage-path={self.folder}", f"--storage-addr={store}",
                    f"--storage-adv-addr={store}")  # fmt: skip
        self._start("kustomize-controller", "--requeue-dependency=1s")

    def _start(self, name: str, *options: str) -> None:
        own = {"KUBECONFIG": str(self.plane.kubeconfig), "RUNTIME_NAMESPACE": NAMESPACE, "TMPDIR": str(self.folder)}
        addresses = (f"--{which}-addr=127.0.0.1:{free_port()}" for which in ("metrics", "health"))
        common = ("--events-addr=", "--watch-all-namespaces", "--enable-leader-election=false", *addresses)
        self.processes.start(name, program(name), *common, *options, env=os.environ | own)

    def reconcile(self, kind: str, name: str) -> None:
        """What `flux reconcile` asks for: look now, and not when the interval is over. Returns when it has looked."""
        token = f"request-{next(_numbers)}"
        path = f"{GROUPS[kind]}/{name}"
        self.plane.api.patch(path, {"metadata": {"annotations": {ASKED: token}}})

        def looked() -> bool:
            now = self.plane.api.get(path)["status"]
            return now.get("lastHandledReconcileAt") == token and ready(now)["status"] != "Unknown"

        wait_until(f"{kind} {name} has been reconciled", looked, 90)

    def said_of(self, name: str, revision: str) -> Object:
        """The condition Ready of a Kustomization, once it has come to an end with this commit."""

        def ended() -> Object | None:
            status = self.plane.api.get(f"{GROUPS['Kustomization']}/{name}").get("status", {})
            seen = str(status.get("lastAttemptedRevision", "")).endswith(revision)
            return ready(status) if seen and ready(status)["status"] != "Unknown" else None

        return wait_until(f"{name} has come to an end with {revision}", ended, 120) or {}

    def now(self, name: str) -> Object:
        """The condition Ready of a Kustomization as it is."""
        try:
            return ready(self.plane.api.get(f"{GROUPS['Kustomization']}/{name}").get("status", {}))
        except ApiError:
            return ready({})

    def close(self) -> None:
        self.processes.close()


def ready(status: dict[str, Any]) -> Object:
    found = [one for one in status.get("conditions", []) if one["type"] == "Ready"]
    return found[0] if found else {"status": "Unknown", "reason": "", "message": ""}
