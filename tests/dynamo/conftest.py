"""Dynamo's databases: on SQLite, and on a real MariaDB that the tests share."""

from collections.abc import Callable, Iterator

import mariadb_server
import pytest
from dynamo_world import Server, World, empty_worlds


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Server]:
    with mariadb_server.running() as server:
        yield server


@pytest.fixture
def make_world(mariadb) -> Iterator[Callable[..., World]]:
    """Makes empty databases, see `empty_worlds`."""
    with empty_worlds(mariadb) as make:
        yield make


@pytest.fixture
def embedded(tmp_path) -> World:
    """Our own databases on SQLite."""
    world = World(f"sqlite:///{tmp_path}/inventory.sqlite")
    world.backend().init()
    return world


@pytest.fixture(params=["sqlite", pytest.param("ours", marks=pytest.mark.mariadb)])
def own_world(request) -> World:
    """Our own databases on SQLite and on MariaDB."""
    if request.param == "sqlite":
        return request.getfixturevalue("embedded")
    return request.getfixturevalue("make_world")("ours")


@pytest.fixture(
    params=["sqlite", *(pytest.param(name, marks=pytest.mark.mariadb) for name in ("master", "innodb", "ours"))]
)
def world(request) -> World:
    """Databases of v2.2 and later, of every kind."""
    if request.param == "sqlite":
        return request.getfixturevalue("embedded")
    return request.getfixturevalue("make_world")(request.param)
