"""Settings are environment variables; whatever is wrong with them is said in a sentence, before anything starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from consistency_operator.settings import read_settings

from dynamo_consistency.errors import ConfigurationError

IMAGE = {"CONSISTENCY_IMAGE": "registry/consistency:1"}
COMMAND = str(Path(sys.executable).with_name("consistency-operator"))


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


def test_namespaces_may_be_separated_by_commas_or_spaces() -> None:
    assert read_settings(IMAGE | {"CONSISTENCY_NAMESPACES": " a, b\nc,"}).namespaces == ("a", "b", "c")


def test_the_command_says_what_is_wrong_and_ends_with_2() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONSISTENCY_")}
    ended = subprocess.run([COMMAND, "run"], env=environment, capture_output=True, text=True, check=False, timeout=30)
    assert (ended.returncode, ended.stderr) == (2, "CONSISTENCY_IMAGE is not set: Image of the workers.\n")


def test_the_command_explains_every_setting() -> None:
    told = subprocess.run([COMMAND, "run", "--help"], capture_output=True, text=True, check=True, timeout=30).stdout
    assert "CONSISTENCY_MAX_CONCURRENT_RUNS" in told
    assert "PersistentVolumeClaim of checks that name no store" in told
