"""The command line: `dynamo-consistency`.

Data goes to stdout; progress, logs and errors to stderr. Exit codes: 0 the run is complete, whatever it found; 1 it is
invalid or failed; 2 wrong usage or configuration; 130 interrupted, with nothing half-written.
"""

import gc
import sys
from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Entry point of the command; see `entry.main`."""
    gc.disable()  # what a module makes stays, and looking for garbage in it takes a tenth of the start
    from dynamo_consistency.cli.entry import main as run_command

    gc.enable()
    try:
        run_command(arguments)
    finally:
        if "duckdb" not in sys.modules:  # which complains of what it does not see collected
            gc.freeze()  # no looking for garbage among all that ends with the process
