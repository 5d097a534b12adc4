"""A store, a view of it, and a client of the service over it, which is called in this process."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from dynamo_consistency.run.store.run_directory import RunStore
from dynamo_consistency.web.app import application
from dynamo_consistency.web.guard import Access
from dynamo_consistency.web.view import StoreView, open_view


@pytest.fixture
def store(tmp_path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


@pytest.fixture
def view(store) -> Iterator[StoreView]:
    """Of the store as it is when it is first asked."""
    with open_view(RunStore(str(store))) as view:
        yield view


class Clock:
    """Time as the test says; it begins now."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).timestamp()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(view) -> TestClient:
    return TestClient(application(view, Access()), base_url="http://127.0.0.1:8080", raise_server_exceptions=False)
