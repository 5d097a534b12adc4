"""Whatever is asked for, the service answers with one of its own answers, and reads nothing but the store."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from made_runs import Made, write_findings
from starlette.testclient import TestClient

from dynamo_consistency.run.store.run_directory import RunStore
from dynamo_consistency.web.app import application
from dynamo_consistency.web.guard import Access
from dynamo_consistency.web.view import open_view

SECRET = "root:x:0:0"
WORDS = (
    ".. . / %2e%2e %2f %5c \\ %00 ~ * ? # & = ' \u2028 %ff file:// http://x/ s3:// T2_X RUN etc/passwd secret.txt "
    "api v1 sites runs lists findings missing missing.csv file path static summary.json sort text state check"
)
PIECES = st.sampled_from(WORDS.split(" "))
KEYS = st.sampled_from(["text", "state", "check", "measure", "sort", "descending", "path"])
PATHS = st.lists(PIECES | st.text(max_size=4) | st.binary(max_size=3).map(quote_from_bytes), max_size=9)


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[TestClient, str]]:
    """A client, and the id of the run in its store; a file with a secret is beside the store."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "store")
        store.mkdir()
        Path(folder, "secret.txt").write_text(SECRET)
        made = Made()
        write_findings(made.write(store), "missing", [{"path": b"/store/a"}])
        with open_view(RunStore(str(store))) as view:
            client = TestClient(application(view, Access()), base_url="http://localhost")
            yield client, made.run_id


def expected(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code in (200, 400, 404, 414), (address, answer.status_code)
    assert SECRET not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@settings(max_examples=300)
@given(pieces=PATHS)
@example(pieces=["..", "/", "..", "/", "etc/passwd"])
@example(pieces=["api", "/", "v1", "/", "sites", "/", "%2e%2e%2f%2e%2e", "/", "secret.txt"])
def test_any_path_is_answered(service, pieces):
    client, run_id = service
    try:
        address = "/" + "".join(pieces).replace("RUN", run_id)
        client.build_request("GET", address)
    except Exception:  # noqa: BLE001 (what no client can send)
        return
    if "://" not in address.partition("?")[0] and not address.startswith("//"):
        expected(client, address)


@settings(max_examples=150)
@given(site=st.text(max_size=12) | PIECES, run=st.text(max_size=12) | PIECES, name=st.text(max_size=12) | PIECES)
def test_any_name_in_an_address_is_answered(service, site, run, name):
    client, run_id = service
    site, run, name = (quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe="") for text in (site, run, name))
    for address in (
        f"/api/v1/sites/{site}",
        f"/api/v1/sites/T2_X/runs/{run}",
        f"/api/v1/sites/T2_X/runs/{run_id}/findings/{name}",
        f"/api/v1/sites/T2_X/runs/{run_id}/lists/{name}",
    ):
        expected(client, address)


@settings(max_examples=200)
@given(
    value=st.binary(max_size=40),
    key=st.sampled_from(["text", "state", "check", "measure", "sort", "descending", "path"]),
)
@example(value=b"/store/' UNION SELECT * FROM read_text('/etc/passwd') --*", key="path")
@example(value=b"/" * 5000, key="path")
@example(value=b"\xff" * 4096, key="path")
@example(value=b"path; COPY", key="sort")
def test_any_value_is_answered(service, value, key):
    client, run_id = service
    for path in ("", "/T2_X", "/T2_X/file", f"/T2_X/runs/{run_id}/findings/missing"):
        expected(client, f"/api/v1/sites{path}?{key}={quote_from_bytes(value)}")


@pytest.mark.parametrize(
    "query", ["FROM read_text('/etc/passwd')", "COPY (SELECT 1) TO '/tmp/x'", "INSTALL httpfs", "ATTACH '/tmp/x.db'"]
)
def test_the_database_opens_nothing_but_the_store(view, query):
    from dynamo_consistency.web.queries.database import DamagedFileError

    with view.database.question() as question, pytest.raises(DamagedFileError):
        question.rows(query)


def test_the_door_of_the_database_stays_shut(view):
    from dynamo_consistency.web.queries.database import DamagedFileError

    with view.database.question() as question, pytest.raises(DamagedFileError, match="lock"):
        question.rows("SET enable_external_access = true")
