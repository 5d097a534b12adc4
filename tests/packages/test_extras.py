"""What is there only with an extra says in one sentence which extra it wants, and ends with 2."""

import os
import re
import tomllib
from pathlib import Path

import pytest
from real_command import run_command
from wheel_building import REPOSITORY

CHECK = """\
apiVersion: consistency.dynamo.io/v1alpha1
kind: SiteConsistencyCheck
metadata: {name: x}
spec:
  site: T2_X
  listing: {source: SOURCE, roots: [{path: /store}]}
"""


@pytest.fixture
def without(tmp_path, monkeypatch):
    """What the command says where these modules are not installed."""

    def said(modules: str, *arguments: str, source: str = "{posix: {prefix: /x}}") -> str:
        for module in modules.split():
            lacking = f"raise ModuleNotFoundError('No module named {module}', name='{module}')\n"
            (tmp_path / f"{module}.py").write_text(lacking)
        (tmp_path / "check.yaml").write_text(CHECK.replace("SOURCE", source))
        ran = run_command([*arguments], tmp_path, os.environ | {"PYTHONPATH": str(tmp_path)})
        assert ran.returncode == 2
        return ran.stderr.splitlines()[-1]

    return said


@pytest.fixture
def inventory(tmp_path):
    """An inventory of one file, for runs that come as far as the listing."""
    (tmp_path / "files.tsv").write_text("/store/a\t1\n")
    for arguments in (["init"], ["import", "T2_X", "files.tsv"]):
        assert run_command(["inventory", *arguments, "--store", "store"], tmp_path).returncode == 0


def install(extra: str) -> str:
    return f"pip install 'dynamo-consistency[{extra}]'"


def test_a_store_on_s3(without):
    assert without("s3fs", "history", "T2_X", "--store", "s3://bucket").endswith(install("s3"))


@pytest.mark.usefixtures("inventory")
@pytest.mark.parametrize(
    ("modules", "source", "extra"),
    [
        ("aiohttp", "{dump: {url: 'https://localhost:1/files.txt'}}", "http"),
        ("s3fs", "{dump: {url: 's3://bucket/files.txt'}}", "s3"),
        ("botocore", "{s3: {url: 's3://bucket'}}", "s3"),
    ],
)
def test_a_listing(without, modules, source, extra):
    run = ["run", "-f", "check.yaml", "--store", "store"]
    assert without(modules, *run, source=source).endswith(install(extra))


def test_every_extra_that_is_named_anywhere_is_one():
    known = set(tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    files = [
        file
        for folder in ("dynamo_consistency", "operator", "docs")
        for file in Path(REPOSITORY, folder).rglob("*.*")
        if file.suffix in (".py", ".md")
    ]
    named = {extra for file in files for extra in re.findall(r"dynamo-consistency\[([a-z0-9]+)\]", file.read_text())}
    assert named <= known
    assert len(named) > 4
