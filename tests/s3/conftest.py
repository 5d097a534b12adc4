"""Object stores of two makes, each with an empty bucket, and one that answers what it is told to answer."""

import functools
import http.server
import itertools
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.loaders import JSONFileLoader
from free_ports import free_port
from go_tools import go_tool
from object_store import ObjectStore, ScriptedStore

SECRET = "a-secret-of-these-tests"


@pytest.fixture(scope="session", params=["moto", "versitygw"])
def server(request, tmp_path_factory) -> Iterator[str]:
    """The URL of an object store on this machine."""
    port = free_port()
    folder = tmp_path_factory.mktemp("object-store")
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    if request.param == "versitygw":
        program = go_tool("versitygw")
        (folder / "data").mkdir()
        command = [program, "--port", f"127.0.0.1:{port}", "--access", "tester", "--secret", SECRET, "posix"]
        command.append(str(folder / "data"))
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": SECRET}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=environment) as process,
    ):
        try:
            await_answer(f"http://127.0.0.1:{port}/")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def await_answer(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 (our own server)
                return
        except urllib.error.HTTPError:  # it wants a signature, and so it lives
            return
        except OSError:
            pass
        assert time.monotonic() < deadline, f"{url} does not answer"
        time.sleep(0.1)


@pytest.fixture(scope="session", autouse=True)
def models() -> Iterator[None]:
    """Read what the library knows of S3 once for all tests: that takes most of the time that a client takes."""
    read = JSONFileLoader.load_file
    known = functools.cache(lambda path: read(JSONFileLoader(), path))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: known(path))
        yield


@pytest.fixture
def credentials(monkeypatch, tmp_path) -> None:
    """The variables that a person would set, and no others."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tester")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


_numbers = itertools.count()


@pytest.fixture
def store(server, credentials) -> Iterator[ObjectStore]:
    """An empty bucket."""
    store = ObjectStore(server, f"bucket-{next(_numbers)}")
    yield store
    store.close()


@pytest.fixture
def scripted(credentials) -> Iterator[ScriptedStore]:
    """A store that says what the test has put into `answers`."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), ScriptedStore.Handler) as http_server:
        http_server.answers = []
        threading.Thread(target=http_server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield ScriptedStore(http_server)
        finally:
            http_server.shutdown()
