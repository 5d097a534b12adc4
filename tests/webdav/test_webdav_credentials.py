"""TLS, certificates, proxies and tokens: shown where they must be, and nowhere else."""

import base64
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted_dav import TIME_SECONDS, Request, Scripted, entry, listing, reply
from webdav_servers import WebServer
from xrdclient.testing import pki

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers import credentials
from dynamo_consistency.listers.contract import Answer, Failed, File, Listed
from dynamo_consistency.listers.webdav import identity
from dynamo_consistency.secrets import redact

FILE = File(b"f", 3, TIME_SECONDS)
APACHE_TLS = """\
SSLEngine on
SSLSessionCache none
SSLCertificateFile BASE/pki/hostcert.pem
SSLCertificateKeyFile BASE/pki/hostkey.pem
SSLCACertificateFile BASE/pki/ca.pem
<Location /store/guarded>
  SSLVerifyClient require
</Location>
"""
XROOTD_TLS = """\
xrd.tls BASE/pki/hostcert.pem BASE/pki/hostkey.pem
xrd.tlsca certdir BASE/pki/certificates
http.cert BASE/pki/hostcert.pem
http.key BASE/pki/hostkey.pem
http.cadir BASE/pki/certificates
ofs.authorize
acc.authdb BASE/pki/authdb
"""


def token(subject: str = "somebody", ends: float = 4e9) -> str:
    claims = {"sub": subject, "exp": ends}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "none"}, claims)]
    return b".".join([*parts, b"signature"]).decode()


@pytest.fixture(scope="session")
def grid(tmp_path_factory: pytest.TempPathFactory) -> pki.PKI:
    return pki.create_pki(tmp_path_factory.mktemp("pki"), hosts=["localhost"], host_cn="localhost")


@pytest.fixture
def trusting(grid: pki.PKI, monkeypatch: pytest.MonkeyPatch) -> pki.PKI:
    monkeypatch.setenv("X509_CERT_DIR", str(grid.ca_dir))
    return grid


@pytest.fixture
def start_secure(start_server, grid: pki.PKI) -> Callable[[str, str], WebServer]:
    """A server with a host certificate and one file in /store/guarded, for which XRootD wants the user of the grid."""

    def start(kind: str, lines: str) -> WebServer:
        def prepare(base: Path) -> None:
            (base / "site/store/guarded").mkdir()
            (base / "site/store/guarded/f").write_bytes(b"123")
            shutil.copytree(grid.directory, base / "pki")
            user = pki.subject_hash(grid.user.subject.public_bytes())
            (base / "pki/authdb").write_text(f"u {user}.0 /store rl\n")
            if os.geteuid() == 0:
                for path in ((base / "pki"), *(base / "pki").rglob("*")):
                    shutil.chown(path, "www-data" if kind == "apache" else "xrootd")

        return start_server(kind, lines, prepare)

    return start


def url(server: WebServer) -> str:
    return f"davs://localhost:{server.port}"


class TestRealServers:
    def test_apache_wants_a_certificate_and_gets_it(
        self, start_secure, make_lister, ask, trusting, monkeypatch
    ) -> None:
        server = start_secure("apache", APACHE_TLS)
        refused = ask(make_lister(url(server)), b"/store/guarded")
        assert isinstance(refused, Failed)
        assert "CERTIFICATE_REQUIRED" in refused.reason
        monkeypatch.setenv("X509_USER_CERT", str(trusting.user_cert_path))
        monkeypatch.setenv("X509_USER_KEY", str(trusting.user_key_path))
        lister = make_lister(url(server))
        lister.prepare()
        assert [file.name for file in ask(lister, b"/store/guarded").files] == [b"f"]

    def test_xrootd_wants_a_proxy_and_gets_it(self, start_secure, make_lister, ask, trusting, monkeypatch) -> None:
        server = start_secure("xrootd", XROOTD_TLS)
        refused = ask(make_lister(url(server)), b"/store/guarded")
        assert isinstance(refused, Failed)
        assert "403 Forbidden" in refused.reason
        monkeypatch.setenv("X509_USER_PROXY", str(trusting.proxy_path))
        lister = make_lister(url(server))
        lister.prepare()
        assert [file.name for file in ask(lister, b"/store/guarded").files] == [b"f"]


