"""Python's garbage collector while a site is listed."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_UNFREED_OBJECTS = 100_000  # default: 700, less than the answers of a busy door keep alive


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Look for cycles only when many more objects were made than freed.

    A listing makes two dictionaries for each file and frees them by reference count. With the default threshold the
    collector looks through all of them, and through every module, again and again: a third of the whole time.
    """
    threshold = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_UNFREED_OBJECTS, *threshold[1:])
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        gc.unfreeze()
