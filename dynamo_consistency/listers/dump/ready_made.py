"""Ready-made formats: how a line looks that a common program prints. Each has a sample in docs/formats."""

import re
from typing import NamedTuple


class ReadyMade(NamedTuple):
    """A list whose lines have no columns but a look.

    `patterns`: RE2, for a whole line, with groups that mean path, size, mtime, checksum, rse or kind; the first that
    fits the first line is that of all. `times`: how they are written, as `timeFormat` says it. `trim`: blanks around
    cells mean nothing. `no_entries`: the look of lines that are no entries. `framed`: BEGIN and END lines stand around
    the entries, True where they must. `once` (RE2): what is ambiguous when a line has it twice, as two glued lines do.
    """

    patterns: tuple[str, ...]
    times: str | None = None
    trim: bool = False
    no_entries: str | None = None
    framed: bool | None = None
    once: str | None = None


_MINUTE = r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}"
_PATH_BEGINS = r" \.?/"
_EOS_FACTS = r'(?: (?:size=(?P<size>[0-9]+)|mtime=(?P<mtime>[0-9]+(?:\.[0-9]*)?)|[A-Za-z_.]+=(?:[^ "]*|"[^"]*")))*'
_EOS = ReadyMade(
    (rf'path="(?P<path>/.*?)"{_EOS_FACTS}', rf'path=(?P<path>/[^"]*?){_EOS_FACTS}'),
    once=" size=",
)
_BARS = r"(?P<path>[^|]*[^| ]) *\| *(?P<size>[^| ]*) *(?:\| *(?P<mtime>[^|]*[^| ])? *(?:\| *(?P<checksum>[^|]*))?)?"

READY_MADE = {
    "ral": ReadyMade((r"(?P<path>.*\S)[ \t](?P<size>[^ \t]+)[ \t](?P<mtime>[^ \t]+)",), times="days"),
    "eos": _EOS,
    "eos-find": _EOS,
    "find": ReadyMade(
        (r"(?:(?P<kind>[A-Za-z]) )?(?P<size>[0-9]+) (?P<mtime>-?[0-9]+(?:\.[0-9]*)?) (?P<path>.+)",),
        times="s",
        once=_PATH_BEGINS,
    ),
    "hdfs": ReadyMade(
        (
            rf"(?P<kind>[-dl])[-rwxsStT]{{9}}[+.]? +(?:-|[0-9]+) +.*? +(?P<size>[0-9]+) +(?P<mtime>{_MINUTE})"
            r" (?P<path>/.*)",
        ),
        no_entries=r"^Found [0-9]+ items$",
        once=_PATH_BEGINS,
    ),
    "xrdfs": ReadyMade(
        (
            rf"(?P<kind>[-d])[-r][-w][-x]? +(?P<mtime>{_MINUTE}:[0-9]{{2}}) +(?P<size>[0-9]+) (?P<path>/.*)",
            rf"(?P<kind>[-d])[-rwxsStT]{{9}} +.*? +(?P<size>[0-9]+) +(?P<mtime>{_MINUTE}:[0-9]{{2}}) (?P<path>/.*)",
        ),
        once=_PATH_BEGINS,
    ),
    "hadoop": ReadyMade((_BARS,), framed=True),
    "spacemon": ReadyMade((_BARS,), trim=True, framed=False),
    "chimera": ReadyMade((_BARS,), trim=True, no_entries=r"^[^/]*$"),
    "dirac": ReadyMade((_BARS,), times="ms", trim=True, no_entries=r"^[ \t\r]*$"),
    "rce": ReadyMade((r"(?P<path>.*)",), trim=True),
}

RECOGNISED = ("eos-find", "hdfs", "xrdfs", "find")
"""Formats that no other line looks like."""


def format_of(line: bytes) -> str | None:
    """The ready-made format that a line looks like, where it can be told."""
    if line.startswith((b"BEGIN TIME ", b"BEGIN\t")):
        return "hadoop"
    for name in RECOGNISED:
        if any(re.fullmatch(pattern.encode(), line) for pattern in READY_MADE[name].patterns):
            return name
    return None
