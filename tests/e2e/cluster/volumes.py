"""Volumes for claims: there is no storage class here that makes them."""

from pathlib import Path

from cluster.api import Api, Object, path_of
from cluster.processes import wait_until


def folder_of(claims: Path, namespace: str, claim: str) -> Path:
    return claims / namespace / claim


def provide_volume(api: Api, folder: Path, namespace: str, claim: str, node: str | None = None) -> Path:
    """A volume that waits for the claim: a folder of this machine, tied to `node` where fsGroup has to be applied."""
    spec: Object = {"claimRef": {"namespace": namespace, "name": claim}}
    source: Object = {"hostPath": {"path": str(folder)}}
    if node is not None:
        here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
        affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}}
        source = {"local": {"path": str(folder)}, "nodeAffinity": affinity}
    return _make_volume(api, folder, f"{namespace}-{claim}", spec | source)


def provide_volume_for_the_first_pod(api: Api, folder: Path) -> Path:
    """As most clusters do it: a claim without a class gets one that binds it when a pod wants to use it."""
    name = "first-pod"
    default = {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
    kind = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": default}
    api.create(kind | {"provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer"})
    return _make_volume(api, folder, name, {"storageClassName": name, "hostPath": {"path": str(folder)}})


def _make_volume(api: Api, folder: Path, name: str, spec: Object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    common = {
        "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
        "capacity": {"storage": "100Gi"},
        "persistentVolumeReclaimPolicy": "Retain",
    }
    api.create({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": common | spec})
    return folder


def make_claim(api: Api, folder: Path, namespace: str, claim: str) -> Path:
    """A claim with its volume, bound."""
    provide_volume(api, folder, namespace, claim)
    room = {"requests": {"storage": "1Gi"}}
    spec = {"accessModes": ["ReadWriteMany"], "resources": room, "storageClassName": ""}
    metadata = {"name": claim}
    api.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}, namespace)
    path = path_of("PersistentVolumeClaim", namespace, claim)
    wait_until(f"{claim} is bound", lambda: api.get(path)["status"].get("phase") == "Bound")
    return folder
