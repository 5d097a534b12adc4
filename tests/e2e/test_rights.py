"""What the operator and its workers may do in the cluster, and what they may not, asked of the real API server."""

import urllib.error
from collections.abc import Callable
from typing import Any

import pytest
from cluster.api import JSON_PATCH, Api, ApiError, path_of
from cluster.control_plane import ControlPlane
from deployment import apply, rendered

PLACES = ["consistency", "default", "kube-system"]
OPERATOR, WORKER = ("consistency-operator", "consistency"), ("consistency-worker", "consistency")
CHECKS, CORE = "consistency.dynamo.io", ""

# verbs, group, resource, subresource: all that is done to them, in every namespace
ALLOWED = [
    ("list watch", CHECKS, "siteconsistencychecks", ""),
    ("patch", CHECKS, "siteconsistencychecks", "status"),
    ("list watch create delete", "batch", "jobs", ""),
    ("list", CORE, "pods", ""),
    ("create", CORE, "events", ""),
    ("list", CORE, "events", ""),
]
FORBIDDEN = [
    ("get list watch create update patch delete", CORE, "secrets", ""),
    ("get list watch create update patch delete", CORE, "configmaps", ""),
    ("create update patch delete", CHECKS, "siteconsistencychecks", ""),
    ("update", CHECKS, "siteconsistencychecks", "status"),
    ("create update patch delete", CORE, "pods", ""),
    ("create get", CORE, "pods", "exec"),
    ("get", CORE, "pods", "log"),
    ("get list create patch delete", CORE, "serviceaccounts", ""),
    ("create", CORE, "serviceaccounts", "token"),
    ("impersonate", CORE, "serviceaccounts", ""),
    ("get list create delete patch", CORE, "namespaces", ""),
    ("get list create update patch delete", CORE, "persistentvolumeclaims", ""),
    ("update patch", "batch", "jobs", ""),
    ("create", "apps", "deployments", ""),
    ("create bind escalate", "rbac.authorization.k8s.io", "clusterroles", ""),
    ("create", "rbac.authorization.k8s.io", "clusterrolebindings", ""),
    ("get update patch delete", "apiextensions.k8s.io", "customresourcedefinitions", ""),
    ("get list", CORE, "nodes", ""),
]


@pytest.fixture(scope="module")
def account(plane: ControlPlane, installed: list[dict[str, Any]]) -> Callable[[tuple[str, str]], Api]:
    """The API as a service account sees it."""
    return lambda who: plane.api.as_user(plane.token(*who))


def can(api: Api, verb: str, what: tuple[str, str, str], namespace: str) -> bool:
    group, resource, sub = what
    wanted = {"verb": verb, "group": group, "resource": resource, "subresource": sub, "namespace": namespace}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": wanted},
    }
    answer = api.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    return bool(answer["status"]["allowed"])


def allowed(api: Api, rows: list[tuple[str, str, str, str]], places: list[str] = PLACES) -> list[str]:
    return [
        f"{verb} {resource}/{sub} in {namespace}"
        for verbs, group, resource, sub in rows
        for verb in verbs.split()
        for namespace in places
        if can(api, verb, (group, resource, sub), namespace)
    ]


def test_the_operator_may_do_its_work_in_every_namespace(account):
    expected = sum(len(verbs.split()) for verbs, *_ in ALLOWED) * len(PLACES)
    assert len(allowed(account(OPERATOR), ALLOWED)) == expected


def test_the_operator_may_do_nothing_else(account):
    assert allowed(account(OPERATOR), FORBIDDEN) == []


def test_a_worker_may_do_nothing_at_all(account):
    assert allowed(account(WORKER), ALLOWED + FORBIDDEN) == []