@pytest.fixture
def secure(scripted, grid: pki.PKI) -> Callable[..., Scripted]:
    """A scripted server with the host certificate; `client`: it wants a certificate or proxy."""

    def start(script: Callable[[Request], bytes], client: bool = False) -> Scripted:
        return scripted(script, context=grid.server_context(require_client=client))

    return start


def guarded(*tokens: str) -> Callable[[Request], bytes]:
    """A server that shows directories to those with one of `tokens`."""

    def script(request: Request) -> bytes:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in tokens:
            return reply(401)
        return listing(request.target, entry(f"{request.target}f", 3))

    return script


class TestTrust:
    def test_a_server_with_a_certificate_of_an_unknown_authority_is_refused(self, secure, make_lister) -> None:
        server = secure(guarded(""))
        with pytest.raises(ListingError, match=r"no WebDAV door answers: https://localhost:\d+: .*verify failed"):
            make_lister(server.url).prepare()
        assert server.seen == []

    def test_a_server_with_a_certificate_for_another_host_is_refused(self, secure, make_lister, trusting) -> None:
        server = secure(guarded(""))
        with pytest.raises(ListingError, match=r"127\.0\.0\.1"):
            make_lister(f"https://127.0.0.1:{server.port}").prepare()
        assert server.seen == []

    def test_a_directory_of_authorities_that_is_none_is_one_sentence(self, make_lister, monkeypatch) -> None:
        monkeypatch.setenv("X509_CERT_DIR", "/nowhere")
        with pytest.raises(ListingError, match="X509_CERT_DIR names /nowhere, which is no directory"):
            make_lister("davs://localhost").prepare()

    def test_a_proxy_is_shown_to_who_asks_for_it(self, secure, make_lister, ask, trusting, monkeypatch) -> None:
        server = secure(guarded(""), client=True)
        with pytest.raises(ListingError):
            make_lister(server.url).prepare()
        monkeypatch.setenv("X509_USER_PROXY", str(trusting.proxy_path))
        assert ask(make_lister(server.url), b"/d") == Listed(files=[FILE])


