"""What is wrong on a page is found: each of these blocks would fail, with words that say why."""

import pytest
from console import commands
from fences import Fence
from programs import PROGRAMS
from scenes import Scene, clone
from stand_ins import FAILED, shell
from yaml_on_pages import Unplaced, judge

from dynamo_consistency.errors import ConfigurationError

pytestmark = pytest.mark.timeout(600)  # kustomize may have to be built


def block(text: str, language: str = "yaml") -> Fence:
    return Fence("docs/page.md", 7, language, text, "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("spec: {listings: {}}", "unknown key"),
        ("policy: {missing: {mode: enforce}}", "spec.policy.missing.mode"),
        ("listing: {source: {xrootd: {server: x}}}", "unknown key"),
        ("backends: {default: {type: dynamos}}", "no type 'dynamos'"),
        ("dump: {url: /x, format: findd}", "format"),
        ("url: /a\nurl: /b", "stands here twice"),
        ("resources:\n  - https://git.example.org/dynamo-consistency//deploy/bases?ref=v3.0.0", "deploy/bases"),
        ("{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {port: []}}", ".spec.port"),
        ("{apiVersion: v2, kind: Service}", "v2 Service"),
        ("{image: {tags: x}}", "tags"),
        ("{something: else}", "add a reader to tests/docs/yaml_on_pages.py"),
    ],
)
def test_yaml_that_nobody_would_take(text, told, tmp_path):
    with pytest.raises((AssertionError, ConfigurationError, Unplaced)) as refused:
        judge(block(text), tmp_path)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("dynamo-consistency validate -g check.yaml", "No such option"),
        ("kubectl get sitechekcs", "none of our kinds"),
        ("kubectl get sitechecks --everywhere", "No such option"),
        ("kubectl frobnicate", "No such command"),
        ("kubectl apply -f examples/watch.yaml", "there is no examples/watch.yaml"),
        ("kubectl apply -k deploy/overlays/rucios", "there is no deploy/overlays/rucios"),
        ("kubectl annotate sitecheck t2-x consistency.dynamo.io/requestAt=1", "requestedAt"),
        ("kubectl annotate sitecheck t2-x consistency.dynamo.io/approve=1", "--field-manager"),
        ("kubectl get sitecheck t2-x -o jsonpath='{.status.runs.id}'", "the definition has no"),
        ('kubectl patch sitecheck t2-x --type=merge --patch=\'{"spec": {"suspended": true}}\'', "unknown key"),
        ("kubectl wait --for=condition=Done sitecheck/t2-x", "nothing becomes"),
        ("kubectl rollout status deployment/operator", "no deployment operator"),
        ("kubectl exec look -- dynamo-consistency histories", "No such command"),
        ("kubectl create secret generic backends --from-file=LICENSE", "not backends"),
        ("kubectl port-forward service/consistency-web 8080:8080", "has the ports"),
        ("kubectl explain sitecheck.spec.policies", "policies"),
        ("make tests", "the Makefile has no tests"),
        ("make test TESTS=x", "the Makefile has no"),
        ("pip install 'dynamo-consistency[webs]'", "no extra webs"),
        ("podman push localhost/dynamo:dev", "makes no localhost/dynamo:dev"),
        ("cosign verify --key k registry.example.org/x:3", "of a digest"),
        ("tools/image/build demos", "makes no"),
        ("no-such-program", "not found"),
    ],
)
def test_commands_that_would_not_work(command, told, tmp_path):
    clone(tmp_path)
    with shell(tmp_path, PROGRAMS) as opened:
        code, output = opened.type(command)
    assert code, output
    assert told in output


def test_a_value_that_the_chart_does_not_have(tmp_path):
    with shell(tmp_path, PROGRAMS) as opened:
        code, output = opened.type("helm install x oci://registry.example.org/charts/dynamo-consistency --set imagee=x")
    assert code == FAILED
    assert "imagee" in output


@pytest.mark.parametrize(
    ("shown", "matches"),
    [
        ("a\nb", True), ("a\n…", True), ("…\nb", True), ("…", True), ("a\nb…", True),
        ("…\nrun 20261122T030000Z-x\n…", False),
        ("a", False), ("b\n…", False), ("a\nc", False),
    ],
)  # fmt: skip
def test_what_is_shown_is_compared(shown, matches, tmp_path):
    (typed,) = commands(block(f"$ printf 'a\\nb\\n'\n{shown}\n", "console"))
    assert bool(typed.compare("a\nb\n", Scene(tmp_path, tmp_path))) is not matches


def test_a_command_goes_on_behind_a_backslash_and_a_pipe():
    typed = commands(block("$ one \\\n    two |\n  three\nshown\n$ four\n", "console"))
    assert [(one.line, one.command, one.shown) for one in typed] == [
        (7, "one \\\n    two |\n  three", ["shown"]),
        (11, "four", []),
    ]
