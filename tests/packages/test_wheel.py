"""The wheel: what an index takes, what it carries, the same bytes from each build, and that it runs by itself."""

import email
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from pathlib import Path

import pytest
from wheel_building import REPOSITORY, build

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
SOURCE = PROJECT["urls"]["Source"]
PARTS = ("pyproject.toml", "README.md", "LICENSE", "dynamo_consistency", "operator", "share")
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(REPOSITORY, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def test_an_index_takes_it(wheel, tmp_path):
    source = build(REPOSITORY, tmp_path, "sdist")
    checked = subprocess.run(
        [BIN / "twine", "check", "--strict", wheel, source], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_it_holds_what_wheels_hold(wheel):
    checked = subprocess.run(
        [BIN / "check-wheel-contents", wheel], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_it_says_what_a_person_who_searches_looks_for(metadata):
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["License-File"] == "LICENSE"
    assert {"storage", "Rucio", "kubernetes"} <= set(metadata["Keywords"].split(","))
    addresses = dict(line.split(", ") for line in metadata.get_all("Project-URL"))
    assert {"Homepage", "Documentation", "Changelog", "Issues", "Source"} <= set(addresses)
    assert all(address.startswith(SOURCE) for address in addresses.values())


def test_links_on_the_page_of_an_index_lead_to_the_repository(metadata):
    page = str(metadata.get_payload(decode=True), "utf-8") or metadata["Description"]
    targets = re.findall(r"\]\(([^)]+)\)", page)
    at_this_version = f"{SOURCE}/blob/v{PROJECT['version']}/"
    files = [target.removeprefix(at_this_version) for target in targets if target.startswith(at_this_version)]
    assert len(files) > 20
    assert [target for target in targets if not re.match("https://|#", target)] == []
    assert [file for file in files if not (REPOSITORY / file.partition("#")[0]).exists()] == []


def test_pictures_on_the_page_of_an_index_come_from_the_repository(metadata):
    page = str(metadata.get_payload(decode=True), "utf-8") or metadata["Description"]
    pictures = re.findall(r"!\[[^\]]{15,}\]\(([^)]+)\)", page)
    assert pictures
    as_files = f"{SOURCE}/raw/v{PROJECT['version']}/"
    assert all(picture.startswith(as_files) for picture in pictures)
    assert [picture for picture in pictures if not (REPOSITORY / picture.removeprefix(as_files)).is_file()] == []


def test_it_carries_the_manual_page_the_completions_and_the_schema(wheel):
    with zipfile.ZipFile(wheel) as archive:
        carried = {name.partition(".data/data/")[2] for name in archive.namelist()}
    shared = {str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "share").rglob("*") if path.is_file()}
    assert shared <= carried
    assert {Path(name).suffix for name in shared} >= {".1", ".fish", ".json"}


def test_two_builds_have_the_same_bytes(wheel, tmp_path):
    """Also from a copy, whose files are of another time and other rights."""
    copy = tmp_path / "copy"
    for part in PARTS:
        whole = REPOSITORY / part
        if whole.is_dir():
            shutil.copytree(whole, copy / part, copy_function=shutil.copyfile, ignore=shutil.ignore_patterns("*.pyc"))
        else:
            copy.mkdir(exist_ok=True)
            shutil.copyfile(whole, copy / part)
    for file in copy.rglob("*"):
        os.utime(file, (1_000_000_000, 1_000_000_000))
    again = build(copy, tmp_path / "built")
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of one that has the wheel and what the lock names, and nothing else."""
    place = tmp_path_factory.mktemp("environment") / "venv"
    uv, python = BIN / "uv", place / "bin/python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, place], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", python]
    subprocess.run([*install, "--require-hashes", "-r", REPOSITORY / "requirements.lock"], check=True)
    subprocess.run([*install, "--no-deps", wheel], check=True)
    return python.parent


@pytest.mark.slow
class TestInAnEmptyEnvironment:
    def test_the_demo_runs(self, environment, tmp_path):
        demo = [environment / "python", REPOSITORY / "examples/demo/demo.py"]
        ran = subprocess.run(demo, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert (tmp_path / "demo-data/check.yaml").exists()
        assert "file_007.root" in ran.stdout

    def test_the_manual_page_is_where_man_looks(self, environment):
        assert (environment.parent / "share/man/man1/dynamo-consistency.1").exists()

    def test_the_operator_says_which_extra_it_needs(self, environment):
        ran = subprocess.run([environment / "consistency-operator", "run"], capture_output=True, text=True, check=False)
        needed = "the operator needs aiohttp: pip install 'dynamo-consistency[operator]'\n"
        assert (ran.returncode, ran.stderr) == (2, needed)
