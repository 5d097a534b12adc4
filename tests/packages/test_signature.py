"""`tools/image/sign`: signature, list of parts and origin beside an image, for whoever has the key's other half."""

import base64
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from free_ports import free_port
from go_tools import CACHE
from required_programs import require_programs
from wheel_building import REPOSITORY, build

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]  # the first time Go builds cosign and syft
SIGN = REPOSITORY / "tools/image/sign"
(COSIGN_PACKAGE, COSIGN_VERSION) = re.findall(r"program cosign (\S+) (v[\d.]+)", SIGN.read_text())[0]
COSIGN = CACHE / f"cosign-{COSIGN_VERSION}/cosign"
REGISTRY = "v0.20.7"
SOURCE = "https://git.example.org/dynamo-consistency"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ENVIRONMENT = os.environ | {"COSIGN_PASSWORD": "any", "PLAIN_REGISTRY": "true"}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a registry in memory."""
    require_programs("go", "podman", install="Go from https://go.dev/dl; apt-get install podman")
    program = CACHE / f"registry-{REGISTRY}" / "registry"
    if not program.exists():
        package = f"github.com/google/go-containerregistry/cmd/registry@{REGISTRY}"
        subprocess.run(["go", "install", package], env=os.environ | {"GOBIN": str(program.parent)}, check=True)
    port = free_port()
    with subprocess.Popen([program, "-port", str(port)], stderr=subprocess.DEVNULL) as server:
        while server.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"localhost:{port}"
        server.terminate()


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is in a small image: our wheel, and nothing else. Building the real one takes minutes."""
    folder = tmp_path_factory.mktemp("image")
    wheel = build(REPOSITORY, folder / "wheel")
    install = [Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--no-deps", "--target"]
    subprocess.run([*install, folder / "root/usr/lib/python3.11/site-packages", wheel], check=True)
    subprocess.run(["tar", "-C", folder / "root", "-cf", folder / "root.tar", "."], check=True)
    return folder / "root.tar"


def pushed(registry: str, layer: Path, revision: str, tag: str = "", architecture: str = "amd64") -> str:
    """An image that says of itself that it was built of `revision`, by its digest."""
    name, told = f"{registry}/small:{tag or revision}", layer.with_name(f"digest-{tag or revision}")
    labels = [
        f"--change=LABEL org.opencontainers.image.{label}" for label in (f"source={SOURCE}", f"revision={revision}")
    ]
    make = ["podman", "import", "--quiet", "--arch", architecture, *labels, layer, name]
    subprocess.run(make, check=True, capture_output=True)
    subprocess.run(["podman", "push", "--quiet", "--tls-verify=false", "--digestfile", told, name], check=True)
    subprocess.run(["podman", "image", "rm", name], check=True, capture_output=True)
    return f"{registry}/small@{told.read_text()}"


@pytest.fixture(scope="module")
def image(registry: str, layer: Path) -> str:
    return pushed(registry, layer, COMMIT)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory, image: str) -> Path:
    """The public half of the key that the image was signed with."""
    folder = tmp_path_factory.mktemp("key")
    _new_key(folder)
    signed = sign(image, folder / "cosign.key")
    assert signed.returncode == 0, signed.stderr
    return folder / "cosign.pub"


def sign(image: str, key: Path) -> subprocess.CompletedProcess[str]:
    environment = ENVIRONMENT | {"COSIGN_KEY": str(key)}
    command = [SIGN, image]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _new_key(folder: Path) -> None:
    if not COSIGN.exists():
        package = f"{COSIGN_PACKAGE}@{COSIGN_VERSION}"
        subprocess.run(["go", "install", package], env=os.environ | {"GOBIN": str(COSIGN.parent)}, check=True)
    subprocess.run([COSIGN, "generate-key-pair"], cwd=folder, env=ENVIRONMENT, capture_output=True, check=True)


def verify(what: str, key: Path, image: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    local = ["--insecure-ignore-tlog=true", "--allow-http-registry"]
    command = [COSIGN, what, "--key", key, *local, *arguments, image]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def statement(verified: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return dict(json.loads(base64.b64decode(json.loads(verified.stdout)["payload"])))


def test_the_signature_is_of_this_image(image, key):
    verified = verify("verify", key, image)
    assert verified.returncode == 0, verified.stderr
    (claim,) = json.loads(verified.stdout)
    assert claim["critical"]["image"]["docker-manifest-digest"] == image.partition("@")[2]


def test_the_list_of_parts_is_signed_and_names_what_is_installed(image, key):
    verified = verify("verify-attestation", key, image, "--type", "spdxjson")
    assert verified.returncode == 0, verified.stderr
    parts = {part["name"] for part in statement(verified)["predicate"]["packages"]}
    assert "dynamo-consistency" in parts


def test_its_origin_is_signed_and_names_the_commit(image, key):
    verified = verify("verify-attestation", key, image, "--type", "slsaprovenance1")
    assert verified.returncode == 0, verified.stderr
    (source,) = statement(verified)["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source == {"uri": f"git+{SOURCE}", "digest": {"gitCommit": COMMIT}}


def test_an_image_of_changes_that_are_in_no_commit_is_not_signed(registry, layer, key):
    signed = sign(pushed(registry, layer, f"{COMMIT}-dirty"), key.with_name("cosign.key"))
    assert signed.returncode != 0
    assert "the image was not built of a commit" in signed.stderr


def test_another_key_verifies_nothing(image, key, tmp_path):
    _new_key(tmp_path)
    assert verify("verify", tmp_path / "cosign.pub", image).returncode != 0


def test_only_a_digest_is_signed_since_a_tag_may_move():
    ran = subprocess.run([SIGN, "localhost/x:1"], capture_output=True, check=False)
    assert ran.returncode == 2


def test_builds_for_two_processors_get_one_name_which_is_signed(registry, layer, key):
    for architecture in ("amd64", "arm64"):
        pushed(registry, layer, COMMIT, f"3.0.0-{architecture}", architecture)
    environment = ENVIRONMENT | {"COSIGN_KEY": str(key.with_name("cosign.key"))}
    made = [SIGN.with_name("index"), f"{registry}/small:3.0.0", "amd64", "arm64"]
    subprocess.run(made, env=environment, check=True, capture_output=True)
    with urllib.request.urlopen(f"http://{registry}/v2/small/manifests/3.0.0") as answer:
        platforms = [build["platform"]["architecture"] for build in json.load(answer)["manifests"]]
    assert platforms == ["amd64", "arm64"]
    verified = verify("verify", key, f"{registry}/small:3.0.0")
    assert verified.returncode == 0, verified.stderr
