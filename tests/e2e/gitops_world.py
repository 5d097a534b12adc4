"""An empty cluster, examples/gitops as the repository of a team, and a tool that brings all of it into the cluster."""

import contextlib
import shutil
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
import yaml
from checks import Checks
from cluster import sandbox
from cluster.api import Object, path_of
from cluster.control_plane import ControlPlane, running
from cluster.played_node import PlayedNode
from cluster.processes import wait_until
from cluster.programs import ProgramsMissingError
from cluster.run import LOGS
from cluster.volumes import folder_of, provide_volume_for_the_first_pod
from deployment import CLAIM, ROOT, in_ci
from git_server import Repository, git, serving
from operator_process import ACCOUNT, NAMESPACE, Operator

EXAMPLE = ROOT / "examples/gitops"
OPERATOR, SITES = "consistency-operator", "consistency-sites"
HERE, SITE = "t2-xx-here", "T2_XX_Here"
RWTH, MIT = "t2-de-rwth", "t2-us-mit"
OTHER_SCHEDULE = ('schedule: "@weekly"', 'schedule: "@monthly"')  # of MIT
NO_SCHEDULE = ('schedule: "0 3 * * 0"', 'schedule: "0 3 * * 5-1"')  # for RWTH; only the operator sees it
REFUSED_EDITS = {
    "a value of another type": (("shards: 8", "shards: many"), "spec.listing.shards"),
    "another site": (("site: T2_DE_RWTH", "site: T2_DE_Aachen"), "site is immutable"),
}
"""Of RWTH: what the API server refuses, and what it says."""
LOST = "/store/data/lost.root"


class GitOps(ABC):
    """Three sites: those of the example, and one that is a folder of this machine and lacks a file."""

    def __init__(self, plane: ControlPlane, node: PlayedNode, address: str, folder: Path) -> None:
        self.plane, self.node, self.address, self.folder = plane, node, address, folder
        self.checks = Checks(plane.api, NAMESPACE)
        self.repository = Repository(folder / "team", folder / "bare/team")
        self.sites = folder / "team/sites"

    @classmethod
    @contextlib.contextmanager
    def running(cls, plane: ControlPlane, folder: Path) -> Iterator[Self]:
        for name in ("bare", "team", "product", "site/store/data"):
            (folder / name).mkdir(parents=True)
        with serving(folder / "bare") as address, PlayedNode(plane) as node:
            world = cls(plane, node, address, folder)
            try:
                yield world
            finally:
                world.close()

    @classmethod
    @contextlib.contextmanager
    def brought_up(cls, name: str, folder: Path) -> Iterator[Self]:
        """With a cluster of its own, whose logs are kept under this name."""
        try:
            with running(LOGS / name, sandbox.ip() or "127.0.0.1") as plane, cls.running(plane, folder) as world:
                world.bring_up()
                yield world
                assert world.node.errors == []
        except ProgramsMissingError as error:
            (pytest.fail if in_ci() else pytest.skip)(str(error))

    @abstractmethod
    def bring_up(self) -> None:
        """From the empty cluster to sites that are well and one complete run."""

    @abstractmethod
    def push(self, message: str) -> str:
        """Commits what was written, and has it noticed; the commit."""

    @abstractmethod
    def close(self) -> None:
        """Ends the tool."""

    def prepare(self) -> None:
        """The repositories with a first commit, and a cluster in which the operator would not start yet."""
        self.publish_the_product()
        self.fill_the_repository()
        self.first = self.repository.commit("Three sites")
        provide_volume_for_the_first_pod(self.plane.api, self.runs)
        self.hold_the_operator()

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
        self.list_sites(HERE, RWTH, MIT)

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

    # The cluster

    def hold_the_operator(self) -> None:
        self.node.hold(lambda pod: pod["spec"].get("serviceAccountName") == ACCOUNT)

    def let_the_operator_start(self) -> None:
        """Its pod runs with the rights of its account, and with addresses of this machine."""
        account = path_of("ServiceAccount", NAMESPACE, ACCOUNT)
        wait_until("the operator is applied", lambda: self.plane.api.find(account), 90)
        settings = Operator(self.plane, self.folder / "operator", {}, self.folder / "backends.yaml").settings
        self.node.instead["consistency-operator"] = str(self._started_with(settings))
        self.node.hold(lambda _: False)

    def provide_what_git_does_not_bring(self) -> None:
        """The Secret with the backends."""
        namespace = path_of("Namespace", name=NAMESPACE)
        wait_until("the namespace is made", lambda: self.plane.api.find(namespace), 90)
        backends = yaml.safe_dump({"backends": self._backends()})
        (self.folder / "backends.yaml").write_text(backends)
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "consistency-backends"}}
        self.plane.api.create(secret | {"stringData": {"backends.yaml": backends}}, NAMESPACE)

    @property
    def runs(self) -> Path:
        """The run directories of all checks."""
        return folder_of(self.node.claims, NAMESPACE, CLAIM)

    def run_directories(self) -> set[str]:
        """Those of the site that is here."""
        found = {str(path.relative_to(self.runs)) for path in self.runs.glob(f"{SITE}/*") if path.is_dir()}
        assert found
        return found

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


def set_by(manager: str, check: Object) -> list[Object]:
    """What a field manager has set, and when it last did so."""
    found = [one for one in check["metadata"]["managedFields"] if one["manager"] == manager]
    assert found
    return found
