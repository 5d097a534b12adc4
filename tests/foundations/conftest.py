"""Stores of both kinds, local and S3-compatible, and a check to begin runs with."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory) -> Iterator[str]:
    """The URL of an S3-compatible server on this machine."""
    port = free_port()
    moto = Path(sys.executable).with_name("moto_server")
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    with (
        (tmp_path_factory.mktemp("s3") / "log").open("wb") as log,
        subprocess.Popen([moto, "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log, env=environment) as server,
    ):
        try:
            await_answer(f"http://127.0.0.1:{port}/moto-api/")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


def await_answer(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):  # noqa: S310 (our own server)
            return
        assert time.monotonic() < deadline, f"{url} does not answer"
        time.sleep(0.1)


@pytest.fixture
def s3(s3_server, monkeypatch) -> Iterator[str]:
    """An empty bucket, found by the variables that a person would set."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    fsspec.get_filesystem_class("s3").clear_instance_cache()  # clients of other servers, with the same settings
    filesystem = fsspec.filesystem("s3", skip_instance_cache=True)
    filesystem.mkdir("consistency")
    yield "s3://consistency/store"
    filesystem.rm("consistency", recursive=True)
    fsspec.get_filesystem_class("s3").clear_instance_cache()


@pytest.fixture(params=["local", "s3"])
def store(request, tmp_path) -> RunStore:
    return RunStore(str(tmp_path / "store") if request.param == "local" else request.getfixturevalue("s3"))


@pytest.fixture
def check() -> SiteConsistencyCheck:
    return SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": "site"},
            "spec": {"site": "T2_X", "listing": {"roots": [{"path": "/store/mc"}]}},
        }
    )


@pytest.fixture
def run(store, check) -> RunDirectory:
    return store.create(check, "1")
