"""In a cluster the pages show next run and queue, as the resources say; an API server that fails costs no page."""

import http.server
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from made_runs import Made

from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.run.store.run_directory import RunStore
from dynamo_consistency.web.resources import PAUSE, Resources
from dynamo_consistency.web.view import open_view

DUE = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
QUEUED = {"type": "Running", "status": "True", "reason": "Queued", "message": "20 runs are on, which is the limit"}


class Server:
    """An API server that answers one question; `answer`: status and content."""

    def __init__(self) -> None:
        self.answer: tuple[int, bytes] = (200, b"{}")
        self.asked: list[tuple[str, str]] = []

    def checks(self, **status: object) -> None:
        resource = {"metadata": {"namespace": "grid", "name": "t2-x"}, "status": status}
        self.answer = 200, json.dumps({"items": [resource]}).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append((self.path, self.headers["Authorization"]))
            status, content = state.answer
            self.send_response(status)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        state.url = f"http://127.0.0.1:{listening.server_port}"
        yield state
        listening.shutdown()


@pytest.fixture
def account(tmp_path) -> Path:
    folder = tmp_path / "account"
    folder.mkdir()
    (folder / "namespace").write_text("grid")
    (folder / "token").write_text("first\n")
    return folder


@pytest.fixture
def resources(server, account, clock) -> Resources:
    return Resources(server.url, account, clock)


def row_with(store, resources):
    with open_view(RunStore(str(store)), resources) as view:
        page = view.sites()
        assert view.site("T2_X").row.doing == page.rows[0].doing
        return page.rows[0], [problem.message for problem in page.problems]


def test_the_next_run_and_what_the_one_that_is_on_waits_for_are_those_of_the_resource(store, server, resources):
    Made(namespace="grid", start=datetime.now(UTC) - timedelta(days=4), schedule="0 3 * * *").write(store)
    server.checks(nextRunTime=DUE.isoformat().replace("+00:00", "Z"), run={"id": "1"}, conditions=[QUEUED])
    row, problems = row_with(store, resources)
    assert (row.next_due, row.doing) == (DUE, "Queued: 20 runs are on, which is the limit")
    assert problems == []
    path = "/apis/consistency.dynamo.io/v1alpha1/namespaces/grid/siteconsistencychecks"
    assert server.asked[0] == (path, "Bearer first")


def test_a_check_that_is_suspended_now_is_not_overdue(store, server, resources):
    Made(namespace="grid", start=datetime.now(UTC) - timedelta(days=4), schedule="0 3 * * *").write(store)
    server.checks()
    row, _ = row_with(store, resources)
    assert (row.state, row.next_due, row.doing) == ("Quiet", None, None)


def test_a_check_of_the_command_line_is_as_without_a_cluster(store, server, resources):
    Made(start=datetime.now(UTC) - timedelta(days=4), schedule="0 3 * * *").write(store)
    server.checks(nextRunTime=DUE.isoformat())
    assert row_with(store, resources)[0].state == "Overdue"


@pytest.mark.parametrize(
    "answer",
    [
        (403, b"forbidden"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"items": [{}]}'),
        (200, b'{"items": [{"metadata": {"namespace": "n", "name": "x"}, "status": {"nextRunTime": "soon"}}]}'),
    ],
)
def test_an_answer_that_means_nothing_is_told_and_the_page_is_shown(store, server, resources, answer):
    Made(namespace="grid").write(store)
    server.answer = answer
    row, problems = row_with(store, resources)
    assert row.state == "Quiet"
    assert [problem.partition(":")[0] for problem in problems] == ["the resources of the cluster are not known now"]


def test_after_a_failure_it_is_asked_again_in_a_minute(server, resources, clock):
    server.answer = 500, b""
    for _ in range(5):
        assert resources.known() == {}
    assert len(server.asked) == 1
    server.checks(nextRunTime=DUE.isoformat())
    clock.now += PAUSE + 1
    assert resources.known()["grid/t2-x"].next_run == DUE
    assert resources.problem == ""


def test_a_token_that_was_renewed_is_used(server, resources, account, clock):
    server.checks()
    resources.known()
    (account / "token").write_text("second")
    clock.now += 60
    resources.known()
    assert [token for _, token in server.asked] == ["Bearer first", "Bearer second"]


def test_outside_of_a_pod_it_is_refused(monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ConfigurationError, match="for a pod whose account has a token"):
        Resources.of_this_pod()
