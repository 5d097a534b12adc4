"""How a client proves who it is: tokens and certificates, from where they are found, and no credential in any error."""

import logging
import os
import subprocess

import pytest
from required_programs import require_programs
from rucio_door import TOKEN, Door, answering, client, saying

from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did
from dynamo_consistency.backend.rucio.rest.client import AnswerError
from dynamo_consistency.errors import BackendError, ConfigurationError


class TestTokens:
    def test_one_is_fetched_where_tokens_are_given_and_used_as_long_as_it_is_taken(self, door, tmp_path):
        (tmp_path / "password").write_text("s3cret-password\n")
        door.always["/rses"] = answering({"id": "1"})
        with Door() as giver:
            giver.always["/auth/userpass"] = answering(b"", **{"X-Rucio-Auth-Token": TOKEN})
            proof = {"auth": "userpass", "username": "ddmlab", "passwordFile": str(tmp_path / "password")}
            asking = client(door.url, authUrl=giver.url, **proof)
            asking.rse("A")
            asking.rse("B")
            ((_, _, headers, _),) = giver.seen
        names = ("X-Rucio-Account", "X-Rucio-Username", "X-Rucio-Password")
        assert [headers[name] for name in names] == ["root", "ddmlab", "s3cret-password"]
        assert [request.headers["X-Rucio-Auth-Token"] for request in door.seen] == [TOKEN, TOKEN]

    def test_one_that_has_expired_in_mid_session_is_renewed_once(self, door, with_token, token_file):
        door.always["/rses"] = answering({"id": "1"})
        assert with_token.rse("A")["id"] == "1"

        def expired(request, forward):
            door.always["/rses"] = answering({"id": "2"})
            return saying(401, "CannotAuthenticate", "expired")(request, forward)

        door.always["/rses"] = expired
        token_file.write_text("a-new-token-for-the-next-hour\n")
        assert with_token.rse("A")["id"] == "2"
        assert [request.headers["X-Rucio-Auth-Token"] for request in door.seen] == [
            TOKEN,
            TOKEN,
            "a-new-token-for-the-next-hour",
        ]

    def test_one_that_was_just_fetched_and_is_not_taken_is_an_error(self, door, with_token):
        door.always["/rses"] = saying(401, "CannotAuthenticate", f"Cannot authenticate with {TOKEN}")
        for _ in range(2):
            with pytest.raises(AnswerError, match="are its credentials valid") as raised:
                with_token.rse("A")
            assert TOKEN not in str(raised.value)
        assert len(door.seen) == 3, "the second time it was renewed, once"

    def test_a_right_that_is_lacking_needs_no_new_token(self, door, with_token):
        door.always["/rses"] = answering({"id": "1"})
        with_token.rse("A")
        door.always["/replicas/bad"] = saying(401, "AccessDenied", "Account root can not declare bad replicas")
        with pytest.raises(AnswerError, match="give the account root the right"):
            with_token.declare_bad("1", [Did("s", "f")], "because")
        assert len(door.seen) == 2

    @pytest.mark.parametrize("variable", ["BEARER_TOKEN", "BEARER_TOKEN_FILE", "XDG_RUNTIME_DIR"])
    def test_one_is_found_as_everywhere_on_the_grid(self, door, tmp_path, monkeypatch, variable):
        for name in ("BEARER_TOKEN", "BEARER_TOKEN_FILE", "XDG_RUNTIME_DIR"):
            monkeypatch.delenv(name, raising=False)
        file = tmp_path / f"bt_u{os.geteuid()}"
        file.write_text(f"{TOKEN}\n")
        values = {"BEARER_TOKEN": TOKEN, "BEARER_TOKEN_FILE": str(file), "XDG_RUNTIME_DIR": str(tmp_path)}
        monkeypatch.setenv(variable, values[variable])
        door.always["/rses"] = answering({"id": "1"})
        client(door.url, auth="token").rse("A")
        assert door.seen[0].headers["X-Rucio-Auth-Token"] == TOKEN

    def test_an_answer_without_one_is_an_error(self, door, tmp_path):
        (tmp_path / "password").write_text("s3cret-password\n")
        door.always["/auth"] = answering(b"")
        asking = client(door.url, auth="userpass", username="u", passwordFile=str(tmp_path / "password"))
        with pytest.raises(BackendError, match="there is no token in its answer"):
            asking.rse("A")

    @pytest.mark.parametrize("secret", ["tok\ten-日本語", "tok\nen", "e30.eyJleHAiOjF9.e30"])
    def test_one_that_is_none_or_has_expired_is_told_and_not_shown(self, door, monkeypatch, secret):
        monkeypatch.setenv("BEARER_TOKEN", secret)
        with pytest.raises(ConfigurationError, match=r"the token in BEARER_TOKEN .*: renew it") as raised:
            client(door.url, auth="token").rse("A")
        assert secret not in str(raised.value)
        assert door.seen == []

    def test_a_password_that_http_cannot_carry_is_told_and_not_shown(self, door, tmp_path):
        (tmp_path / "password").write_text("pass-日本語\n")
        proof = {"auth": "userpass", "username": "u", "passwordFile": str(tmp_path / "password")}
        with pytest.raises(ConfigurationError, match="a character that HTTP cannot carry") as raised:
            client(door.url, **proof).rse("A")
        assert "日本語" not in str(raised.value)
        assert raised.value.__cause__ is None

    def test_none_is_shown_whatever_happens(self, door, with_token, caplog):
        caplog.set_level(logging.DEBUG)
        door.always["/rses"] = saying(500, "Broken", f"could not read {TOKEN} of root")
        with pytest.raises(AnswerError) as raised:
            with_token.rse("A")
        assert TOKEN not in str(raised.value)
        assert "could not read ***" in str(raised.value)
        assert TOKEN not in caplog.text


