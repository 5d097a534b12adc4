"""Tokens are shown to doors over TLS, to nobody else, and are read anew when they have been renewed."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted_dav import FILES, Scripted, guarded, reply, token
from xrdclient.testing import pki

from dynamo_consistency.listers.contract import Answer, Listed
from dynamo_consistency.listers.webdav import identity
from dynamo_consistency.secrets import redact


class TestTokens:
    @pytest.fixture(autouse=True)
    def looking_often(self, trusting, monkeypatch) -> None:
        monkeypatch.setattr(identity, "LOOK_SECONDS", 0.0)

    @pytest.fixture
    def told(self, make_lister, ask) -> Callable[[Scripted], Answer]:
        return lambda server: ask(make_lister(server.url), b"/d")

    def test_a_token_is_shown_to_the_door(self, secure, make_lister, ask, trusting, monkeypatch) -> None:
        server = secure(guarded(token()))
        refused = ask(make_lister(server.url), b"/d")
        assert "401 Unauthorized, it wants a credential" in refused.reason
        monkeypatch.setenv("BEARER_TOKEN", token())
        assert ask(make_lister(server.url), b"/d") == Listed(files=FILES)

    def test_a_token_is_found_where_the_grid_keeps_it(self, secure, told, monkeypatch, tmp_path) -> None:
        (tmp_path / "file").write_text(token("file") + "\n")
        (tmp_path / "bt_u999999").write_text(token("runtime") + "\n")
        for variable, value, subject in (
            ("XDG_RUNTIME_DIR", str(tmp_path), "runtime"),
            ("BEARER_TOKEN_FILE", str(tmp_path / "file"), "file"),
            ("BEARER_TOKEN", token("environment"), "environment"),
        ):
            monkeypatch.setenv(variable, value)
            assert told(secure(guarded(token(subject)))) == Listed(files=FILES)

    def test_a_renewed_token_is_read(self, secure, make_lister, ask, monkeypatch, tmp_path) -> None:
        path = tmp_path / "token"
        monkeypatch.setenv("BEARER_TOKEN_FILE", str(path))
        path.write_text(token("first"))
        server = secure(guarded(token("first")))
        lister = make_lister(server.url)
        assert ask(lister, b"/d") == Listed(files=FILES)
        server.script = guarded(token("second"))
        assert "401" in ask(lister, b"/d").reason
        path.write_text(token("second"))
        assert ask(lister, b"/d") == Listed(files=FILES)
        path.unlink()  # somebody is just writing a new one
        assert ask(lister, b"/d") == Listed(files=FILES)

    def test_a_renewed_proxy_is_shown(self, secure, make_lister, ask, monkeypatch, trusting) -> None:
        path = trusting.directory / "renewed"
        monkeypatch.setenv("X509_USER_PROXY", str(trusting.proxy(path=path)))
        server = secure(guarded(""), client=True)
        lister = make_lister(server.url)
        assert ask(lister, b"/d") == Listed(files=FILES)
        before = server.connections
        path.write_text("half of a pro")
        assert ask(lister, b"/d") == Listed(files=FILES)
        assert server.connections == before
        trusting.proxy(lifetime=3600, path=path)
        assert ask(lister, b"/d") == Listed(files=FILES)
        assert server.connections > before

    def test_one_that_expires_in_the_middle_explains_the_refusals(self, secure, told, monkeypatch) -> None:
        monkeypatch.setenv("BEARER_TOKEN", token(ends=1000))
        answer = told(secure(guarded("other")))
        assert "401 Unauthorized" in answer.reason
        assert "the token in BEARER_TOKEN expired at 1970" in answer.reason

    def test_an_old_one_at_a_default_place_is_not_shown(self, secure, told, monkeypatch, tmp_path) -> None:
        (tmp_path / "bt_u999999").write_text(token(ends=1000))
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
        server = secure(guarded(""))
        assert told(server) == Listed(files=FILES)
        assert "authorization" not in server.seen[0].headers

    def test_the_token_stands_in_no_message(self, secure, make_lister, ask, trusting, monkeypatch) -> None:
        monkeypatch.setenv("BEARER_TOKEN", token("secret"))
        echo = secure(lambda request: reply(307, headers={"Location": "/" + request.headers["authorization"] + "/"}))
        assert token("secret") not in ask(make_lister(echo.url), b"/d").reason
        assert redact(token("secret")) == "***"


class TestWhereTheTokenGoes:
    @pytest.fixture(autouse=True)
    def token(self, monkeypatch, trusting) -> None:
        monkeypatch.setenv("BEARER_TOKEN", token())

    def test_never_without_tls_and_the_refusal_says_so(self, scripted, make_lister, ask) -> None:
        server = scripted(guarded(token()))
        assert "the token is shown over https only" in ask(make_lister(server.url), b"/d").reason
        assert "authorization" not in server.seen[0].headers

    def test_to_the_doors_host_after_a_redirection(self, secure, make_lister, ask) -> None:
        data = secure(guarded(token()))
        door = secure(lambda request: reply(307, headers={"Location": f"{data.url}{request.target}"}))
        assert ask(make_lister(door.url), b"/d") == Listed(files=FILES)

    def test_to_no_other_host_after_a_redirection(self, scripted, secure, make_lister, ask, tmp_path) -> None:
        wide = pki.create_pki(tmp_path, hosts=["127.0.0.1"], host_cn="127.0.0.1")
        os.environ["X509_CERT_DIR"] = str(_both(tmp_path / "both", os.environ["X509_CERT_DIR"], str(wide.ca_dir)))
        other = scripted(guarded(token()), context=wide.server_context(require_client=False))
        there = f"https://127.0.0.1:{other.port}"
        door = secure(lambda request: reply(307, headers={"Location": f"{there}{request.target}"}))
        answer = ask(make_lister(door.url), b"/d")
        assert f"{there}: 401" in answer.reason
        assert "only to hosts that `servers` names" in answer.reason
        assert "authorization" in door.seen[0].headers
        assert "authorization" not in other.seen[0].headers
        assert [file.name for file in ask(make_lister(there), b"/d").files] == [b"f"]

    def test_a_redirection_out_of_tls_is_refused(self, scripted, secure, make_lister, ask) -> None:
        plain = scripted(guarded(""))
        door = secure(lambda request: reply(307, headers={"Location": f"{plain.url}{request.target}"}))
        answer = ask(make_lister(door.url), b"/d")
        assert "which is not safe: it has no TLS" in answer.reason
        assert not answer.retry
        assert plain.seen == []


def _both(directory: Path, *authorities: str) -> Path:
    for each in authorities:
        shutil.copytree(each, directory, dirs_exist_ok=True)
    return directory
