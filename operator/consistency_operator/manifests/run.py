"""What a Job is built from: its owner, its run, and the settings of the workers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from consistency_operator.names import directory_name
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.checkfile import CHECK_SETTING
from dynamo_consistency.errors import ConfigurationError

LONGEST_CHECK = 120_000
"""Linux takes 128 KiB for one variable, with its name."""
KUEUE = "kueue.x-k8s.io/"
DATA_FOLDER = "/data"
BACKENDS_FOLDER = "/etc/consistency"
BACKENDS_SETTING = "DYNAMO_CONSISTENCY_BACKENDS"
TERMINATION_SETTING = "DYNAMO_CONSISTENCY_TERMINATION_LOG"


class Owner(Protocol):
    """The resource that the Jobs belong to."""

    @property
    def namespace(self) -> str:
        """Namespace of the resource."""
        ...

    @property
    def name(self) -> str:
        """Name of the resource."""
        ...

    @property
    def uid(self) -> str:
        """UID of the resource."""
        ...


class WorkerSettings(Protocol):
    """The operator's settings for workers; they are the same for every check."""

    @property
    def image(self) -> str:
        """Image of the workers."""
        ...

    @property
    def image_pull_policy(self) -> str:
        """When the kubelet pulls that image: Always, IfNotPresent or Never."""
        ...

    @property
    def service_account(self) -> str:
        """Of the workers; empty: the default one of the check's namespace."""
        ...

    @property
    def worker_user(self) -> int | None:
        """Uid and gid of the workers; None: those that the check's namespace gives."""
        ...

    @property
    def backends_secret(self) -> str:
        """Name of the Secret with `backends.yaml`, in the check's namespace."""
        ...

    @property
    def store_claim(self) -> str | None:
        """PersistentVolumeClaim of checks that name no store; None: see `store_url`."""
        ...

    @property
    def store_url(self) -> str | None:
        """fsspec URL of the store of checks that name none; None: see `store_claim`."""
        ...


@dataclass(frozen=True)
class JobRun:
    """What a Job must know of its run.

    `check`: the one that the run began with (see `run_check_of`). `seconds_left`: until the run's deadline.
    `approved`: a person has approved this very run. `today`: the check as it is now, which the action gets: what it is
    stricter in counts.
    """

    id: str
    check: SiteConsistencyCheck
    seconds_left: int
    approved: bool = False
    today: SiteConsistencyCheck | None = None


def run_check_of(snapshot_job: Mapping[str, Any], now: SiteConsistencyCheck | None) -> SiteConsistencyCheck:
    """The check that a run began with, as its snapshot Job carries it, but for podTemplate: that is of `now`.

    So an edit never reaches a run that is on, but a stage that wants more memory can be given it. `now` is None where
    the spec has become invalid. Raises ValueError for a Job that carries no check.
    """
    containers = snapshot_job["spec"]["template"]["spec"]["containers"]
    settings = {entry["name"]: entry.get("value", "") for entry in containers[0].get("env", [])}
    began = SiteConsistencyCheck.model_validate_json(unescaped(settings.get(CHECK_SETTING, "")))
    if now is None:
        return began
    spec = began.spec.model_copy(update={"pod_template": now.spec.pod_template})
    return began.model_copy(update={"spec": spec})


def carried(check: SiteConsistencyCheck) -> str:
    """`check` as the snapshot Job carries it.

    Raises ConfigurationError for one that does not fit into the environment of a process.
    """
    data = json.dumps(check.model_dump(mode="json", by_alias=True))
    if len(data) > LONGEST_CHECK:
        raise ConfigurationError(
            f"the check has {len(data)} characters, and a worker can be given {LONGEST_CHECK}: shorten its lists"
        )
    return escaped(data)


def escaped(text: str) -> str:
    """`text` for arguments and environment of a container, where Kubernetes would replace `$(NAME)`."""
    return text.replace("$", "$$")


def unescaped(text: str) -> str:
    """The opposite of `escaped`."""
    return text.replace("$$", "$")


def volume_claim_of(check: SiteConsistencyCheck, settings: WorkerSettings) -> str | None:
    """The PersistentVolumeClaim of the check's store; None where that is a URL."""
    store = check.spec.store
    return settings.store_claim if store is None else store.claim_name


def run_directory(resource: Owner, run: JobRun, settings: WorkerSettings) -> str:
    """Where the run keeps its files, as its workers see it: `<store>/<site>/<directory name>`.

    Raises ConfigurationError where neither check nor operator name a store.
    """
    store = run.check.spec.store
    url = settings.store_url if store is None else store.url
    folder = DATA_FOLDER if volume_claim_of(run.check, settings) else url
    if not folder:
        raise ConfigurationError("the check names no store, and the operator has none for it")
    name = directory_name(resource.namespace, resource.name, resource.uid, run.id)
    return f"{folder.rstrip('/')}/{run.check.spec.site}/{name}"
