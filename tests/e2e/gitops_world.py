"""An empty cluster, examples/gitops as the repository of a team, and Flux, which brings all of it into the cluster."""

import contextlib
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from checks import Checks
from cluster.api import Object, path_of
from cluster.control_plane import ControlPlane
from cluster.played_node import PlayedNode
from cluster.processes import wait_until
from cluster.volumes import folder_of, provide_volume
from deployment import CLAIM, ROOT
from flux_controllers import Flux
from git_server import Repository, git, serving
from operator_process import ACCOUNT, NAMESPACE, Operator

EXAMPLE = ROOT / "examples/gitops"
OPERATOR, SITES = "consistency-operator", "consistency-sites"
HERE, SITE = "t2-xx-here", "T2_XX_Here"
LOST = "/store/data/lost.root"


class GitOps:
    """Three sites: those of the example, and one that is a folder of this machine and lacks a file."""

    def __init__(self, plane: ControlPlane, node: PlayedNode, flux: Flux, address: str, folder: Path) -> None:
        self.plane, self.node, self.flux, self.address, self.folder = plane, node, flux, address, folder
        self.checks = Checks(plane.api, NAMESPACE)
        self.repository = Repository(folder / "team", folder / "bare/team")
        self.sites = folder / "team/sites"

    @classmethod
    @contextlib.contextmanager
    def running(cls, plane: ControlPlane, folder: Path) -> Iterator["GitOps"]:
        for name in ("bare", "team", "product", "site/store/data"):
            (folder / name).mkdir(parents=True)
        with serving(folder / "bare") as address, PlayedNode(plane) as node:
            flux = Flux(plane)
            try:
                yield cls(plane, node, flux, address, folder)
            finally:
                flux.close()

    def bring_up(self) -> None:
        """From the empty cluster to sites that are well and one complete run."""
        self.publish_the_product()
        self.fill_the_repository()
        self.first = self.repository.commit("Three sites")
        self.hold_the_operator()
        self.flux.start()
        self.hand_over_to_flux()
        self.provide_what_git_does_not_bring()
        wait_until("the sites wait", lambda: self.flux.now(SITES)["status"] == "False")
        self.before_the_operator = self.flux.now(SITES)
        self.let_the_operator_start()
        for step in (OPERATOR, SITES):
            said = self.flux.said_of(step, self.first)
            assert said["status"] == "True", said

    def undo(self) -> bool:
        """The first commit's files, but for the trigger here, as an old one starts a run; whether that is news."""
        team = self.repository.folder
        git(team, "read-tree", "-u", "--reset", self.first)
        git(team, "checkout", "--quiet", "HEAD", "--", f"sites/{HERE}.yaml")
        return git(team, "status", "--porcelain") != ""

    # The repositories

    def publish_the_product(self) -> None:
        """What the operator's kustomization.yaml of another repository refers to."""
        for name in ("crds", "deploy"):
            shutil.copytree(ROOT / name, self.folder / "product" / name)
        Repository(self.folder / "product", self.folder / "bare/dynamo-consistency").commit("Release", "v3.0.0")

    def fill_the_repository(self) -> None:
        """The example as it is, but for the addresses, and one more site."""
        shutil.copytree(EXAMPLE, self.repository.folder, dirs_exist_ok=True)
        file = self.repository.folder / "operator/kustomization.yaml"
        elsewhere = rf"{self.address}/dynamo-consistency//deploy/"
        lines = [
            line.partition(" #")[0].replace("../../../deploy/", elsewhere) for line in file.read_text().splitlines()
        ]
        file.write_text("\n".join(f"{line}?ref=v3.0.0" if elsewhere in line else line for line in lines))
        self.write(HERE, self.here("first"))
        self.list_sites(HERE, "t2-de-rwth", "t2-us-mit")

    def here(self, trigger: str, **spec: Any) -> Object:
        listing = {
            "source": {"posix": {"prefix": str(self.folder / "site")}},
            "roots": [{"path": "/store/data"}],
            "shards": 1,
        }
        return {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": HERE},
            "spec": {"site": SITE, "trigger": {"manual": trigger}, "listing": listing, **spec},
        }

    def write(self, name: str, check: Object) -> None:
        (self.sites / f"{name}.yaml").write_text(yaml.safe_dump(check))

    def edit(self, name: str, old: str, new: str) -> None:
        """A line of a site's file, as a person changes it."""
        file = self.sites / f"{name}.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def list_sites(self, *names: str) -> None:
        file = self.sites / "kustomization.yaml"
        listed = yaml.safe_load(file.read_text()) | {"resources": [f"{name}.yaml" for name in names]}
        file.write_text(yaml.safe_dump(listed))

    def push(self, message: str) -> str:
        """Commits what was written, and tells Flux; the commit."""
        commit = self.repository.commit(message)
        self.flux.reconcile("GitRepository", "consistency")
        return commit

    # The cluster

    def hand_over_to_flux(self) -> None:
        """The one thing that a person applies: flux/consistency.yaml, with the address of the repository."""
        objects = list(yaml.safe_load_all((EXAMPLE / "flux/consistency.yaml").read_text()))
        for one in objects:
            if one["kind"] == "GitRepository":
                one["spec"]["url"] = f"{self.address}/team"
        self.flux.apply(objects)

    def hold_the_operator(self) -> None:
        self.node.hold(lambda pod: pod["spec"].get("serviceAccountName") == ACCOUNT)

    def let_the_operator_start(self) -> None:
        """Its pod runs with the rights of its account, and with addresses of this machine."""
        account = path_of("ServiceAccount", NAMESPACE, ACCOUNT)
        wait_until("Flux has applied the operator", lambda: self.plane.api.find(account), 90)
        settings = Operator(self.plane, self.folder / "operator", {}, self.folder / "backends.yaml").settings
        self.node.instead["consistency-operator"] = str(self._started_with(settings))
        self.node.hold(lambda _: False)

    def provide_what_git_does_not_bring(self) -> None:
        """The Secret with the backends, and a volume."""
        namespace = path_of("Namespace", name=NAMESPACE)
        wait_until("Flux has made the namespace", lambda: self.plane.api.find(namespace), 90)
        backends = yaml.safe_dump({"backends": self._backends()})
        (self.folder / "backends.yaml").write_text(backends)
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "consistency-backends"}}
        self.plane.api.create(secret | {"stringData": {"backends.yaml": backends}}, NAMESPACE)
        provide_volume(self.plane.api, self.runs, NAMESPACE, CLAIM)

    @property
    def runs(self) -> Path:
        """The run directories of all checks."""
        return folder_of(self.node.claims, NAMESPACE, CLAIM)

    def _backends(self) -> Object:
        inventory = self.folder / "inventory.tsv"
        inventory.write_text(f"{LOST}\t10\n/store/data/there.root\t5\n")
        (self.folder / "site/store/data/there.root").write_text("there")
        return {"default": {"type": "file", "sites": {SITE: {"inventory": {"url": str(inventory)}}}}}

    def _started_with(self, settings: dict[str, str]) -> Path:
        """A program that starts the operator with these settings above those of its pod."""
        script = self.folder / "start-operator"
        exports = "".join(f"export {name}='{value}'\n" for name, value in settings.items())
        script.write_text(f'#!/bin/sh\n{exports}exec consistency-operator "$@"\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return script
