"""The command line: `dynamo-consistency`.

Data goes to stdout; progress, logs and errors to stderr. Exit codes: 0 the run is complete, whatever it found; 1 it is
invalid or failed; 2 wrong usage or configuration; 130 interrupted, with nothing half-written.
"""

from dynamo_consistency.cli.entry import command, main

__all__ = ["command", "main"]
