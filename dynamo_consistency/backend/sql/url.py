"""URLs of databases, as they are written in `backends.yaml`."""

from collections.abc import Collection

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError


def database_url(text: str, drivers: Collection[str], example: str) -> str:
    """`text`, if it is the URL of a database by one of `drivers`. Raises ValueError with `example` of a right one.

    The text itself is never repeated in a complaint: it may hold a password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(f"is not the URL of a database; write one {example}") from None
    if url.drivername not in drivers:
        raise ValueError(f"{url.drivername!r} is no driver that is known here; write a URL {example}")
    oracle_service = url.drivername.startswith("oracle") and "service_name" in url.query
    if (not url.database and not oracle_service) or url.database == ":memory:":
        raise ValueError(f"names no database; write a URL {example}")
    return text
