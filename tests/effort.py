"""How much is tried: `make test` is for each edit, `make test-all` for what is to be kept, and runs in CI."""

import os

EVERYTHING = os.environ.get("ALL_TESTS") == "true"


def examples(number: int) -> int:
    """Of random examples: so many in `make test-all`, an eighth otherwise."""
    return number if EVERYTHING else max(5, number // 8)
