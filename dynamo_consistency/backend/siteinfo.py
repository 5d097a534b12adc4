"""The configured backend's sites."""

from dynamo_consistency.backend.configured import current


def site_list() -> list[str]:
    """Sites known."""
    return list(current().siteinfo.site_list())


def ready_sites() -> set[str]:
    """Sites ready to run on."""
    return set(current().siteinfo.ready_sites())
