"""Sending by a process of its own, with an end: what hangs is killed, and what goes wrong is one line of the log."""

import json
import logging
import subprocess
import sys

from dynamo_consistency.notify.messages import Message
from dynamo_consistency.secrets import redact
from dynamo_consistency.sentences import shortened

log = logging.getLogger(__name__)

SECONDS = 20
"""That a server has to take a message."""
LONGER = 10
"""Seconds that the process has beyond that, to begin and to end."""


def command(file: str) -> list[str]:
    """The process that sends; it reads the message from stdin. Modules in the folder of now are none of ours (-P)."""
    return [sys.executable, "-P", "-m", "dynamo_consistency.notify.sending", file, str(SECONDS)]


def longest() -> int:
    """Seconds after which the process is ended."""
    return SECONDS + LONGER


def send(file: str, message: Message) -> bool:
    """Send a message to the addresses in `file`; whether all of them have taken it. Never raises."""
    try:
        done = subprocess.run(  # noqa: S603 (our own module)
            command(file),
            input=message.to_json().encode(),
            capture_output=True,
            check=False,
            timeout=longest(),
        )
        return report(message, done.returncode, done.stdout)
    except subprocess.TimeoutExpired:
        return not_in_time(message)
    except (OSError, ValueError) as error:
        return not_sent(message, str(error))


def report(message: Message, exit_code: int | None, output: bytes) -> bool:
    """Log what the process said of itself; whether all is well."""
    try:
        problems = json.loads(output.splitlines()[-1])["problems"]
    except (IndexError, KeyError, TypeError, ValueError):
        problems = [f"the process that sends it has ended with exit code {exit_code}"]
    return not_sent(message, "; ".join(problems)) if problems else True


def not_in_time(message: Message) -> bool:
    """The one line about a message whose process was ended."""
    return not_sent(message, f"it was not done within {longest()} seconds")


def not_sent(message: Message, why: str) -> bool:
    """The one line about a message that was not sent to all."""
    said = redact(f"the notification {message.subject!r} was not sent to all: {shortened(why, 1000)}")
    log.warning("%s", said)
    return False
