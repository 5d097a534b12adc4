"""What `deploy/` puts into a cluster, as kustomize renders it."""

import os
from pathlib import Path
from typing import Any

import yaml
from cluster.api import CRD
from cluster.control_plane import ControlPlane
from cluster.processes import wait_until

ROOT = Path(__file__).parents[2]
CLAIM = "consistency-data"
Manifest = dict[str, Any]


def rendered(plane: ControlPlane, folder: str) -> list[Manifest]:
    """The objects that `kubectl apply -k` would send."""
    return list(yaml.safe_load_all(plane.kubectl("kustomize", str(ROOT / folder))))


def operator_container(objects: list[Manifest]) -> Manifest:
    """The container of the operator's Deployment."""
    (deployment,) = [one for one in objects if one["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return container


def apply(plane: ControlPlane, objects: list[Manifest], *options: str) -> None:
    plane.kubectl("apply", "--server-side", *options, "-f", "-", stdin=yaml.safe_dump_all(objects))


def apply_when_served(plane: ControlPlane, objects: list[Manifest]) -> None:
    """As a person does it, as soon as the kinds are served, whose definitions have just been applied."""
    manifest = yaml.safe_dump_all(objects)
    command = ("apply", "-f", "-")
    wait_until("it is applied", lambda: "created" in plane.kubectl(*command, stdin=manifest, exit_code=None))


def install(plane: ControlPlane) -> list[Manifest]:
    """Everything of deploy/ and its policy for Jobs, but not the operator's pod, which the tests play; returns all."""
    objects = rendered(plane, "deploy")
    objects += rendered(plane, "deploy/job-policy")
    apply(plane, [one for one in objects if one["kind"] in ("CustomResourceDefinition", "Namespace")])
    apply(plane, [one for one in objects if one["kind"] not in ("CustomResourceDefinition", "Namespace", "Deployment")])
    wait_until_served(plane)
    return objects


def wait_until_served(plane: ControlPlane) -> None:
    """A definition that was just applied is not at once a kind that can be used."""
    wait_until("the CRD is served", lambda: is_established(plane))
    wait_until("kubectl knows it", lambda: "sitecheck" in plane.kubectl("api-resources", "--cached=false"))


def is_established(plane: ControlPlane) -> bool:
    conditions = plane.api.get(CRD).get("status", {}).get("conditions") or []
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def in_ci() -> bool:
    return os.environ.get("CI") == "true"
