"""What `spec.podTemplate` may not ask for: what would take the worker's place, or open what is closed.

All else is a user's: where a pod runs and with how much, what it mounts, what runs before it and beside it. What is
refused is refused with a sentence; nothing is dropped in silence. That saves people from mistakes, and is no wall: who
may write a check chooses images and volumes, as who may write a Job does. The wall is Pod Security Admission.
"""

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from consistency_operator.manifests.run import BACKENDS_FOLDER, BACKENDS_SETTING, DATA_FOLDER, TERMINATION_SETTING
from consistency_operator.names import API_GROUP, WORKER
from dynamo_consistency.check import PodTemplate
from dynamo_consistency.checkfile import CHECK_SETTING

OURS = "is the operator's own"
_OWN_LABELS = (f"{API_GROUP}/", "app.kubernetes.io/", "batch.kubernetes.io/", "controller-uid", "job-name")
_OWN_IN_POD = (
    "activeDeadlineSeconds",
    "automountServiceAccountToken",
    "restartPolicy",
    "serviceAccount",
    "serviceAccountName",
)
_OF_THE_NODE = ("hostIPC", "hostNetwork", "hostPID")
_OWN_IN_WORKER = ("args", "command", "terminationMessagePath", "terminationMessagePolicy")
_OWN_ENV = (BACKENDS_SETTING, TERMINATION_SETTING, CHECK_SETTING, "JOB_COMPLETION_INDEX")
_OPEN: Mapping[str, tuple[bool | int | None, ...]] = {
    "allowPrivilegeEscalation": (True, None),
    "privileged": (True,),
    "readOnlyRootFilesystem": (False, None),
    "runAsNonRoot": (False, None),
    "runAsUser": (0, None),
}
_CLOSED_PROFILE = {"type": "RuntimeDefault"}
_LISTS_OF_POD = ("containers", "initContainers", "volumes")
_LISTS_OF_WORKER = ("env", "volumeMounts")
_OWN_VOLUMES = ("backends", "data")
_OWN_MOUNTS = (BACKENDS_FOLDER, DATA_FOLDER)

Found = Iterator[str]


def template_problems(template: PodTemplate) -> list[str]:
    """What a podTemplate asks for and may not have: a line each, with the field; none when all is well."""
    labels = [f"metadata.labels.{name} {OURS}" for name in template.metadata.labels if name.startswith(_OWN_LABELS)]
    found = [*labels, *(f"spec.{problem}" for problem in _of_pod(template.spec))]
    return [f"spec.podTemplate.{problem}" for problem in found]


def _of_pod(spec: Mapping[str, Any]) -> Found:
    yield from (f"{key} {OURS}" for key in _OWN_IN_POD if key in spec)
    yield from (f"{key} is not for workers" for key in _OF_THE_NODE if spec.get(key))
    yield from (f"{key} must be a list" for key in _LISTS_OF_POD if not isinstance(spec.get(key, []), list))
    for at, volume in _items(spec, "volumes"):
        if volume.get("name") in _OWN_VOLUMES:
            yield f"{at}: the volume {volume['name']} {OURS}"
    yield from _of_security(spec, "")
    for at, container in _items(spec, "containers"):
        if container.get("name") != WORKER:
            yield (
                f"{at}: the only container is {WORKER}; what runs before it, or beside it with "
                "restartPolicy: Always, belongs in initContainers"
            )
        yield from _of_worker(container, at)
    for at, container in _items(spec, "initContainers"):
        yield from _of_security(container, f"{at}.")


def _of_worker(container: Mapping[str, Any], at: str) -> Found:
    yield from (f"{at}.{key} {OURS}" for key in _OWN_IN_WORKER if key in container)
    lists = {key: container.get(key, []) for key in _LISTS_OF_WORKER}
    yield from (f"{at}.{key} must be a list" for key, value in lists.items() if not isinstance(value, list))
    for where, entry in _items(container, "env"):
        if entry.get("name") in _OWN_ENV:
            yield f"{at}.{where}: {entry['name']} {OURS}"
    for where, mount in _items(container, "volumeMounts"):
        if posixpath.normpath(str(mount.get("mountPath", ""))) in _OWN_MOUNTS:
            yield f"{at}.{where}: {mount['mountPath']} {OURS}"
    yield from _of_security(container, f"{at}.")


def _of_security(spec: Mapping[str, Any], at: str) -> Found:
    """A security context may be made tighter, and another user than root be chosen."""
    context = spec.get("securityContext", {})
    if not isinstance(context, Mapping):
        yield f"{at}securityContext must be a mapping: nothing may go without"
        return
    for key, open_values in _OPEN.items():
        if context.get(key, "closed") in open_values:
            yield f"{at}securityContext.{key} opens what is closed"
    profile = context.get("seccompProfile", _CLOSED_PROFILE)
    if not isinstance(profile, Mapping) or profile.get("type") not in ("RuntimeDefault", "Localhost"):
        yield f"{at}securityContext.seccompProfile opens what is closed"
    capabilities = context.get("capabilities", {})
    if not isinstance(capabilities, Mapping) or capabilities.get("add") or capabilities.get("drop", ["ALL"]) != ["ALL"]:
        yield f"{at}securityContext.capabilities: a worker has none"


def _items(spec: Mapping[str, Any], key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The items of a list of mappings, each with its place; what is no mapping the API server will refuse."""
    items = spec.get(key)
    for index, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, Mapping):
            yield f"{key}[{index}]", item
