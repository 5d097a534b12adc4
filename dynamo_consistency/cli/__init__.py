"""The command line: `dynamo-consistency`.

Data goes to stdout; progress, logs and errors to stderr. Exit codes: 0 the run is complete, whatever it found; 1 it is
invalid or failed; 2 wrong usage or configuration; 130 interrupted, with nothing half-written.
"""

import gc
import sys
from collections.abc import Sequence
from typing import NoReturn

_INTERRUPTED = 130
_UNFREED_OBJECTS = 50_000  # default: 700


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Entry point of the command; an interruption while its parts are read in is one as any other."""
    gc.disable()  # what a module makes stays, and looking for garbage in it takes a tenth of the start
    try:
        from dynamo_consistency.cli import entry
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    gc.freeze()
    gc.enable()
    gc.set_threshold(_UNFREED_OBJECTS)  # a command reads in as much again as its parts need it
    try:
        entry.main(arguments)
    finally:
        if "duckdb" not in sys.modules:  # which complains of what it does not see collected
            gc.freeze()  # no looking for garbage among all that ends with the process
