"""Stores behind fsspec that do not answer: that is never taken for "not there"."""

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.store.remote_storage import RemoteStorage


class Away(MemoryFileSystem):
    """A store whose server does not answer."""

    protocol = "away"

    def info(self, path, **kwargs):
        raise ConnectionError("no route to host")


@pytest.fixture(scope="module", autouse=True)
def known():
    fsspec.register_implementation("away", Away, clobber=True)


def test_a_store_that_does_not_answer_is_no_store_without_the_file():
    """Else a run would be superseded by none, and limits would forget what was asked for."""
    with pytest.raises(ConsistencyError, match="cannot be used: no route to host"):
        RemoteStorage("away://store/T2_X/1").exists("summary.json")


def test_what_is_not_there_is_not_there():
    assert not RemoteStorage("memory://store/T2_X/1").exists("summary.json")
