"""The configured backend's inventory."""

from dynamo_consistency.backend.configured import current
from dynamo_consistency.backend.contract import ListedFile


def protected_datasets(site: str) -> set[str]:
    """Datasets protected at the site: their files are never orphans."""
    return set(current().inventory.protected_datasets(site))


def list_files(site: str) -> list[ListedFile]:
    """All files at the site as tuples (file name, size in bytes, datetime); the engine streams them instead."""
    return list(current().inventory.list_files(site))
