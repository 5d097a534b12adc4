"""The configured backend's registry of requests."""

from collections.abc import Iterable

from dynamo_consistency.backend.configured import current


def delete(site: str, files: Iterable[str]) -> int:
    """Request deletion of files and directories at the site, by LFN; returns the number requested."""
    return int(current().registry.delete(site, files))


def transfer(site: str, files: Iterable[str]) -> tuple[list[str], list[str]]:
    """Request transfer of files to the site; returns (files with no disk source, of those: also none on tape)."""
    no_disk, no_tape = current().registry.transfer(site, files)
    return list(no_disk), list(no_tape)