class TestBeforeTheListing:
    """What has expired, or cannot be used, is one sentence before anybody is asked."""

    @pytest.fixture
    def sentence(self, secure, make_lister, trusting) -> Callable[[], str]:
        def sentence() -> str:
            server = secure(guarded(""))
            with pytest.raises(ListingError) as caught:
                make_lister(server.url).prepare()
            assert server.seen == []
            return str(caught.value)

        return sentence

    def test_an_expired_proxy(self, sentence, grid, monkeypatch, tmp_path) -> None:
        monkeypatch.setenv("X509_USER_PROXY", str(grid.proxy(lifetime=-10, path=tmp_path / "proxy")))
        assert sentence().startswith(f"the X.509 proxy {tmp_path}/proxy expired at ")

    def test_an_expired_certificate(self, sentence, monkeypatch, tmp_path) -> None:
        old = pki.create_pki(tmp_path, lifetime=-10)
        monkeypatch.setenv("X509_USER_CERT", str(old.user_cert_path))
        monkeypatch.setenv("X509_USER_KEY", str(old.user_key_path))
        assert f"the certificate {old.user_cert_path} with the key {old.user_key_path} expired at " in sentence()

    def test_a_key_that_is_not_there(self, sentence, grid, monkeypatch) -> None:
        monkeypatch.setenv("X509_USER_CERT", str(grid.user_cert_path))
        monkeypatch.setenv("X509_USER_KEY", "/nowhere/key")
        assert "with the key /nowhere/key cannot be read: No such file" in sentence()

    def test_a_key_of_another_certificate(self, sentence, grid, monkeypatch) -> None:
        monkeypatch.setenv("X509_USER_CERT", str(grid.user_cert_path))
        monkeypatch.setenv("X509_USER_KEY", str(grid.host_key_path))
        assert "cannot be used" in sentence()

    def test_an_expired_token(self, sentence, monkeypatch) -> None:
        monkeypatch.setenv("BEARER_TOKEN", token(ends=1000))
        assert sentence() == "the token in BEARER_TOKEN expired at 1970-01-01 00:16:40 UTC: renew it with a new token"

    @pytest.mark.parametrize("text", ["", "two words", "line\nend", "ümlaut"])
    def test_a_token_that_is_none(self, sentence, monkeypatch, tmp_path, text: str) -> None:
        (tmp_path / "token").write_text(text)
        monkeypatch.setenv("BEARER_TOKEN_FILE", str(tmp_path / "token"))
        assert "is not valid: renew it with a new token" in sentence()


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
        assert ask(make_lister(server.url), b"/d") == Listed(files=[FILE])

    def test_a_token_is_found_where_the_grid_keeps_it(self, secure, told, monkeypatch, tmp_path) -> None:
        (tmp_path / "file").write_text(token("file") + "\n")
        (tmp_path / "bt_u999999").write_text(token("runtime") + "\n")
        for variable, value, subject in (
            ("XDG_RUNTIME_DIR", str(tmp_path), "runtime"),
            ("BEARER_TOKEN_FILE", str(tmp_path / "file"), "file"),
            ("BEARER_TOKEN", token("environment"), "environment"),
        ):
            monkeypatch.setenv(variable, value)
            assert told(secure(guarded(token(subject)))) == Listed(files=[FILE])

    def test_a_renewed_token_is_read(self, secure, make_lister, ask, monkeypatch, tmp_path) -> None:
        path = tmp_path / "token"
        monkeypatch.setenv("BEARER_TOKEN_FILE", str(path))
        path.write_text(token("first"))
        server = secure(guarded(token("first")))
        lister = make_lister(server.url)
        assert ask(lister, b"/d") == Listed(files=[FILE])
        server.script = guarded(token("second"))
        assert "401" in ask(lister, b"/d").reason
        path.write_text(token("second"))
        assert ask(lister, b"/d") == Listed(files=[FILE])
        path.unlink()  # somebody is just writing a new one
        assert ask(lister, b"/d") == Listed(files=[FILE])

    def test_a_renewed_proxy_is_shown(self, secure, make_lister, ask, monkeypatch, trusting) -> None:
        path = trusting.directory / "renewed"
        monkeypatch.setenv("X509_USER_PROXY", str(trusting.proxy(path=path)))
        server = secure(guarded(""), client=True)
        lister = make_lister(server.url)
        assert ask(lister, b"/d") == Listed(files=[FILE])
        before = server.connections
        path.write_text("half of a pro")
        assert ask(lister, b"/d") == Listed(files=[FILE])
        assert server.connections == before
        trusting.proxy(lifetime=3600, path=path)
        assert ask(lister, b"/d") == Listed(files=[FILE])
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
        assert told(server) == Listed(files=[FILE])
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
        assert ask(make_lister(door.url), b"/d") == Listed(files=[FILE])

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


def test_the_proxy_goes_before_the_certificate_and_the_certificate_before_the_default_place(grid, monkeypatch) -> None:
    monkeypatch.setenv("X509_USER_CERT", "/c")
    monkeypatch.setenv("X509_USER_KEY", "/k")
    assert credentials.x509(0, certificates=True).paths == (Path("/c"), Path("/k"))
    assert credentials.x509(0) is None
    monkeypatch.setenv("X509_USER_PROXY", "/p")
    assert credentials.x509(0, certificates=True).paths == (Path("/p"),)
