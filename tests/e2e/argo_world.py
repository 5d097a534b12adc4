"""The repository of a team, and Argo CD, which brings all of it into the cluster."""

from pathlib import Path

import yaml
from argo_controllers import APPLICATIONS, NAMESPACE, ArgoCD
from cluster.api import Object
from cluster.control_plane import ControlPlane
from cluster.played_node import PlayedNode
from cluster.processes import wait_until
from deployment import apply_when_served
from gitops_world import EXAMPLE, OPERATOR, SITES, GitOps

DELETE_ALL = "resources-finalizer.argocd.argoproj.io"


class ArgoWorld(GitOps):
    def __init__(self, plane: ControlPlane, node: PlayedNode, address: str, folder: Path) -> None:
        super().__init__(plane, node, address, folder)
        self.argo = ArgoCD(plane)

    def bring_up(self) -> None:
        """The sites' application comes first: that of the operator is applied when the sites have failed without it."""
        self.prepare()
        self.argo.start()
        patch = str(EXAMPLE / "argocd/argocd-cm.yaml")
        self.plane.kubectl("patch", "configmap", "argocd-cm", "-n", NAMESPACE, "--patch-file", patch)
        self.hand_over_to_argo(SITES)
        self.without_the_operator = self.argo.failed(SITES, self.first)
        self.hand_over_to_argo(OPERATOR)
        self.provide_what_git_does_not_bring()
        self.argo.synced(SITES, self.first)
        self.argo.reaches(SITES, "Progressing")
        self.before_the_operator = {name: self.argo.status(name) for name in (OPERATOR, SITES)}
        self.let_the_operator_start()
        for name in (OPERATOR, SITES):
            self.argo.synced(name, self.first)
            self.argo.reaches(name, "Healthy")

    def hand_over_to_argo(self, name: str) -> None:
        """What a person applies: argocd/applications.yaml, with the address of the repository."""
        applications = yaml.safe_load_all((EXAMPLE / "argocd/applications.yaml").read_text())
        (application,) = [one for one in applications if one["metadata"]["name"] == name]
        application["spec"]["source"]["repoURL"] = f"{self.address}/team"
        apply_when_served(self.plane, [application])

    def leave_out_of_the_operator(self, *kinds: str) -> None:
        """What git no longer has of it."""
        file = self.repository.folder / "operator/kustomization.yaml"
        written = yaml.safe_load(file.read_text())
        for kind in kinds:
            one = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "any"}, "$patch": "delete"}
            written["patches"].append({"target": {"kind": kind}, "patch": yaml.safe_dump(one)})
        file.write_text(yaml.safe_dump(written))

    def push(self, message: str) -> str:
        commit = self.repository.commit(message)
        for name in (OPERATOR, SITES):
            self.argo.refresh(name)
        return commit

    def delete_application(self, name: str, everything: bool) -> None:
        """As kubectl does it, or, with `everything`, as Argo CD's own page and command line do it."""
        path = f"{APPLICATIONS}/{name}"
        if everything:
            self.plane.api.patch(path, {"metadata": {"finalizers": [DELETE_ALL]}})
        self.plane.api.delete(path)
        wait_until(f"the application {name} is gone", lambda: self.plane.api.find(path) is None, 90)

    def resource(self, application: str, kind: str, name: str) -> Object:
        """What Argo CD says of an object that it has brought."""
        of_all = self.argo.status(application)["resources"]
        (found,) = [one for one in of_all if (one["kind"], one["name"]) == (kind, name)]
        return dict(found)

    def close(self) -> None:
        self.argo.close()
