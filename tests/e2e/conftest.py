"""A real control plane, a node, the operator as `deploy/` has it, and a site with an inventory that has drifted."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mariadb_server
import pytest
import yaml
from checks import Checks
from cluster import named, sandbox
from cluster.api import Api, path_of
from cluster.control_plane import ControlPlane, running
from cluster.named import NamedCluster
from cluster.played_node import PlayedNode
from cluster.processes import wait_until
from cluster.programs import ProgramsMissingError
from cluster.run import LOGS
from cluster.volumes import make_claim
from deployment import CLAIM, in_ci, install, operator_container
from dynamo_laboratory import Laboratory
from dynamo_world import Server, World, empty_worlds
from operator_process import Operator
from required_programs import require_programs
from xrootd_daemon import Daemons

SECRET = "consistency-backends"
_numbers = itertools.count(1)


WITHOUT_NODES = ("test_agreement", "test_job_policy", "test_resource_definition", "test_rights")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if named.kubeconfig() and item.path.stem not in WITHOUT_NODES:
            item.add_marker(pytest.mark.skip(reason=f"needs nodes of its own, not those of {named.KUBECONFIG}"))


@pytest.fixture(scope="session")
def plane(worker_id: str) -> Iterator[ControlPlane]:
    """Its logs, and those of the operators and pods, are in .pytest_cache/e2e-logs afterwards."""
    try:
        config = named.kubeconfig()
        make = (lambda folder, ip: NamedCluster(folder, config)) if config else ControlPlane
        with running(LOGS / worker_id, sandbox.ip() or "127.0.0.1", make) as plane:
            yield plane
    except named.UnfitClusterError as error:
        pytest.exit(str(error), returncode=2)
    except ProgramsMissingError as error:
        (pytest.fail if in_ci() else pytest.skip)(str(error))


@pytest.fixture(scope="session")
def api(plane: ControlPlane) -> Api:
    return plane.api


@pytest.fixture(scope="session")
def installed(plane: ControlPlane) -> list[dict[str, Any]]:
    """deploy/ is in the cluster, without the operator's pod; its objects."""
    return install(plane)


@pytest.fixture(scope="session")
def shared_node(plane: ControlPlane) -> Iterator[PlayedNode]:
    with PlayedNode(plane) as node:
        yield node
        assert node.errors == []


@pytest.fixture
def node(shared_node: PlayedNode) -> Iterator[PlayedNode]:
    """Where pods run; nothing is held when the test ends."""
    yield shared_node
    shared_node.behave()


@pytest.fixture
def namespace(plane: ControlPlane, installed: list[dict[str, Any]]) -> Iterator[str]:
    """An empty namespace; whatever a test leaves in it goes with it."""
    name = plane.namespace(f"test-{next(_numbers)}")
    yield name
    for check in plane.api.items(path_of("SiteConsistencyCheck", name)):
        plane.api.delete(path_of("SiteConsistencyCheck", name, check["metadata"]["name"]), propagation="Foreground")
    plane.api.delete(path_of("Namespace", name=name))


@pytest.fixture
def workspace(plane: ControlPlane, shared_node: PlayedNode, namespace: str) -> str:
    """A namespace in which checks can run: with the claim for the run directories and the workers' account."""
    make_claim(plane.api, shared_node.claims / namespace / CLAIM, namespace, CLAIM)
    plane.api.create(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "consistency-worker"}}, namespace
    )
    return namespace


@pytest.fixture
def backends(plane: ControlPlane, workspace: str, tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Puts backends.yaml into the Secret of the workspace, and beside the operator."""

    def write(content: dict[str, Any]) -> Path:
        path = tmp_path / "backends.yaml"
        path.write_text(yaml.safe_dump({"backends": content}))
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}}
        plane.api.create({**secret, "stringData": {"backends.yaml": path.read_text()}}, workspace)
        return path

    return write


@pytest.fixture
def make_operator(
    plane: ControlPlane, installed: list[dict[str, Any]], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[Path], Operator]]:
    """Makes operators that are not started yet, and ends them."""
    made: list[Operator] = []

    def make(backends: Path) -> Operator:
        made.append(Operator(plane, tmp_path / f"operator-{len(made)}", operator_container(installed), backends))
        return made[-1]

    yield make
    LOGS.mkdir(parents=True, exist_ok=True)
    for number, operator in enumerate(made):
        operator.close()
        if (log := operator.processes.log("operator")).exists():
            shutil.copy(log, LOGS / f"{request.node.name}-operator-{number}.log")


@pytest.fixture
def checks(api: Api, workspace: str) -> Checks:
    """What people do to the checks of the workspace."""
    return Checks(api, workspace)


@pytest.fixture(scope="session")
def doors() -> Iterator[Daemons]:
    require_programs("xrootd", install="apt-get install xrootd-server xrootd-client")
    daemons = Daemons()
    yield daemons
    daemons.close()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Server]:
    with mariadb_server.running() as server:
        yield server


@pytest.fixture
def make_world(mariadb: Server) -> Iterator[Callable[..., World]]:
    """Makes empty databases of Dynamo, see `empty_worlds`."""
    with empty_worlds(mariadb) as make:
        yield make


@pytest.fixture
def laboratory(make_world: Callable[..., World], doors: Daemons) -> Laboratory:
    return Laboratory(make_world("master"), doors.server(f"door-{next(_numbers)}"))


@pytest.fixture
def a_check() -> Callable[..., dict[str, Any]]:
    """A check that nobody will run: it has no schedule, and its site does not exist."""

    def make(name: str, **spec: Any) -> dict[str, Any]:
        listing = {"source": {"posix": {"prefix": "/nowhere"}}, "roots": [{"path": "/store"}]}
        return {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": name},
            "spec": {"site": "T2_XX_Nowhere", "listing": listing, **spec},
        }

    return make


@pytest.fixture
def eventually() -> Callable[..., Any]:
    return wait_until
