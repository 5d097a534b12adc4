"""The configured backend's inventory."""

from datetime import datetime

from dynamo_consistency.backend.configured import current
from dynamo_consistency.backend.contract import LONG_AGO


def protected_datasets(site: str) -> set[str]:
    """Datasets protected at the site: their files are never orphans."""
    return set(current().inventory.protected_datasets(site))


def list_files(site: str) -> list[tuple[str | bytes, int, datetime]]:
    """All files at the site as tuples (file name, size in bytes, datetime); the engine streams them instead.

    The size is negative where it is not known; the time is that of the last change, `contract.LONG_AGO` where the
    inventory knows none.
    """
    return [(name, size, time or LONG_AGO) for name, size, time in current().inventory.list_files(site)]
