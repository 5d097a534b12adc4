"""Settings are environment variables; whatever is wrong with them is said in a sentence, before anything starts."""

import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from consistency_operator.settings import read_settings
from operator_command import COMMAND

from dynamo_consistency.errors import ConfigurationError

IMAGE = {"CONSISTENCY_IMAGE": "registry/consistency:1"}


def complaint(**settings: str) -> str:
    with pytest.raises(ConfigurationError) as refusal:
        read_settings({f"CONSISTENCY_{name.upper()}": value for name, value in settings.items()})
    return str(refusal.value)


def test_an_image_is_all_that_must_be_said() -> None:
    settings = read_settings(IMAGE)
    assert settings.namespaces == ()
    assert (settings.store_claim, settings.store_url) == ("consistency-data", None)
    assert settings.health_listen[1] == 8080


def test_without_an_image_there_is_a_sentence_that_says_what_it_is() -> None:
    assert complaint() == "CONSISTENCY_IMAGE is not set: Image of the workers."


def test_a_misspelt_setting_is_refused_with_the_right_spelling() -> None:
    assert "did you mean CONSISTENCY_MAX_CONCURRENT_RUNS?" in complaint(image="x", max_concurent_runs="3")


def test_every_wrong_value_is_complained_of_by_its_name() -> None:
    said = complaint(image="x", max_concurrent_runs="0", namespaces="a,B", metrics_listen="9", image_pull_policy="No")
    for name in ("MAX_CONCURRENT_RUNS=0", "NAMESPACES=B", "METRICS_LISTEN=9", "IMAGE_PULL_POLICY=No"):
        assert f"CONSISTENCY_{name}: " in said
    assert len(said.splitlines()) == 4


def test_variables_that_kubernetes_sets_for_services_are_no_settings() -> None:
    links = ("OPERATOR_SERVICE_HOST", "OPERATOR_PORT", "OPERATOR_PORT_9090_TCP_ADDR", "OPERATOR_SERVICE_PORT_METRICS")
    read_settings(IMAGE | {f"CONSISTENCY_{link}": "tcp://10.0.0.1:9090" for link in links})


def test_a_store_is_a_claim_or_a_url_but_not_both() -> None:
    assert "both set" in complaint(image="x", store_claim="a", store_url="s3://a")
    assert read_settings(IMAGE | {"CONSISTENCY_STORE_URL": "s3://a"}).store_claim is None


def test_workers_have_a_user_or_that_of_their_namespace() -> None:
    assert read_settings(IMAGE).worker_user == 10001
    assert read_settings(IMAGE | {"CONSISTENCY_WORKER_USER": "3021"}).worker_user == 3021
    assert read_settings(IMAGE | {"CONSISTENCY_WORKER_USER": "namespace"}).worker_user is None
    assert "WORKER_USER=0" in complaint(image="x", worker_user="0")
    assert "WORKER_USER=me" in complaint(image="x", worker_user="me")


def test_namespaces_may_be_separated_by_commas_or_spaces() -> None:
    assert read_settings(IMAGE | {"CONSISTENCY_NAMESPACES": " a, b\nc,"}).namespaces == ("a", "b", "c")


def test_the_command_says_what_is_wrong_and_ends_with_2() -> None:
    assert started() == (2, "CONSISTENCY_IMAGE is not set: Image of the workers.\n")


def started(**settings: str) -> tuple[int, str]:
    """Exit code and stderr of an operator that cannot start."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CONSISTENCY_", "KUBE"))}
    environment |= {"HOME": "/nonexistent", **settings}
    ended = subprocess.run([COMMAND, "run"], env=environment, capture_output=True, text=True, check=False, timeout=60)
    return ended.returncode, ended.stderr


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, said = started(CONSISTENCY_IMAGE="x", CONSISTENCY_HEALTH_LISTEN=address)
    assert (code, said) == (2, f"CONSISTENCY_HEALTH_LISTEN={address} cannot be served: Address already in use\n")


def test_without_credentials_for_a_cluster_it_says_where_they_come_from() -> None:
    anywhere = {"CONSISTENCY_HEALTH_LISTEN": "127.0.0.1:0", "CONSISTENCY_METRICS_LISTEN": "127.0.0.1:0"}
    code, said = started(CONSISTENCY_IMAGE="x", **anywhere)
    assert (code, said.count("\n")) == (2, 1)
    assert "set KUBECONFIG" in said


def test_a_kubeconfig_that_is_no_kubeconfig_is_said_to_be_so(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("current-context: nowhere")
    anywhere = {"CONSISTENCY_HEALTH_LISTEN": "127.0.0.1:0", "CONSISTENCY_METRICS_LISTEN": "127.0.0.1:0"}
    code, said = started(CONSISTENCY_IMAGE="x", KUBECONFIG=str(file), **anywhere)
    assert (code, said.count("\n")) == (2, 1)
    assert said.startswith("the kubeconfig cannot be understood")


@pytest.mark.parametrize("plugin", [{"exec": {"command": "log-in"}}, {"auth-provider": {"name": "oidc"}}])
def test_a_kubeconfig_with_a_plugin_says_what_it_needs(tmp_path: Path, plugin: dict[str, Any]) -> None:
    config = {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://localhost:1"}}],
        "users": [{"name": "u", "user": plugin}],
    }
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u; f = u.find_spec\n"
        "u.find_spec = lambda n, *a: None if n == 'kubernetes' else f(n, *a)\n"
    )
    anywhere = {"CONSISTENCY_HEALTH_LISTEN": "127.0.0.1:0", "CONSISTENCY_METRICS_LISTEN": "127.0.0.1:0"}
    settings = {"KUBECONFIG": str(tmp_path / "config"), "PYTHONPATH": str(tmp_path)}
    code, said = started(CONSISTENCY_IMAGE="x", **settings, **anywhere)
    assert (code, said.count("\n")) == (2, 1)
    assert said.endswith("pip install 'dynamo-consistency[kubeconfig]'\n")


def test_the_command_explains_every_setting() -> None:
    reported = subprocess.run([COMMAND, "run", "--help"], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "CONSISTENCY_MAX_CONCURRENT_RUNS" in reported
    assert "PersistentVolumeClaim of checks that name no store" in reported
