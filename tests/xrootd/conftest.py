"""Real XRootD servers, and short ways to ask a lister."""

import itertools
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from asking_listers import ask_lister, walk_from
from required_programs import require_programs
from xrdclient.testing import FakeServer
from xrootd_daemon import Daemon, Daemons

from dynamo_consistency.listers.contract import Answer
from dynamo_consistency.listers.walk import Visit
from dynamo_consistency.listers.xrootd import XRootDLister
from dynamo_consistency.listers.xrootd.lister import Client

CREDENTIALS = ("X509_USER_PROXY", "BEARER_TOKEN", "BEARER_TOKEN_FILE", "XDG_RUNTIME_DIR")


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)


def _make_daemons() -> Iterator[Daemons]:
    require_programs("xrootd", "cmsd", install="apt-get install xrootd-server xrootd-client")
    daemons = Daemons()
    yield daemons
    daemons.close()


@pytest.fixture(scope="session")
def server() -> Iterator[Daemon]:
    """A server that all tests share; each has a directory of its own in it (`site`)."""
    daemons = _make_daemons()
    yield next(daemons).server()
    next(daemons, None)


@pytest.fixture
def daemons() -> Iterator[Daemons]:
    """Daemons of one test, which may kill them."""
    yield from _make_daemons()


_numbers = itertools.count()


class Site:
    """A directory below /store of a server, empty at first; `lfn` is its name."""

    def __init__(self, server: Daemon, name: str) -> None:
        self.server = server
        self.lfn = f"/store/{name}".encode()
        self.path = server.store / name
        self.path.mkdir()


@pytest.fixture
def site(server: Daemon) -> Site:
    return Site(server, f"t{next(_numbers)}")


@pytest.fixture(params=["wire", "bindings"])
def client(request: pytest.FixtureRequest) -> str:
    """What speaks the protocol: both must do what a test says, unless it asks for one of them."""
    return str(request.param)


@pytest.fixture
def make_lister(client: Client) -> Iterator[Callable[..., XRootDLister]]:
    made: list[XRootDLister] = []

    def make(*servers: str, prefix: str = "", timeout: int = 10) -> XRootDLister:
        made.append(XRootDLister(servers, prefix, client=client, timeout=timeout))
        return made[-1]

    yield make
    for lister in made:
        lister.close()


@pytest.fixture
def ask() -> Callable[..., Answer]:
    return ask_lister


@pytest.fixture
def listing(site: Site, make_lister: Callable[..., XRootDLister]) -> Callable[..., Answer]:
    """What the lister says about the site, or about a directory in it."""
    return lambda below=b"": ask_lister(make_lister(site.server.url), site.lfn + below)


@pytest.fixture
def walk() -> Callable[..., list[Visit]]:
    """All visits of a walk from one root."""
    return walk_from


@pytest.fixture
def make_tree() -> Callable[[Path, int, int], dict[bytes, int]]:
    """Directories with files below a path; returns relative name and size of every file."""

    def make(base: Path, directories: int, files: int) -> dict[bytes, int]:
        made = {}
        for i, j in itertools.product(range(directories), range(files)):
            file = base / f"d{i:03d}" / f"e{i % 7}" / f"f{j}.root"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x" * (i + j))
            made[str(file.relative_to(base)).encode()] = i + j
        return made

    return make


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    """A server that can be told to answer anything, in the protocol's own bytes."""
    with FakeServer(dirs=["/store/x"]) as server:
        yield server


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A door that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"root://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def closed_door() -> str:
    """A door where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"root://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def lister(fake: FakeServer, make_lister: Callable[..., XRootDLister]) -> XRootDLister:
    """Of the played server."""
    return make_lister(str(fake.url), timeout=5)
