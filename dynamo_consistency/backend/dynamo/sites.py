"""The sites that Dynamo knows, and what lists them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select

from dynamo_consistency.backend.dynamo.database import schema
from dynamo_consistency.backend.dynamo.database.connection import reading
from dynamo_consistency.backend.sql import errors
from dynamo_consistency.check import Source
from dynamo_consistency.errors import BackendError
from dynamo_consistency.listers.contract import ListerFactory
from dynamo_consistency.listers.protocols import listers_of

PARALLEL_LISTERS = 8
"""Listers of a site that can be asked for several directories at a time: each answers one at a time."""


@dataclass(frozen=True)
class SiteInfo:
    """`siteinfo` of the backend contract."""

    engine: Engine

    def site_list(self) -> list[str]:
        """All sites, sorted by name."""
        with reading(self.engine) as connection:
            return sorted(connection.execute(select(schema.sites.c.name)).scalars())

    def ready_sites(self) -> set[str]:
        with reading(self.engine) as connection:
            rows = connection.execute(select(schema.sites.c.name, schema.sites.c.status)).all()
        return {name for name, status in rows if status == "ready"}

    def check_site(self, site: str) -> bool:
        """Is the site ready to run on? Raises BackendError for a site that Dynamo does not know."""
        if site not in self.site_list():
            raise _unknown(self.engine, site)
        return site in self.ready_sites()


def site_id(connection: Connection, site: str) -> int:
    """Raises BackendError for a site that Dynamo does not know.

    Compared here and not by the database, which in some generations does not tell T2_X from t2_x, ignores spaces at
    the end, and fails (1267) on names outside latin1.
    """
    for number, name in connection.execute(select(schema.sites.c.id, schema.sites.c.name)):
        if name == site:
            return int(number)
    raise _unknown(connection.engine, site)


def _unknown(engine: Engine, site: str) -> BackendError:
    return BackendError(f"the database {errors.place(engine)} knows no site {site!r}; `site list` shows those it knows")


def get_listers(site: str, sources: Mapping[str, Source]) -> tuple[ListerFactory, list[tuple[Any, ...]]]:
    """What lists `site`: (constructor, argument tuples), a tuple per lister. Raises BackendError when nothing does."""
    source = sources.get(site)
    if source is None:
        raise BackendError(
            f"nothing says how {site} is listed; add it to `sites` of the backend in backends.yaml, such as "
            f"{site}: {{xrootd: {{servers: [root://door.example.org:1094]}}}}, or give the check a listing.source"
        )
    constructor, [arguments] = listers_of(site, source)
    return constructor, [arguments] * (PARALLEL_LISTERS if source.posix or source.xrootd else 1)
