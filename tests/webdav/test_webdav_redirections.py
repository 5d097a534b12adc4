"""Where doors may send us: to the same directory at another server."""

import logging

import pytest
from scripted_dav import FILES, here, of, reply

from dynamo_consistency.listers.contract import Failed, Listed


class TestRedirections:
    """Doors may send us to servers that have the data."""

    @staticmethod
    def to(location: str, status: int = 307) -> bytes:
        return reply(status, headers={"Location": location})

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_a_redirection_is_followed_with_the_same_question(self, scripted, make_lister, ask, status: int) -> None:
        data = scripted(lambda request: of(request.target.partition("?")[0]))
        door = scripted(lambda request: self.to(f"{data.url}/pool/7{request.target}?sig=a%2Fb&x=1", status))
        assert ask(make_lister(door.url), b"/d e") == Listed(files=FILES)
        [request] = data.seen
        assert request.target == "/pool/7/d%20e/?sig=a%2Fb&x=1"
        assert (request.method, request.headers["depth"]) == ("PROPFIND", "1")
        assert request.body == door.seen[0].body

    def test_a_path_alone_leads_to_the_same_server(self, scripted, make_lister, ask) -> None:
        server = scripted(lambda request: of("/d/") if request.target == "/d/" else self.to("/d/"))
        lister = make_lister(server.url, prefix="/x")
        assert ask(lister, b"/d") == Listed(files=FILES)

    @pytest.mark.parametrize(
        "location",
        [
            "/other/",
            "/",
            "/d/e/",
            "/login",
            "/dd/",
            "",
            "ftp://x/d/",
            "http://me@x/d/",
            "http://[/d/",
            "http://x:99999/d/",
        ],
    )
    def test_where_something_else_would_be_listed_is_refused(self, scripted, make_lister, ask, location: str) -> None:
        answer = ask(make_lister(scripted(self.to(location)).url), b"/d")
        assert isinstance(answer, Failed)
        assert "redirects" in answer.reason
        assert not answer.retry

    def test_the_top_of_the_site_is_recognised_by_its_path(self, scripted, make_lister, ask) -> None:
        data = scripted(here)
        door = scripted(lambda request: self.to(f"{data.url}{request.target}"))
        assert ask(make_lister(door.url, prefix="/x"), b"/") == Listed(files=FILES)
        assert isinstance(ask(make_lister(scripted(self.to(f"{data.url}/y/")).url, prefix="/x"), b"/"), Failed)

    def test_a_circle_is_noticed(self, scripted, make_lister, ask) -> None:
        server = scripted(lambda request: self.to("/a/d/" if request.target == "/d/" else "/d/"))
        answer = ask(make_lister(server.url), b"/d")
        assert isinstance(answer, Failed)
        assert "redirects too often, or in a circle" in answer.reason
        assert len(server.seen) == 2

    def test_redirections_without_end_are_given_up(self, scripted, make_lister, ask) -> None:
        server = scripted(lambda request: self.to(f"/x{request.target}"))
        assert "redirects too often" in ask(make_lister(server.url), b"/d").reason
        assert len(server.seen) == 6

    def test_a_data_server_that_cannot_be_reached_is_not_the_doors_fault(
        self, scripted, make_lister, ask, closed_door
    ) -> None:
        door = scripted(lambda request: here(request) if request.target == "/e/" else self.to(f"{closed_door}/d/"))
        lister = make_lister(door.url, timeout=3)
        answer = ask(lister, b"/d")
        assert isinstance(answer, Failed)
        assert answer.retry
        assert answer.reason.startswith(closed_door)
        assert ask(lister, b"/e") == Listed(files=FILES)

    def test_a_redirection_that_asks_for_another_method_is_refused(self, scripted, make_lister, ask) -> None:
        answer = ask(make_lister(scripted(self.to("/d/", 303)).url), b"/d")
        assert "303 See Other; a listing has the status 207" in answer.reason

    def test_the_query_of_a_redirection_is_never_shown(self, scripted, make_lister, ask, caplog) -> None:
        caplog.set_level(logging.DEBUG)
        data = scripted(reply(403))
        door = scripted(self.to(f"{data.url}/d/?authz=SECRET"))
        assert "SECRET" not in ask(make_lister(door.url), b"/d").reason
        assert "SECRET" in data.seen[0].target
        assert "SECRET" not in caplog.text