@pytest.mark.parametrize("who", [OPERATOR, WORKER], ids=lambda who: who[0])
def test_neither_may_read_the_passwords_of_the_backends(account, plane, namespace, who):
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "consistency-backends"},
        "stringData": {"a": "b"},
    }
    plane.api.create(secret, namespace)
    api = account(who)
    for path in (path_of("Secret", namespace, "consistency-backends"), path_of("Secret", namespace)):
        with pytest.raises(ApiError, match=r"cannot (get|list) resource") as refused:
            api.get(path)
        assert refused.value.code == 403


def test_the_operator_may_write_the_status_of_a_check_but_not_what_a_person_wrote(account, plane, namespace, a_check):
    path = path_of(
        "SiteConsistencyCheck", namespace, plane.api.create(a_check("rights"), namespace)["metadata"]["name"]
    )
    api = account(OPERATOR)
    suspend = [{"op": "add", "path": "/spec/suspend", "value": True}]
    with pytest.raises(ApiError, match="cannot patch resource") as refused:
        api.patch(path, suspend, JSON_PATCH)
    assert refused.value.code == 403
    api.patch(f"{path}/status", suspend, JSON_PATCH)
    assert not plane.api.get(path)["spec"].get("suspend"), "a write to the status reached the spec"
    with pytest.raises(ApiError) as refused:
        api.delete(path)
    assert refused.value.code == 403


def grant_in(plane: ControlPlane, namespace: str) -> list[dict[str, Any]]:
    """Give an operator the rights of overlays/namespaced, in this namespace alone; all objects of that overlay."""
    objects = rendered(plane, "deploy/overlays/namespaced")
    rights = [one for one in objects if one["kind"] in ("ServiceAccount", "Role", "RoleBinding")]
    for one in rights:
        one["metadata"]["namespace"] = namespace
        for subject in one.get("subjects", []):
            subject["namespace"] = namespace
    apply(plane, rights, "--force-conflicts")
    return objects


def test_an_operator_of_one_namespace_has_no_rights_in_another(plane, installed, namespace, account):
    """What overlays/namespaced grants is a Role."""
    objects = grant_in(plane, namespace)
    assert not [one["kind"] for one in objects if one["kind"].startswith("Cluster")]
    api = account(("consistency-operator", namespace))
    assert allowed(api, ALLOWED) == []
    assert len(allowed(api, ALLOWED, [namespace])) == sum(len(verbs.split()) for verbs, *_ in ALLOWED)
    assert allowed(api, FORBIDDEN, [namespace]) == []


def test_a_namespace_without_rights_is_named_and_the_others_are_served(
    plane, checks, make_operator, backends, laboratory
):
    grant_in(plane, checks.namespace)
    operator = make_operator(backends(laboratory.backends))
    token = plane.token("consistency-operator", checks.namespace)
    kubeconfig = plane.write_kubeconfig(operator.processes.folder / "one-namespace.kubeconfig", token)
    served = f"{checks.namespace} kube-public"
    operator.start(ready=False, KUBECONFIG=str(kubeconfig), CONSISTENCY_NAMESPACES=served)
    checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
    assert checks.finished("lab")["result"] == "Complete"
    with pytest.raises(urllib.error.HTTPError) as unwell:
        operator.is_healthy()
    assert "the namespace kube-public may not be watched" in unwell.value.read().decode()


def a_job(**pod: Any) -> dict[str, Any]:
    container = {"name": "worker", "image": "x"}
    spec = {"restartPolicy": "Never", "containers": [container], **pod}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}, "spec": {"template": {"spec": spec}}}


@pytest.mark.parametrize(
    "job",
    [a_job(), a_job(hostNetwork=True), a_job(volumes=[{"name": "etc", "hostPath": {"path": "/etc"}}])],
    ids=["of no check", "in the network of the node", "with a folder of the node"],
)
def test_even_a_stolen_token_of_the_operator_starts_no_job_but_a_worker(account, namespace, job):
    with pytest.raises(ApiError, match="denied request") as refused:
        account(OPERATOR).create(job, namespace)
    assert refused.value.code == 422
