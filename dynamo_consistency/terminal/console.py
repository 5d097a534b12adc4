"""The console that stdout is: with colours and a width where a person looks, with neither in a pipe."""

import os
import sys

from rich.console import Console

TONES = {
    "Ready": "green",
    "Pending": "yellow",
    "Rejected": "red",
    "Complete": "green",
    "Invalid": "red",
    "Failed": "red",
    "Unfinished": "yellow",
}
"""The colour of a state of a gate, or of the result of a run."""


def console() -> Console:
    """Where stdout is no terminal a line is as long as it must be: scripts and logs cut nothing off.

    Nor are there colours, nor anything else that is no text; so it is on a terminal where NO_COLOR is set.
    """
    is_terminal = sys.stdout.isatty()
    plain = not is_terminal or bool(os.environ.get("NO_COLOR"))
    return Console(
        highlight=False,
        emoji=False,
        markup=False,
        force_terminal=is_terminal,
        color_system=None if plain else "auto",
        width=None if is_terminal else 1000,
    )
