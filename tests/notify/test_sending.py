"""A message on its way: it arrives where it can, and what cannot be sent is one line without a secret."""

import json
import logging
import subprocess
import sys
import time

import pytest
from notice_servers import refusing_port, silent_server, webhook
from real_command import run_command

from dynamo_consistency.notify import process
from dynamo_consistency.notify.messages import Message
from dynamo_consistency.notify.sending import INSTALL

MESSAGE = Message(
    "GateClosed", "T2_X: gate Limits closed in run 7", "Limits: too many <b>files</b>\n\nLook: a command\n"
)
TO = "from=robot@example.org&to=expert@example.org"
SECRETS = ("passwordofours", "tokenofours", "hook-of-secrets", "robot", "expert@example.org")


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """A server that hangs is given up at once."""
    monkeypatch.setattr(process, "SECONDS", 3)


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.DEBUG, "dynamo_consistency")

    def lines() -> list[str]:
        said = [record.getMessage() for record in caplog.records if record.name.startswith("dynamo_consistency")]
        assert not [secret for secret in SECRETS if secret in "".join(said)]
        assert all("\n" not in line for line in said)
        return said

    return lines


def test_a_webhook_gets_subject_and_text(addresses, hook, lines):
    addresses.write_text(f"# the experts\n\n{hook.url}\n")
    assert process.send(str(addresses), MESSAGE)
    assert [(each["title"], each["message"]) for each in hook.received] == [(MESSAGE.subject, MESSAGE.text.rstrip())]
    assert lines() == []


def test_a_mail_has_one_subject_and_the_text_with_its_lines(addresses, mail, lines):
    addresses.write_text(mail.url())
    assert process.send(str(addresses), MESSAGE)
    assert mail.subjects == [MESSAGE.subject]
    assert mail.mails[0]["To"] == "expert@example.org"
    assert mail.mails[0].get_content_type() == "text/plain"
    assert mail.mails[0].get_content().strip().splitlines() == MESSAGE.text.strip().splitlines()
    assert lines() == []


def test_a_password_that_is_wrong_is_one_line_that_does_not_have_it(addresses, mail, lines):
    addresses.write_text(mail.url("-not"))
    assert not process.send(str(addresses), MESSAGE)
    (line,) = lines()
    assert f"line 1 of {addresses} (mailto)" in line
    assert "535" in line
    assert mail.mails == []


def test_a_port_at_which_nobody_listens_is_one_line_with_the_reason(addresses, lines):
    with refusing_port() as port:
        addresses.write_text(f"json://robot:passwordofours@127.0.0.1:{port}/hook-of-secrets?+X=tokenofours\n")
        assert not process.send(str(addresses), MESSAGE)
    (line,) = lines()
    assert MESSAGE.subject in line
    assert "Connection refused" in line
    assert "127.0.0.1" not in line, "of some services the host is the secret"


def test_a_server_that_refuses_is_one_line_with_its_answer(addresses, hook, lines):
    hook.status = 403
    addresses.write_text(hook.url)
    assert not process.send(str(addresses), MESSAGE)
    (line,) = lines()
    assert "403" in line


def test_a_certificate_that_nobody_has_signed_is_not_believed(addresses, self_signed, lines):
    with webhook(self_signed) as hook:
        mail = f"mailtos://robot:passwordofours@127.0.0.1:{hook.port}?mode=ssl&{TO}"
        addresses.write_text(f"{hook.url}\n{mail}\n")
        assert not process.send(str(addresses), MESSAGE)
        assert hook.received == []
    (line,) = lines()
    assert line.count("CERTIFICATE_VERIFY_FAILED") == 2


def test_a_server_that_hangs_is_given_up_and_the_others_have_their_message(addresses, hook, mail, lines):
    with silent_server() as port:
        silent = [f"mailto://robot:passwordofours@127.0.0.1:{port}?{TO}", f"json://127.0.0.1:{port}/x"]
        addresses.write_text("\n".join([*silent, hook.url, mail.url()]))
        began = time.monotonic()
        assert not process.send(str(addresses), MESSAGE)
        assert time.monotonic() - began < 60
    assert hook.subjects == mail.subjects == [MESSAGE.subject]
    (line,) = lines()
    assert line.count("no answer within 3 seconds") == 2
    assert "line 2" in line
    assert "line 3" not in line


def test_a_process_that_never_ends_is_killed(addresses, monkeypatch, lines):
    monkeypatch.setattr(process, "SECONDS", 0.2)
    monkeypatch.setattr(process, "LONGER", 0.2)
    monkeypatch.setattr(process, "command", lambda _: ["sleep", "600"])
    assert not process.send(str(addresses), MESSAGE)
    (line,) = lines()
    assert "was not done within" in line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        ("# nothing\n\n", "has none"),
        ("slack://tokenofours\n", "line 1"),
        ("\n\ntokenofours", "line 3"),
        ("nosuchservice://passwordofours@tokenofours", "(nosuchservice): apprise cannot read it"),
        (b"\xff\xfe", "it is not text"),
    ],
)
def test_a_file_of_addresses_that_has_none_is_one_line_without_its_content(addresses, lines, content, said):
    if content is not None:
        addresses.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert not process.send(str(addresses), MESSAGE)
    (line,) = lines()
    assert said in line


def test_without_apprise_it_is_said_how_to_install_it(addresses, hook, tmp_path):
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden/apprise.py").write_text("raise ModuleNotFoundError('apprise')")
    addresses.write_text(hook.url)
    done = subprocess.run(
        [sys.executable, "-m", "dynamo_consistency.notify.sending", str(addresses), "3"],
        input=MESSAGE.to_json(),
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(tmp_path / "hidden")},
    )
    assert json.loads(done.stdout) == {"sent": 0, "problems": [INSTALL]}


def test_addresses_can_be_tried_before_they_are_needed(addresses, hook, tmp_path):
    addresses.write_text(hook.url)
    done = run_command(["notify", str(addresses)], tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"sent to every address in {addresses}\n", "")
    assert hook.subjects == ["A test of dynamo-consistency"]
    hook.status = 500
    done = run_command(["notify", str(addresses)], tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "500" in done.stderr
    assert "tokenofours" not in done.stderr
