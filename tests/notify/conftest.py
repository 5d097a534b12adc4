"""Fixtures: a file of addresses, and the servers to which they lead."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from notice_servers import MailServer, WebHook, mail_server, webhook
from required_programs import require_programs


@pytest.fixture
def hook() -> Iterator[WebHook]:
    with webhook() as hook:
        yield hook


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as mail:
        yield mail


@pytest.fixture
def addresses(tmp_path: Path) -> Path:
    return tmp_path / "urls"


@pytest.fixture
def self_signed(tmp_path: Path) -> tuple[Path, Path]:
    require_programs("openssl", install="apt-get install openssl")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-out", certificate, "-keyout", key],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key
