"""`spec.podTemplate`: what is laid over a worker's pod, and what is refused with a sentence."""

import pytest
from consistency_operator.manifests import JobRun, build_job, template_problems
from consistency_operator.manifests.overlay import overlaid
from consistency_operator.settings import read_settings
from hypothesis import given
from hypothesis import strategies as st
from manifests_examples import KERBEROS, Owner, check_with

from dynamo_consistency.check import PodTemplate

SETTINGS = read_settings({"CONSISTENCY_IMAGE": "example.org/dynamo-consistency:3.0.0"})


def problems(**template: object) -> list[str]:
    return template_problems(PodTemplate.model_validate(template))


def of_worker(**fields: object) -> list[str]:
    return problems(spec={"containers": [{"name": "worker", **fields}]})


def test_mappings_are_merged_and_a_null_removes():
    base = {"a": {"b": 1, "c": 2}, "d": 3}
    assert overlaid(base, {"a": {"b": None, "e": 4}, "d": {"f": 5}}) == {"a": {"c": 2, "e": 4}, "d": {"f": 5}}
    assert base == {"a": {"b": 1, "c": 2}, "d": 3}


@pytest.mark.parametrize(
    ("name", "base", "overlay", "expected"),
    [
        (
            "containers",
            [{"name": "a", "image": "x", "tty": True}],
            [{"name": "b"}, {"name": "a", "image": "y"}],
            [{"name": "a", "image": "y", "tty": True}, {"name": "b"}],
        ),
        (
            "env",
            [{"name": "A", "value": "1"}],
            [{"name": "A", "valueFrom": {"secretKeyRef": {}}}],
            [{"name": "A", "valueFrom": {"secretKeyRef": {}}}],
        ),
        (
            "volumes",
            [{"name": "v", "emptyDir": {}}],
            [{"name": "v", "ephemeral": {}}],
            [{"name": "v", "ephemeral": {}}],
        ),
        (
            "volumeMounts",
            [{"mountPath": "/a", "name": "v", "readOnly": True}],
            [{"mountPath": "/a", "name": "w"}, {"mountPath": "/b", "name": "v"}],
            [{"mountPath": "/a", "name": "w", "readOnly": True}, {"mountPath": "/b", "name": "v"}],
        ),
        (
            "tolerations",
            [{"key": "a"}],
            [{"key": "a", "effect": "NoExecute"}],
            [{"key": "a"}, {"key": "a", "effect": "NoExecute"}],
        ),
        ("imagePullSecrets", [{"name": "a"}], [{"name": "b"}], [{"name": "a"}, {"name": "b"}]),
        ("args", ["a", "b"], ["c"], ["c"]),
        ("containers", [{"name": "a"}], ["no mapping"], ["no mapping"]),
    ],
)
def test_lists_of_named_things_are_merged_by_their_names(name, base, overlay, expected):
    assert overlaid({name: base}, {name: overlay}) == {name: expected}


def test_what_a_large_site_writes_is_taken():
    assert problems(**KERBEROS) == []


@pytest.mark.parametrize(
    "security",
    [
        {},
        {"runAsUser": 3021, "runAsGroup": 1399, "fsGroup": 1399},
        {"capabilities": {"drop": ["ALL"]}},
        {"capabilities": {}},
        {"seccompProfile": {"type": "Localhost", "localhostProfile": "worker.json"}},
        {"readOnlyRootFilesystem": True},
    ],
)
def test_a_security_context_may_be_made_tighter(security):
    assert problems(spec={"securityContext": security}) == of_worker(securityContext=security) == []


@pytest.mark.parametrize(
    "security",
    [
        None,
        {"privileged": True},
        {"runAsUser": 0},
        {"runAsNonRoot": False},
        {"runAsNonRoot": None},
        {"allowPrivilegeEscalation": True},
        {"readOnlyRootFilesystem": None},
        {"capabilities": None},
        {"capabilities": {"add": ["SYS_ADMIN"]}},
        {"capabilities": {"drop": []}},
        {"capabilities": {"drop": None}},
        {"seccompProfile": None},
        {"seccompProfile": {"type": "Unconfined"}},
    ],
)
def test_a_security_context_may_not_be_opened(security):
    """Of the pod, of the worker, or of what runs before it."""
    login = {"name": "login", "securityContext": security}
    for found, where in (
        (problems(spec={"securityContext": security}), "spec.podTemplate.spec.securityContext"),
        (of_worker(securityContext=security), "spec.podTemplate.spec.containers[0].securityContext"),
        (problems(spec={"initContainers": [login]}), "spec.podTemplate.spec.initContainers[0].securityContext"),
    ):
        assert len(found) == 1
        assert found[0].startswith(where)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"restartPolicy": "OnFailure"}, "spec.restartPolicy is the operator's own"),
        ({"serviceAccountName": "admin"}, "spec.serviceAccountName is the operator's own"),
        ({"automountServiceAccountToken": True}, "spec.automountServiceAccountToken is the operator's own"),
        ({"activeDeadlineSeconds": 1}, "spec.activeDeadlineSeconds is the operator's own"),
        ({"hostNetwork": True}, "spec.hostNetwork is not for workers"),
        ({"volumes": [{"name": "data", "emptyDir": {}}]}, "spec.volumes[0]: the volume data is the operator's own"),
        ({"volumes": None}, "spec.volumes must be a list"),
        ({"containers": None}, "spec.containers must be a list"),
        ({"containers": [{"name": "sidecar"}]}, "spec.containers[0]: the only container is worker"),
        ({"containers": [{"name": "worker", "command": ["sh"]}]}, "containers[0].command is the operator's own"),
        ({"containers": [{"name": "worker", "args": []}]}, "containers[0].args is the operator's own"),
        ({"containers": [{"name": "worker", "env": None}]}, "containers[0].env must be a list"),
        (
            {"containers": [{"name": "worker", "env": [{"name": "DYNAMO_CONSISTENCY_CHECK"}]}]},
            "containers[0].env[0]: DYNAMO_CONSISTENCY_CHECK is the operator's own",
        ),
        (
            {"containers": [{"name": "worker", "volumeMounts": [{"mountPath": "/data/"}]}]},
            "containers[0].volumeMounts[0]: /data/ is the operator's own",
        ),
    ],
)
def test_what_would_take_the_workers_place_is_refused_with_a_sentence(spec, words):
    [sentence] = problems(spec=spec)
    assert sentence.startswith("spec.podTemplate.spec.")
    assert words in sentence


