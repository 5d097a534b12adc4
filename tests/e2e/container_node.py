"""A cluster of its own whose only node runs containers."""

import contextlib
from collections.abc import Iterator

import pytest
from cluster import real_node, sandbox
from cluster.control_plane import running
from cluster.real_node import RealNode
from cluster.run import LOGS


@contextlib.contextmanager
def node_with_containers(name: str) -> Iterator[RealNode]:
    """A cluster of its own with one real node; its logs are in the folder `name` of the others."""
    if reason := real_node.missing():
        pytest.skip(reason)
    with running(LOGS / name, str(sandbox.ip())) as plane:
        node = RealNode(plane)
        node.start()
        yield node
