"""TLS, certificates and proxies: whom we trust, what we show, and what is said before the listing."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted_dav import FILES, guarded, token
from webdav_servers import WebServer
from xrdclient.testing import pki

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers import credentials
from dynamo_consistency.listers.contract import Failed, Listed

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
        assert refused.reason.startswith("https://localhost")  # the door lives, and answers for other directories
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
        assert ask(make_lister(server.url), b"/d") == Listed(files=FILES)


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


def test_the_proxy_goes_before_the_certificate_and_the_certificate_before_the_default_place(grid, monkeypatch) -> None:
    monkeypatch.setenv("X509_USER_CERT", "/c")
    monkeypatch.setenv("X509_USER_KEY", "/k")
    assert credentials.x509(0, certificates=True).paths == (Path("/c"), Path("/k"))
    assert credentials.x509(0) is None
    monkeypatch.setenv("X509_USER_PROXY", "/p")
    assert credentials.x509(0, certificates=True).paths == (Path("/p"),)