class TestCertificates:
    @pytest.fixture
    def files(self, tmp_path):
        require_programs("openssl", install="apt-get install openssl")
        for name in ("server", "client"):
            subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
            where = ["-keyout", tmp_path / f"{name}.key", "-out", tmp_path / f"{name}.pem"]
            make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
            subprocess.run([*make, *subject, *where, "-days", "2"], check=True, capture_output=True)
        proxy = (tmp_path / "client.pem").read_text() + (tmp_path / "client.key").read_text()
        (tmp_path / "proxy").write_text(proxy)
        return tmp_path

    @pytest.fixture
    def secure(self, files):
        door = Door()
        door.wrap(files / "server.pem", files / "server.key", files / "client.pem")
        door.always["/auth/x509"] = answering(b"", **{"X-Rucio-Auth-Token": TOKEN})
        with door:
            yield door

    def named(self, files, way, monkeypatch) -> dict[str, str]:
        for name in ("X509_USER_PROXY", "X509_USER_CERT", "X509_USER_KEY"):
            monkeypatch.delenv(name, raising=False)
        pem, key, proxy = (str(files / name) for name in ("client.pem", "client.key", "proxy"))
        if way == "options":
            return {"certificate": pem, "key": key}
        if way == "proxy":
            monkeypatch.setenv("X509_USER_PROXY", proxy)
        elif way == "pair":
            monkeypatch.setenv("X509_USER_CERT", pem)
            monkeypatch.setenv("X509_USER_KEY", key)
        return {} if way != "one file" else {"certificate": proxy}

    @pytest.mark.parametrize("way", ["options", "one file", "proxy", "pair"])
    def test_a_token_is_given_for_one(self, door, secure, files, monkeypatch, way):
        proof = self.named(files, way, monkeypatch)
        door.always["/rses"] = answering({"id": "1"})
        ca = str(files / "server.pem")
        client(door.url, authUrl=secure.url, auth="x509", ca=ca, **proof).rse("A")
        assert secure.seen[0].headers["X-Rucio-Account"] == "root"
        assert door.seen[0].headers["X-Rucio-Auth-Token"] == TOKEN

    def test_a_server_that_nobody_vouches_for_is_not_trusted(self, secure, files, monkeypatch):
        proof = self.named(files, "options", monkeypatch)
        with pytest.raises(BackendError, match=r"cannot be trusted.*correct `ca`"):
            client(secure.url, auth="x509", ca=str(files / "client.pem"), **proof).rse("A")
        assert secure.seen == []

    @pytest.mark.parametrize(("name", "content"), [("nosuch", None), ("broken", "no certificate")])
    def test_files_that_cannot_be_used_are_named(self, door, tmp_path, name, content):
        if content:
            (tmp_path / name).write_text(content)
        with pytest.raises(ConfigurationError, match=f"{name} cannot be used"):
            client(door.url, auth="x509", certificate=str(tmp_path / name)).rse("A")
        with pytest.raises(ConfigurationError, match=f"{name} cannot be used"):
            client(door.url, auth="token", ca=str(tmp_path / name))
