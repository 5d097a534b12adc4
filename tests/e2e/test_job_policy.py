"""deploy/job-policy: with it, the operator's account can make and delete workers of checks, and nothing else."""

import copy
import json
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import yaml
from cluster.api import Api, ApiError, path_of
from cluster.control_plane import ControlPlane
from cluster.processes import wait_until
from consistency_operator.manifests import JobRun, build_job
from consistency_operator.names import JOB_STAGES
from consistency_operator.settings import read_settings
from deployment import ROOT, Manifest

from dynamo_consistency.checkfile import check_of_json

SETTINGS = read_settings({"CONSISTENCY_IMAGE": "localhost/any:1", "CONSISTENCY_SERVICE_ACCOUNT": "consistency-worker"})
CHECK = json.dumps(yaml.safe_load((ROOT / "examples/gitops/sites/t2-de-rwth.yaml").read_text()))
MANY = {"drop": ["ALL"], "add": ["SYS_ADMIN"]}


def worker_job(namespace: str, stage: str = "Listing") -> Manifest:
    """As the operator builds it."""
    owner = SimpleNamespace(namespace=namespace, name="t2-de-rwth", uid="0e1f0c9c-6a53-4cf5-8bd7-3ee0b4a5a2a1")
    return build_job(stage, owner, JobRun("29412180", check_of_json(CHECK, "the example"), 3600), SETTINGS)


def pod_of(job: Manifest) -> Manifest:
    return job["spec"]["template"]["spec"]


def worker_of(job: Manifest) -> Manifest:
    return pod_of(job)["containers"][0]


@pytest.fixture(scope="module")
def operator(plane: ControlPlane, installed: list[Manifest]) -> Api:
    """The API as the operator's account sees it, once the policy holds."""
    api = plane.api.as_user(plane.token("consistency-operator", "consistency"))
    stray = worker_job("default") | {"metadata": {"name": "stray", "namespace": "default"}}
    wait_until("the policy holds", lambda: refusal(api, stray) is not None)
    return api


def refusal(api: Api, job: Manifest) -> str | None:
    """What the API server says against this Job, without making it; None: nothing."""
    try:
        api.request("POST", f"{path_of('Job', job['metadata']['namespace'])}?dryRun=All", job)
    except ApiError as error:
        return str(error)
    return None


@pytest.mark.parametrize("stage", JOB_STAGES)
def test_every_job_of_a_check_is_let_through(operator, namespace, stage):
    assert refusal(operator, worker_job(namespace, stage)) is None


def test_what_pod_templates_are_for_is_let_through(operator, namespace):
    job = worker_job(namespace)
    pod_of(job)["volumes"] += [
        {"name": "proxy", "secret": {"secretName": "consistency-proxy"}},
        {"name": "authorities", "configMap": {"name": "authorities"}},
    ]
    worker_of(job)["envFrom"] = [{"secretRef": {"name": "consistency-store"}}]
    assert refusal(operator, job) is None


CHANGES: dict[str, tuple[Callable[[Manifest], object], str]] = {
    "a job of nobody": (lambda job: job["metadata"].pop("ownerReferences"), "of a SiteConsistencyCheck only"),
    "another account": (lambda job: pod_of(job).update(serviceAccountName="default"), "account consistency-worker"),
    "a token": (lambda job: pod_of(job).update(automountServiceAccountToken=True), "without a token"),
    "root": (lambda job: pod_of(job)["securityContext"].update(runAsNonRoot=False), "is confined"),
    "the node's network": (lambda job: pod_of(job).update(hostNetwork=True), "is confined"),
    "more privileges": (
        lambda job: worker_of(job)["securityContext"].update(allowPrivilegeEscalation=True),
        "is confined",
    ),
    "a capability": (lambda job: worker_of(job)["securityContext"].update(capabilities=MANY), "is confined"),
    "an open container before the worker": (
        lambda job: pod_of(job).update(initContainers=[{"name": "before", "image": "any"}]),
        "is confined",
    ),
    "the node's disk": (
        lambda job: pod_of(job)["volumes"].append({"name": "node", "hostPath": {"path": "/"}}),
        "mounts claims",
    ),
    "a token by another way": (
        lambda job: pod_of(job)["volumes"].append(
            {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
        ),
        "no token",
    ),
    "a stranger's secret": (
        lambda job: pod_of(job)["volumes"].append({"name": "loot", "secret": {"secretName": "admin"}}),
        "begin with consistency-",
    ),
    "a stranger's secret, projected": (
        lambda job: pod_of(job)["volumes"].append(
            {"name": "loot", "projected": {"sources": [{"secret": {"name": "admin"}}]}}
        ),
        "begin with consistency-",
    ),
    "a stranger's secret in the environment": (
        lambda job: worker_of(job).update(envFrom=[{"secretRef": {"name": "admin"}}]),
        "begin with consistency-",
    ),
    "one variable of a stranger's secret": (
        lambda job: worker_of(job)["env"].append(
            {"name": "LOOT", "valueFrom": {"secretKeyRef": {"name": "admin", "key": "password"}}}
        ),
        "begin with consistency-",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_other_job_is_refused(operator, namespace, change):
    make, message = CHANGES[change]
    job = copy.deepcopy(worker_job(namespace))
    make(job)
    assert message in (refusal(operator, job) or "nothing was refused")


def test_jobs_of_others_are_not_deleted(operator, plane, namespace):
    mine, others = worker_job(namespace), worker_job(namespace) | {"metadata": {"name": "others"}}
    for job in (mine, others):
        plane.api.create(job, namespace)
    operator.delete(path_of("Job", namespace, mine["metadata"]["name"]))
    with pytest.raises(ApiError, match="of a SiteConsistencyCheck only"):
        operator.delete(path_of("Job", namespace, "others"))


def test_other_people_are_not_concerned(operator, plane, namespace):
    job = worker_job(namespace)
    del job["metadata"]["ownerReferences"]
    assert refusal(plane.api, job) is None
