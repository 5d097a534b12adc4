"""The repository of a team, and Flux, which brings all of it into the cluster."""

from pathlib import Path

import yaml
from cluster.control_plane import ControlPlane
from cluster.played_node import PlayedNode
from cluster.processes import wait_until
from deployment import apply_when_served
from flux_controllers import Flux
from gitops_world import EXAMPLE, OPERATOR, SITES, GitOps


class FluxWorld(GitOps):
    def __init__(self, plane: ControlPlane, node: PlayedNode, address: str, folder: Path) -> None:
        super().__init__(plane, node, address, folder)
        self.flux = Flux(plane)

    def bring_up(self) -> None:
        self.prepare()
        self.flux.start()
        self.hand_over_to_flux()
        self.provide_what_git_does_not_bring()
        wait_until("the sites wait", lambda: self.flux.now(SITES)["status"] == "False")
        self.before_the_operator = self.flux.now(SITES)
        self.let_the_operator_start()
        for step in (OPERATOR, SITES):
            said = self.flux.said_of(step, self.first)
            assert said["status"] == "True", said

    def hand_over_to_flux(self) -> None:
        """The one thing that a person applies: flux/consistency.yaml, with the address of the repository."""
        objects = list(yaml.safe_load_all((EXAMPLE / "flux/consistency.yaml").read_text()))
        for one in objects:
            if one["kind"] == "GitRepository":
                one["spec"]["url"] = f"{self.address}/team"
        apply_when_served(self.plane, objects)

    def push(self, message: str) -> str:
        commit = self.repository.commit(message)
        self.flux.reconcile("GitRepository", "consistency")
        return commit

    def close(self) -> None:
        self.flux.close()
