"""The process that sends one message: reads it from stdin as JSON, and the addresses from the file that it is given.

It prints one line of JSON, `{"sent": 2, "problems": ["…"]}`. An address is a secret as a whole, since apprise's URLs
have tokens anywhere in them: of it only the line of the file and the service are told.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from dynamo_consistency.secrets import redact, remember
from dynamo_consistency.sentences import shortened

INSTALL = "nothing can be sent without apprise: pip install 'dynamo-consistency[notify]'"
_SHORTEST_SECRET = 3
_LONGEST_REASON = 300


class Address(NamedTuple):
    """A URL of the file, and the number of its line."""

    line: int
    url: str

    @property
    def scheme(self) -> str:
        """The service, as the URL names it."""
        return self.url.partition("://")[0] if "://" in self.url else "no URL"


def read_addresses(file: str) -> list[Address]:
    """The addresses in `file`; empty lines and comments (`# …`) are none. Raises OSError or UnicodeDecodeError."""
    lines = enumerate(Path(file).read_text(encoding="utf-8").splitlines(), 1)
    found = [Address(number, line.strip()) for number, line in lines]
    addresses = [address for address in found if address.url and not address.url.startswith("#")]
    for address in addresses:
        _remember_parts(address)
    return addresses


def _remember_parts(address: Address) -> None:
    """Whatever stands in an address, whole and in parts, as it is and decoded, is hidden from now on."""
    _, _, rest = address.url.partition("://")
    parts = re.split(r"[/:@?&=,+#]+", rest)
    for part in (address.url, rest, *parts):
        for text in (part, unquote(part)):
            if len(text) >= _SHORTEST_SECRET:
                remember(text)


def send(file: str, message: dict[str, str], seconds: float) -> tuple[int, list[str]]:
    """Send `message` to all addresses at the same time; to how many it was, and a sentence for each other one."""
    try:
        addresses = read_addresses(file)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        return 0, [f"the file with the addresses, {file}, cannot be read: {why}"]
    if not addresses:
        return 0, [f"the file with the addresses, {file}, has none"]
    try:
        apprise = import_module("apprise")
    except ModuleNotFoundError:
        return 0, [INSTALL]
    return _sent(apprise, addresses, file, message, seconds)


def _sent(
    apprise: Any, addresses: list[Address], file: str, message: dict[str, str], seconds: float
) -> tuple[int, list[str]]:
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.DEBUG)  # the reasons are told there alone
    logger.propagate = False
    services = apprise.Apprise(asset=apprise.AppriseAsset(service_timeout=seconds, storage_mode="memory"))
    problems = []
    for address in addresses:
        service = apprise.Apprise.instantiate(address.url, asset=services.asset, tag=_tag(address))
        if service is None or not services.add(service):
            problems.append(f"{_where(address, file)}: apprise cannot read it")
    result = services.notify(
        title=message["subject"],
        body=message["text"],
        body_format=apprise.NotifyFormat.TEXT,
        notify_type=apprise.NotifyType.WARNING,
        log_level=logging.DEBUG,
    )
    by_tag = {_tag(address): address for address in addresses}
    failed = [one for one in result if not one]
    problems += [f"{_where(by_tag[one.tag[0]], file)}: {_reason(one, seconds)}" for one in failed]
    return len(result) - len(failed), problems


def _tag(address: Address) -> str:
    return f"line-{address.line}"


def _where(address: Address, file: str) -> str:
    return f"line {address.line} of {file} ({address.scheme})"


def _reason(result: Any, seconds: float) -> str:
    if result.status.name == "TIMEOUT":
        return f"no answer within {seconds:g} seconds"
    said = [redact(text) for text in _reasons(result.logs())]
    return shortened("; ".join(said) or "apprise does not say why", _LONGEST_REASON)


def _reasons(entries: Iterable[Any]) -> Iterator[str]:
    for entry in entries:
        text = " ".join(entry.message.split())
        if "Exception: " in text:
            yield text.rpartition("Caused by ")[2].removeprefix("Socket Exception: ")
        elif entry.level in ("WARNING", "ERROR", "CRITICAL"):
            yield text.removesuffix(".")


def main() -> None:
    """Send what stdin has; the arguments are the file of addresses, and how many seconds each has."""
    file, seconds = sys.argv[1:]
    number, problems = send(file, json.load(sys.stdin), float(seconds))
    print(json.dumps({"sent": number, "problems": problems}), flush=True)
    os._exit(0)  # whatever still hangs is not waited for


if __name__ == "__main__":
    main()
