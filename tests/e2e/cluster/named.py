"""A cluster that the caller names by E2E_KUBECONFIG: what needs no node of ours is tested there, and cleared away."""

import base64
import json
import os
from pathlib import Path
from typing import Any

from cluster.api import CRD, Api
from cluster.control_plane import ControlPlane

KUBECONFIG = "E2E_KUBECONFIG"


class UnfitClusterError(Exception):
    """The named cluster cannot, or must not, be used. The message says why."""


def kubeconfig() -> Path | None:
    """What the caller names; KUBECONFIG itself is not used, since nobody means a test by it."""
    name = os.environ.get(KUBECONFIG)
    return Path(name).absolute() if name else None


class NamedCluster(ControlPlane):
    """It is the caller's: nothing in it is started, and the definition of our kind must not be there yet.

    To take the definition away afterwards takes away all checks with it, which only ours may be.
    """

    def __init__(self, folder: Path, config: Path) -> None:
        super().__init__(folder)
        self.kubeconfig = config
        self._config: dict[str, Any] = {}
        self._ours = False  # what there is of our kind in it

    @property
    def server(self) -> str:
        return str(self._config["clusters"][0]["cluster"]["server"])

    @property
    def api(self) -> Api:
        cluster, user = self._config["clusters"][0]["cluster"], self._config["users"][0]["user"]
        names = ("client-certificate", "client-key")
        certificate = tuple(self._file(name, user) for name in names) if names[0] + "-data" in user else None
        return Api(self.server, user.get("token"), self._file("certificate-authority", cluster), certificate)

    def start(self) -> None:
        """Read the kubeconfig's current context. Raises UnfitClusterError."""
        answer = self.kubectl("config", "view", "--raw", "--minify", "--flatten", "--output=json", exit_code=None)
        try:
            self._config = json.loads(answer)
            user = self._config["users"][0]["user"]
        except (ValueError, LookupError, TypeError):
            raise UnfitClusterError(f"{self.kubeconfig} has no current context: {answer.strip()}") from None
        if not {"token", "client-certificate-data"} & set(user):
            raise UnfitClusterError(f"the user of {self.kubeconfig} must have a token or a client certificate")
        if self.api.find(CRD) is not None:
            raise UnfitClusterError(f"{self.server} has siteconsistencychecks already; name a cluster that has none")
        self._ours = True

    def close(self) -> None:
        if self._ours:
            for folder in ("job-policy", "."):
                source = Path(__file__).parents[3] / "deploy" / folder
                self.kubectl("delete", "--ignore-not-found", "-k", str(source), exit_code=None)
        super().close()

    def _file(self, name: str, part: dict[str, Any]) -> str | None:
        """A part of the kubeconfig as a file of its own."""
        if f"{name}-data" not in part:
            return None
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(base64.b64decode(part[f"{name}-data"]))
        return str(path)
