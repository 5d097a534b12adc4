"""Credentials are read from files and never shown."""

import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamo_consistency import secrets
from dynamo_consistency.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(secrets, "_known", set())


def test_a_secret_is_the_first_line_of_its_file_and_hidden_from_then_on(tmp_path):
    (tmp_path / "password").write_text(" pa55 word \nsecond line\n")
    assert secrets.read_secret_file(tmp_path / "password") == " pa55 word "
    assert secrets.redact("login with ' pa55 word ' failed") == "login with '***' failed"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"\nx", "is empty"), (b"\xff\xfe", "is not text"), (None, "No such file")],
)
def test_a_secret_file_that_is_no_use_is_refused_without_its_content(tmp_path, content, words):
    if content is not None:
        (tmp_path / "password").write_bytes(content)
    with pytest.raises(ConfigurationError, match=words) as refused:
        secrets.read_secret_file(tmp_path / "password")
    assert str(tmp_path / "password") in str(refused.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mysql+pymysql://reader:s3cr3t@db:3306/dynamo", "mysql+pymysql://reader:***@db:3306/dynamo"),
        ("mysql://:s3cr3t@db/x", "mysql://:***@db/x"),
        ("mysql://reader:p/s@db/dynamo", "mysql://reader:***@db/dynamo"),
        ("https://u:p@a and ftp://v:q@b", "https://u:***@a and ftp://v:***@b"),
        ("mysql://reader:p@ss@db/dynamo", "mysql://reader:***@db/dynamo"),
        ("root://door:1094//store/mc", "root://door:1094//store/mc"),
        ("https://door:1094/store/user@cern", "https://door:1094/store/user@cern"),
        ("nothing to hide: a@b", "nothing to hide: a@b"),
    ],
)
def test_the_password_of_a_url_is_hidden_and_the_rest_is_kept(text, shown):
    assert secrets.redact(text) == shown


def test_a_secret_that_contains_another_is_hidden_whole():
    secrets.remember("pass")
    secrets.remember("password1")
    assert secrets.redact("password1 and pass") == "*** and ***"


def test_an_empty_secret_hides_nothing():
    assert secrets.remember("") == ""
    assert secrets.redact("text") == "text"


@given(
    st.text(), st.text(min_size=1).filter(lambda secret: secret not in secrets.MASK and "*" not in secret), st.text()
)
def test_what_is_remembered_is_never_shown(before, secret, after):
    secrets._known.clear()
    secrets.remember(secret)
    assert not any(secret in piece for piece in secrets.redact(before + secret + after).split(secrets.MASK))


def test_a_log_record_and_its_traceback_are_redacted(caplog):
    secrets.remember("s3cr3t")
    formatter = secrets.RedactingFormatter("%(message)s")
    try:
        raise ValueError("refused s3cr3t")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "asked with %s", ("s3cr3t",), None)
        record.exc_info = sys.exc_info()
    shown = formatter.format(record)
    assert "asked with ***" in shown
    assert "ValueError: refused ***" in shown
    assert "s3cr3t" not in shown
