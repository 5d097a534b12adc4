"""The image's file: what it says of itself, and that all it is made of is there for other processors as well."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from wheel_building import REPOSITORY

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()
UV = Path(sys.executable).with_name("uv")


def test_everything_that_the_build_tells_it_is_asked_for():
    told = set(re.findall(r'--build-arg "?([A-Z]+)=', (REPOSITORY / "tools/image/build").read_text()))
    assert told == set(re.findall(r"^ARG ([A-Z]+)", DOCKERFILE, re.MULTILINE))


def test_it_has_the_labels_that_registries_show():
    labels = set(re.findall(r"org\.opencontainers\.image\.(\w+)=", DOCKERFILE))
    assert labels >= {"title", "description", "licenses", "source", "documentation", "version", "revision", "created"}


def test_its_commit_reaches_the_command(monkeypatch):
    (setting,) = re.findall(r"^ENV (\w+)=\$REVISION$", DOCKERFILE, re.MULTILINE)
    monkeypatch.setenv(setting, "0a1b2c3")
    for command in ("dynamo-consistency", "consistency-operator"):
        told = [Path(sys.executable).with_name(command), "--version"]
        assert subprocess.run(told, capture_output=True, text=True, check=True).stdout.endswith(", revision 0a1b2c3\n")


def test_it_has_no_client_for_the_plugins_of_kubeconfigs():
    """A fifth of the image once; a pod logs in by its service account."""
    assert "\nkubernetes==" not in (REPOSITORY / "requirements-image.lock").read_text()


@pytest.fixture
def programs(tmp_path: Path) -> dict[str, str]:
    """A machine with a shell and its helpers alone: no podman, no go, nothing built before."""
    for name in ("bash", "cat", "cut", "dirname", "env", "sed", "sha256sum"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    return {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}


@pytest.mark.parametrize(
    ("script", "arguments", "lacks"), [("build", [], "podman"), ("sign", [f"mine@sha256:{'0a' * 32}"], "nice")]
)
def test_a_program_that_is_lacking_ends_it_before_anything_is_made(programs, script, arguments, lacks):
    command = [REPOSITORY / "tools/image" / script, *arguments]
    done = subprocess.run(command, env=programs, capture_output=True, text=True, check=False)
    assert done.returncode
    assert lacks in done.stderr
    assert len(done.stderr.splitlines()) == 1


def wheels_for(platform: str, lock: str) -> subprocess.CompletedProcess[str]:
    """Asks the index whether each package of the lock has a wheel with a hash that the lock knows.

    Skips the test where no index answers; in CI that is a failure.
    """
    command = [UV, "pip", "install", "--quiet", "--dry-run", "--only-binary", ":all:", "--require-hashes"]
    target = ["--target", "/nonexistent", "--python-version", "3.11", "--python-platform", platform]
    asked = subprocess.run(
        [*command, *target, "-r", REPOSITORY / lock], capture_output=True, text=True, cwd=REPOSITORY, check=False
    )
    if re.search("error sending request|network was disabled", asked.stderr) and os.environ.get("CI") != "true":
        pytest.skip("needs a package index that answers")
    return asked


@pytest.mark.slow
@pytest.mark.parametrize("processor", ["x86_64", "aarch64"])
def test_all_of_it_is_there_as_wheels(processor):
    found = wheels_for(f"{processor}-manylinux_2_28", "requirements-image.lock")
    assert found.returncode == 0, found.stderr


@pytest.mark.slow
def test_what_has_no_wheel_would_be_noticed():
    assert "mysqlclient" in wheels_for("aarch64-manylinux_2_28", "requirements-mysqlclient.lock").stderr
