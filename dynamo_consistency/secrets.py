"""Credentials: where they come from, and that they are never shown.

Passwords and tokens live in files, in the environment or in a driver's own option file, never in a check. Whatever
leaves the process as text (messages, logs, `--debug`) goes through `redact`, which knows every secret that was read.
"""

import logging
import re
from pathlib import Path

from dynamo_consistency.errors import ConfigurationError

MASK = "***"

_known: set[str] = set()
# What is between the user and the host; it may hold an @ or a slash. A port is no password: door:1094/a@b.
_in_url = re.compile(r"(?P<user>[a-z][a-z0-9+.-]*://[^\s:/@]*):(?!\d+/)(?:[^\s/]*|[^\s@]*)@", re.IGNORECASE)


def remember(secret: str) -> str:
    """Register `secret` so that `redact` hides it wherever it turns up; returns it unchanged."""
    if secret:
        _known.add(secret)
    return secret


def read_secret_file(path: str | Path) -> str:
    """The first line of a file that holds one password or token, without its line end.

    Raises ConfigurationError when the file cannot be read or is empty; the content is never part of the message.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigurationError(f"the secret file {path} cannot be read: {reason}") from None
    if not lines or not lines[0]:
        raise ConfigurationError(f"the secret file {path} is empty; its first line must be the secret")
    return remember(lines[0])


def redact(text: str) -> str:
    """`text` with every known secret, and the password part of every URL, replaced by `***`."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return _in_url.sub(lambda match: f"{match['user']}:{MASK}@", text)


class RedactingFormatter(logging.Formatter):
    """Formats a record, traceback included, and hides the secrets in the result."""

    def format(self, record: logging.LogRecord) -> str:
        """The text of `record`, with every secret replaced by `***`."""
        return redact(super().format(record))
