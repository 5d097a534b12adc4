"""Doors that want TLS and an X.509 proxy, or a token. Each client is a process: the library remembers credentials."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from required_programs import require_library
from token_issuer import Issuer
from xrdclient.testing import pki
from xrootd_daemon import Daemon

pytestmark = pytest.mark.xrootd

CLIENT = """
import sys
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.xrootd import XRootDLister
lister = XRootDLister([sys.argv[1]], client=sys.argv[2], timeout=5)
try:
    lister.prepare()
    print(lister.list(b"/store"))
except ListingError as error:
    print(error)
"""
Client = Callable[..., str]


@pytest.fixture(scope="session")
def grid(tmp_path_factory: pytest.TempPathFactory) -> pki.PKI:
    return pki.create_pki(tmp_path_factory.mktemp("pki"), hosts=["localhost"], host_cn="localhost")


@pytest.fixture
def guarded(daemons, grid: pki.PKI) -> Daemon:
    """A server with a host certificate that asks everybody for a proxy."""
    server = daemons.server(lines=secured(daemons, grid, "gsi -gridmap:/dev/null -gmapopt:10 -vomsat:0"))
    (server.store / "f").write_bytes(b"123")
    return server


def secured(daemons, grid: pki.PKI, protocol: str) -> str:
    """The lines of a server that logs nobody in but over TLS, by this protocol."""
    secure = daemons.directory("secure")
    shutil.copytree(grid.directory, secure, dirs_exist_ok=True)
    if os.geteuid() == 0:
        for path in (secure, *secure.rglob("*")):
            shutil.chown(path, "xrootd", "xrootd")
    certificate, key, authorities = secure / "hostcert.pem", secure / "hostkey.pem", secure / "certificates"
    files = f" -certdir:{authorities} -cert:{certificate} -key:{key}" if protocol.startswith("gsi") else ""
    return (
        f"xrd.tls {certificate} {key}\nxrd.tlsca certdir {authorities}\nxrootd.tls capable login\n"
        f"xrootd.seclib libXrdSec.so\nsec.protocol {protocol}{files}\n"
    )


@pytest.fixture
def ask_apart(grid: pki.PKI, tmp_path: Path, client: str) -> Client:
    def ask_apart(server: Daemon, **environment: str) -> str:
        clean = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        paths = {"X509_CERT_DIR": str(grid.ca_dir), "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", CLIENT, f"roots://localhost:{server.port}", client],
            env=clean | paths | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout + done.stderr

    return ask_apart


def test_a_proxy_opens_the_door_and_without_one_it_stays_shut(
    guarded: Daemon, ask_apart: Client, grid: pki.PKI
) -> None:
    assert ask_apart(guarded, X509_USER_PROXY=str(grid.proxy_path)).startswith("(True, [], [(b'f', 3, ")
    refused = ask_apart(guarded)
    assert refused.startswith(f"no XRootD door answers: roots://localhost:{guarded.port}: ")
    assert "Auth" in refused
    assert refused.count("\n") == 1


def test_an_expired_proxy_is_told_apart_from_a_shut_door(guarded: Daemon, ask_apart: Client, grid: pki.PKI) -> None:
    expired = grid.proxy(lifetime=-10, path=grid.directory / "expired")
    assert "expired at" in ask_apart(guarded, X509_USER_PROXY=str(expired))


@pytest.mark.parametrize("client", ["wire"])
def test_a_proxy_from_a_secret_that_a_group_may_read_opens_the_door(
    guarded: Daemon, ask_apart: Client, grid: pki.PKI, tmp_path: Path
) -> None:
    secret = tmp_path / "proxy"
    shutil.copy(grid.proxy_path, secret)
    secret.chmod(0o440)
    assert ask_apart(guarded, X509_USER_PROXY=str(secret)).startswith("(True, [], [(b'f', 3, ")


@pytest.mark.parametrize("client", ["wire"])
def test_a_token_opens_the_door_and_neither_a_forged_one_nor_none_does(
    daemons, grid: pki.PKI, ask_apart: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_library("libXrdAccSciTokens", "apt-get install xrootd-scitokens-plugins")
    issuer, cache = Issuer(), daemons.directory("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    server = daemons.server(lines=issuer.believed(cache) + secured(daemons, grid, "ztn"))
    (server.store / "f").write_bytes(b"123")
    (tmp_path / "token").write_text(issuer.token())
    (tmp_path / "token").chmod(0o440)  # as a Secret is mounted
    assert ask_apart(server, BEARER_TOKEN_FILE=str(tmp_path / "token")).startswith("(True, [], [(b'f', 3, ")
    for forged in ({"BEARER_TOKEN": Issuer().token()}, {}):
        refused = ask_apart(server, **forged)
        assert refused.startswith(f"no XRootD door answers: roots://localhost:{server.port}: ")
        assert "Auth" in refused
        assert all(token not in refused for token in forged.values())
