"""Who lets our own client in, with which credentials, and what it leaves to the library."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from xrdclient.testing import frame

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.xrootd import greeting
from dynamo_consistency.listers.xrootd.wire.frames import OK
from dynamo_consistency.listers.xrootd.wire.private_copy import private

SUCCESS = {"ok": True, "code": 0, "errno": 0, "message": ""}
AUTHENTICATE = 3000


@pytest.fixture
def client() -> str:
    return "wire"


class TestCredentialsThatOthersMayRead:
    def test_they_are_copied_for_this_user_alone_and_once(self, tmp_path) -> None:
        secret = tmp_path / "proxy"
        secret.write_bytes(b"secret")
        secret.chmod(0o640)
        copy = private(secret)
        assert copy != str(secret)
        with open(copy, "rb") as file:  # noqa: PTH123 (a descriptor's path)
            assert file.read() == b"secret"
            assert os.fstat(file.fileno()).st_mode & 0o777 == 0o600
        assert private(secret) == copy
        secret.write_bytes(b"renewed")
        assert private(secret) != copy

    def test_one_that_is_private_already_stays_where_it_is(self, tmp_path) -> None:
        (tmp_path / "proxy").write_bytes(b"secret")
        (tmp_path / "proxy").chmod(0o600)
        assert private(tmp_path / "proxy") == str(tmp_path / "proxy")


def test_a_token_that_a_group_may_read_is_sent_to_a_door_that_asks_for_one(fake, lister, monkeypatch, tmp_path) -> None:
    sent: list[bytes] = []

    def accept(connection: object, stream: int, params: bytes, body: bytes) -> Iterator[bytes]:
        sent.append(body)
        yield frame(stream, OK)

    fake.sec, fake.handlers[AUTHENTICATE] = "&P=ztn,0:4096:", accept
    (tmp_path / "token").write_text("an-opaque-token\n")
    (tmp_path / "token").chmod(0o440)
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(ListingError, match="ztn: not offered on a cleartext connection"):
        lister.prepare()
    assert sent == []
    monkeypatch.setenv("XRD_ZTNCLEARTEXT", "1")
    lister.prepare()
    assert len(sent) == 1
    assert b"an-opaque-token\0" in sent[0]


@pytest.mark.parametrize("way", ["krb5,xrootd/host@REALM", "pwd,v:10100", "sss,0.13:"])
def test_a_door_that_asks_for_what_only_the_library_can_do_is_given_to_it(
    fake, lister, monkeypatch, caplog, way: str
) -> None:
    class Library:
        def protocol(self, timeout: int, callback: Callable[..., None]) -> dict[str, object]:
            callback(SUCCESS, {"hostinfo": 1}, None)
            return SUCCESS

        def dirlist(self, path: str, flags: int, timeout: int, callback: Callable[..., None]) -> dict[str, object]:
            raise AssertionError("bytes that are not UTF-8 must not come to the library")

    fake.sec = f"&P={way}"
    monkeypatch.setattr(greeting, "connect", lambda url, timeout: Library())
    lister.prepare()
    name = way.partition(",")[0]
    assert f"{str(fake.url).rstrip('/')}: it asks for {name}: it is listed with the XRootD library" in caplog.text
    assert lister.list(b"/store/\xff") == (False, [], [])


LOG_IN_AND_LIST = """
import logging, sys
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.xrootd import XRootDLister, greeting
logging.basicConfig()
lister = XRootDLister([sys.argv[1]], timeout=5)
try:
    lister.prepare()
    print(lister.list(b"/store"))
except ListingError as error:
    print(error)
"""


@pytest.mark.xrootd
class TestWaysToLogIn:
    """Each in a process of its own, since the library remembers how it logged in."""

    def guarded(self, daemons, lines: str):
        server = daemons.server(name=f"server{len(lines)}", lines=f"xrootd.seclib libXrdSec.so\n{lines}")
        (server.store / "f").write_bytes(b"123")
        return server

    def listed(self, server, **environment: str) -> str:
        command = [sys.executable, "-c", LOG_IN_AND_LIST, server.url]
        done = subprocess.run(
            command, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout + done.stderr

    def test_a_user_name_is_enough_where_the_server_trusts_it(self, daemons) -> None:
        said = self.listed(self.guarded(daemons, "sec.protocol unix\n"))
        assert "(True, [], [(b'f', 3, " in said
        assert "library" not in said

    def test_shared_secrets_are_left_to_the_library_and_the_log_says_so(self, daemons) -> None:
        if shutil.which("xrdsssadmin") is None:
            pytest.skip("apt-get install xrootd-server")
        keys = daemons.directory("keys") / "keytab"
        add = ["xrdsssadmin", "-k", "test", "-u", "anybody", "-g", "usrgroup", "add", str(keys)]
        subprocess.run(add, check=True, capture_output=True, input=b"y\n")
        theirs = keys.with_name("server")
        shutil.copy(keys, theirs)
        if os.geteuid() == 0:
            shutil.chown(theirs, "xrootd", "xrootd")
            shutil.chown(keys.parent, "xrootd", "xrootd")
        theirs.chmod(0o600)
        for others in ("", "sec.protocol unix\n"):
            server = self.guarded(daemons, f"sec.protocol sss -s {theirs}\n{others}")
            said = self.listed(server, XrdSecSSSKT=str(keys))
            assert "(True, [], [(b'f', 3, " in said
            assert "asks for sss: it is listed with the XRootD library" in said
            server.stop()

    def test_signed_requests_are_left_to_the_library_and_the_log_says_so(self, daemons) -> None:
        said = self.listed(self.guarded(daemons, "sec.protocol unix\nsec.level all intense\n"))
        assert "(True, [], [(b'f', 3, " in said
        assert "it wants requests to be signed: it is listed with the XRootD library" in said
