"""Who may ask in which way, and what browsers may do with the answer."""

import pytest
from made_runs import Made
from starlette.testclient import TestClient

from dynamo_consistency.web.app import application
from dynamo_consistency.web.guard import Access


@pytest.fixture
def client_with(view, store):
    """A client of the service with these settings of its guard, called by this address."""
    Made().write(store)

    def client(address: str = "http://127.0.0.1:8080", **settings) -> TestClient:
        return TestClient(application(view, Access(**settings)), base_url=address, raise_server_exceptions=False)

    return client


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8080", "localhost", "localhost:8080", "LOCALHOST", "[::1]:8080", "10.0.0.7"]
)
def test_addresses_and_localhost_are_known(client_with, host):
    assert client_with().get("/api/v1/sites", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "localhost:x", "a@localhost", "[::1"],
)
def test_a_foreign_name_is_refused_wherever_it_leads(client_with, host):
    for path in ("/api/v1/sites", "/metrics", "/", "/nix"):
        answer = client_with().get(path, headers={"host": host})
        assert (answer.status_code, "T2_X" in answer.text) == (421, False)


def test_two_hosts_are_none(client_with):
    answer = client_with().get("/api/v1/sites", headers=[("host", "localhost"), ("host", "evil.example")])
    assert answer.status_code == 421


def test_a_name_that_was_given_is_known(client_with):
    client = client_with("https://consistency.example.org", host_names=("Consistency.example.org",))
    assert client.get("/api/v1/sites").status_code == 200
    assert client_with("https://other.example.org", host_names=("*",)).get("/api/v1/sites").status_code == 200


def test_a_probe_may_call_it_by_any_name(client_with):
    assert client_with().get("/healthz", headers={"host": "pod-7.grid"}).text == "ok\n"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_nothing_can_be_changed(client_with, method):
    answer = client_with().request(method, "/api/v1/sites")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_a_request_with_content_is_refused(client_with):
    assert client_with().request("GET", "/api/v1/sites", content=b"x" * 10).status_code == 413
    assert client_with().request("GET", "/api/v1/sites", content=iter([b"x"])).status_code == 413


def test_an_address_of_many_kilobytes_is_refused(client_with):
    assert client_with().get("/api/v1/sites?text=" + "x" * 20_000).status_code == 414


def test_a_query_of_many_fields_is_refused(client_with):
    assert client_with().get("/api/v1/sites?" + "a=1&" * 100).status_code == 400


@pytest.mark.parametrize("path", ["/api/v1/sites", "/healthz", "/metrics", "/nix", "/api/v1/sites/T2_Y"])
def test_every_answer_tells_browsers_to_be_strict(client_with, path):
    headers = client_with().get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in headers


def test_a_refusal_has_the_same_headers(client_with):
    assert "content-security-policy" in client_with().post("/").headers


def test_a_long_answer_is_packed_for_who_can_unpack_it(client_with):
    address = "/api/v1/openapi.json"
    answer = client_with().get(address)
    assert (answer.headers["content-encoding"], answer.json()["openapi"]) == ("gzip", "3.1.0")
    assert "content-encoding" not in client_with().get(address, headers={"accept-encoding": "identity"}).headers
    assert "content-encoding" not in client_with().get("/healthz").headers


def test_a_proxy_may_take_its_prefix_away_or_not(client_with):
    client = client_with(root_path="/consistency")
    assert client.get("/consistency/api/v1/sites").status_code == 200
    assert client.get("/api/v1/sites").status_code == 200
    assert client.get("/consistency/healthz").status_code == 200
    assert client.get("/consistencyapi/v1/sites").status_code == 404


def test_headers_of_a_proxy_mean_nothing_unless_that_was_said(client_with):
    headers = {"x-forwarded-prefix": "/evil", "x-forwarded-host": "evil.example", "x-forwarded-user": "root"}
    answer = client_with().get("/api/v1/sites", headers=headers)
    assert answer.status_code == 200
    assert "evil" not in answer.text


def test_an_error_is_a_sentence_in_json_for_programs(client_with):
    answer = client_with().get("/api/v1/sites/T2_Y")
    assert (answer.status_code, answer.json()) == (404, {"error": "the store has no runs of a site of this name"})
    answer = client_with().get("/api/v1/sites?state=Bored")
    assert (answer.status_code, "state must be one of Failed," in answer.json()["error"]) == (400, True)


def test_what_nobody_has_foreseen_is_not_told(view, store, monkeypatch):
    def fail(*_):
        raise RuntimeError("secret-of-the-inside")

    monkeypatch.setattr(view, "sites", fail)
    client = TestClient(application(view, Access()), base_url="http://localhost", raise_server_exceptions=False)
    answer = client.get("/api/v1/sites")
    assert (answer.status_code, "secret" in answer.text) == (500, False)
    assert "content-security-policy" in answer.headers


def test_who_asks_is_told_to_pages_only_where_a_proxy_is_trusted(view):
    seen = []

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        pass

    async def app(scope, receive, send):
        seen.append(scope["state"]["user"])

    import anyio

    from dynamo_consistency.web.guard import Guard

    for header, value in ((None, b"ada"), ("X-User", b"ada"), ("X-User", b"a\xff<b>" + b"x" * 100)):
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": [(b"host", b"localhost"), (b"x-user", value)],
        }
        anyio.run(Guard(app, Access(user_header=header)), scope, receive, send)
    assert seen[:2] == [None, "ada"]
    assert (seen[2][:8], len(seen[2])) == ("a\\xff<b>", 64)