def test_labels_by_which_the_operator_knows_its_pods_are_its_own():
    labels = {"consistency.dynamo.io/check": "other", "app.kubernetes.io/name": "other", "team": "storage"}
    assert len(problems(metadata={"labels": labels})) == 2


def test_what_runs_before_the_worker_is_confined_as_it_is(build):
    pod = build("Listing", podTemplate=KERBEROS)["spec"]["template"]["spec"]
    assert pod["initContainers"][0]["securityContext"] == pod["containers"][0]["securityContext"]


def test_a_queue_is_that_of_the_job_and_not_of_its_pods(build):
    job = build("Listing", podTemplate=KERBEROS)
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "checks"
    assert "kueue.x-k8s.io/queue-name" not in job["spec"]["template"]["metadata"]["labels"]
    assert job["spec"]["template"]["metadata"]["labels"]["team"] == "storage"


plain = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["worker", "x", "/data", "Unconfined"])
security = st.dictionaries(
    st.sampled_from(["privileged", "runAsUser", "runAsNonRoot", "readOnlyRootFilesystem", "allowPrivilegeEscalation"]),
    plain,
)
containers = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["worker", "x"])},
        optional={
            "command": plain,
            "args": plain,
            "env": plain
            | st.lists(st.fixed_dictionaries({"name": st.sampled_from(["HOME", "DYNAMO_CONSISTENCY_CHECK"])})),
            "volumeMounts": plain | st.lists(st.fixed_dictionaries({"mountPath": st.sampled_from(["/data", "/x"])})),
            "securityContext": plain | security,
            "terminationMessagePath": plain,
        },
    ),
    max_size=2,
)
templates = st.fixed_dictionaries(
    {},
    optional={
        "containers": plain | containers,
        "initContainers": plain | containers,
        "volumes": plain | st.lists(st.fixed_dictionaries({"name": st.sampled_from(["data", "tmp"])})),
        "securityContext": plain | security,
        "restartPolicy": plain,
        "serviceAccountName": plain,
        "hostNetwork": plain,
        "nodeSelector": plain,
    },
)


anything = st.recursive(
    plain | st.text(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
keys = ["containers", "volumes", "initContainers", "securityContext", "tolerations", "env", "name", "capabilities"]
nonsense = st.recursive(
    anything, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(keys), inner, max_size=4)
)


@given(spec=st.dictionaries(st.sampled_from(keys), nonsense))
def test_nonsense_is_refused_here_or_by_the_api_server_but_breaks_nothing(spec):
    check = check_with(podTemplate={"spec": spec})
    if not template_problems(check.spec.pod_template):
        build_job("Listing", Owner(), JobRun("1", check, 1), SETTINGS)


@given(spec=templates)
def test_what_is_not_refused_leaves_the_worker_its_work_and_its_walls(spec):
    check = check_with(podTemplate={"spec": spec})
    if template_problems(check.spec.pod_template):
        return
    pod = build_job("Snapshot", Owner(), JobRun("1", check, 1), SETTINGS)["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert (container["name"], container["command"]) == ("worker", ["dynamo-consistency"])
    assert container["args"][:2] == ["stage", "snapshot"]
    assert {"/data", "/etc/consistency", "/tmp"} <= {mount["mountPath"] for mount in container["volumeMounts"]}  # noqa: S108
    assert {"data", "backends", "scratch"} <= {volume["name"] for volume in pod["volumes"]}
    assert "DYNAMO_CONSISTENCY_CHECK" in [entry["name"] for entry in container["env"]]
    assert pod["restartPolicy"] == "Never"
    assert not pod.get("hostNetwork")
    for confined in (container, *pod.get("initContainers", [])):
        assert confined["securityContext"]["allowPrivilegeEscalation"] not in (True, None)
        assert confined["securityContext"]["readOnlyRootFilesystem"] not in (False, None)
        assert confined["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert not confined["securityContext"].get("privileged")
