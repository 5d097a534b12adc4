"""WebDAV servers, and short ways to ask a lister."""

import itertools
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from asking_listers import ask_lister, walk_from
from required_programs import require_programs
from scripted_dav import Request, Said, Scripted
from webdav_servers import APACHE, MODULES, Apache, WebServer, XRootDHttp
from xrdclient.testing import pki

from dynamo_consistency.listers.contract import Answer
from dynamo_consistency.listers.walk import Visit
from dynamo_consistency.listers.webdav import WebDavLister

CREDENTIALS = ("X509_USER_PROXY", "X509_USER_CERT", "X509_USER_KEY", "X509_CERT_DIR", "XDG_RUNTIME_DIR")
TOKENS = ("BEARER_TOKEN", "BEARER_TOKEN_FILE")


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nobody has the number 999999, nor files at its default places."""
    tmp_path_factory.getbasetemp()  # pytest looks for its own directory by our true number
    for name in CREDENTIALS + TOKENS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 999_999)


def _require(kind: str) -> type[WebServer]:
    if kind == "xrootd":
        require_programs("xrootd", install="apt-get install xrootd-server xrootd-server-plugins")
        return XRootDHttp
    require_programs(APACHE, install="apt-get install apache2-bin")
    assert MODULES.is_dir(), f"apache2 has no modules at {MODULES}"
    return Apache


@pytest.fixture(scope="session")
def shared_servers() -> Iterator[Callable[[str], WebServer]]:
    """A server of each kind that all tests share."""
    running: dict[str, WebServer] = {}

    def server(kind: str) -> WebServer:
        if kind not in running:
            running[kind] = _require(kind)()
            running[kind].start()
        return running[kind]

    yield server
    for each in running.values():
        each.remove()


@pytest.fixture(params=["apache", "xrootd"])
def server(request: pytest.FixtureRequest, shared_servers) -> WebServer:
    return shared_servers(request.param)


@pytest.fixture
def start_server() -> Iterator[Callable[..., WebServer]]:
    """A server of one test: start_server("apache", lines)."""
    started: list[WebServer] = []

    def start(kind: str, lines: str = "", prepare: Callable[[Path], None] | None = None) -> WebServer:
        started.append(_require(kind)(lines))
        if prepare is not None:
            prepare(started[-1].base)
        return started[-1].start()

    yield start
    for each in started:
        each.remove()


_numbers = itertools.count()


class Site:
    """A directory below /store of a server, empty at first; `lfn` is its name."""

    def __init__(self, server: WebServer) -> None:
        name = f"t{next(_numbers)}"
        self.server = server
        self.lfn = f"/store/{name}".encode()
        self.path = server.site / "store" / name
        self.path.mkdir()


@pytest.fixture
def site(server: WebServer) -> Site:
    return Site(server)


@pytest.fixture
def make_lister() -> Iterator[Callable[..., WebDavLister]]:
    made: list[WebDavLister] = []

    def make(*servers: str, prefix: str = "", timeout: int = 10, concurrency: int = 4) -> WebDavLister:
        made.append(WebDavLister(servers, prefix, timeout=timeout, concurrency=concurrency))
        return made[-1]

    yield make
    for lister in made:
        lister.close()


@pytest.fixture
def ask() -> Callable[..., Answer]:
    return ask_lister


@pytest.fixture
def listed_from(site: Site, make_lister: Callable[..., WebDavLister]) -> Callable[..., Answer]:
    """What the lister says about the site, or about a directory in it."""
    return lambda below=b"": ask_lister(make_lister(site.server.url), site.lfn + below)


@pytest.fixture
def scripted() -> Iterator[Callable[..., Scripted]]:
    """Starts a server that answers as its script says, or with the same bytes each time."""
    with ExitStack() as stack:

        def start(script: Callable[[Request], Said] | bytes, **options: object) -> Scripted:
            answer = script if callable(script) else lambda _: script
            return stack.enter_context(Scripted(answer, **options))

        yield start


@pytest.fixture
def told(scripted, make_lister) -> Callable[..., Answer]:
    """What the lister makes of an answer about /d, of bytes or of a script."""

    def told(script: Callable[[Request], Said] | bytes, directory: bytes = b"/d", **options: object) -> Answer:
        return ask_lister(make_lister(scripted(script).url, **options), directory)

    return told


@pytest.fixture
def walk() -> Callable[..., list[Visit]]:
    """All visits of a walk from one root."""
    return walk_from


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A door that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def closed_door() -> str:
    """A door where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="session")
def grid(tmp_path_factory: pytest.TempPathFactory) -> pki.PKI:
    return pki.create_pki(tmp_path_factory.mktemp("pki"), hosts=["localhost"], host_cn="localhost")


@pytest.fixture
def trusting(grid: pki.PKI, monkeypatch: pytest.MonkeyPatch) -> pki.PKI:
    monkeypatch.setenv("X509_CERT_DIR", str(grid.ca_dir))
    return grid


@pytest.fixture
def secure(scripted, grid: pki.PKI) -> Callable[..., Scripted]:
    """A scripted server with the host certificate; `client`: it wants a certificate or proxy."""

    def start(script: Callable[[Request], bytes], client: bool = False) -> Scripted:
        return scripted(script, context=grid.server_context(require_client=client))

    return start
