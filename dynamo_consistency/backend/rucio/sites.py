"""The RSEs as sites: which there are, which are ready, and what lists one."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from dynamo_consistency.backend.rucio import listing_source
from dynamo_consistency.backend.rucio.catalogue import rses
from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue
from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did
from dynamo_consistency.backend.rucio.catalogue.rses import Rse
from dynamo_consistency.backend.rucio.options import Options
from dynamo_consistency.backend.rucio.requests import lfn2pfn_check
from dynamo_consistency.backend.rucio.rest.client import RestClient
from dynamo_consistency.check import Source
from dynamo_consistency.errors import ConfigurationError

DEFAULT_EXPRESSION = Options.model_fields["ready_sites"].default


@dataclass(frozen=True)
class SiteInfo:
    """`siteinfo` of the backend contract."""

    catalogue: Catalogue
    options: Options
    rest: RestClient | None

    def site_list(self) -> list[str]:
        """All RSEs, sorted by name."""
        with self.catalogue.reading() as connection:
            return rses.names(connection, self.catalogue)

    def attributes(self, beginning: str) -> dict[str, dict[str, str | None]]:
        """Of each RSE, by its name, the attributes whose names begin so."""
        with self.catalogue.reading() as connection:
            return rses.attributes(connection, self.catalogue, beginning)

    def ready_sites(self) -> set[str]:
        """RSEs that fit the expression `readySites`, and where files stay.

        Raises ConfigurationError for an expression other than the default one where there is no server to ask.
        """
        table = self.catalogue.tables.rses
        lasting = select(table.c.rse).where(
            table.c.vo == self.catalogue.vo,
            table.c.deleted.is_(False),
            table.c.staging_area.is_(False),
            table.c.volatile.is_(False),
        )
        if self.rest is not None:
            fitting = self.rest.rses(self.options.ready_sites)
            with self.catalogue.reading() as connection:
                return fitting & set(connection.execute(lasting).scalars())
        if self.options.ready_sites != DEFAULT_EXPRESSION:
            raise ConfigurationError("readySites is an expression that Rucio's server evaluates; set `rest`")
        is_disk = self.catalogue.tables.text_of(table.c.rse_type) == "DISK"
        with self.catalogue.reading() as connection:
            return set(connection.execute(lasting.where(is_disk, table.c.availability_read.is_(True))).scalars())

    def check_site(self, site: str) -> bool:
        """Is the RSE ready to run on: among `ready_sites`, readable, and offered for reading from outside?

        Raises BackendError for an RSE that the catalogue does not know, and where the paths that the server makes are
        not ours: everything would be missing, and everything an orphan.
        """
        with self.catalogue.reading() as connection:
            rse = rses.find(connection, self.catalogue, site)
            sample = self._sample(connection, rse)
        if site not in self.ready_sites() or not rse.availability_read:
            return False
        if site not in self.options.sites and not any(protocol.read for protocol in rse.protocols):
            return False
        if rse.deterministic:
            translation = rses.translation(rse, self.options)
            if self.rest is not None and sample:
                lfn2pfn_check.require(rse, translation, self.rest.lfns2pfns(site, sample))
        return True

    def _sample(self, connection: Connection, rse: Rse) -> list[Did]:
        """Some files whose paths are computed."""
        table = self.catalogue.tables.replicas
        query = select(table.c.scope, table.c.name).where(table.c.rse_id == rse.id, table.c.path.is_(None))
        return [Did(*row) for row in connection.execute(query.limit(lfn2pfn_check.SAMPLE))]

    def listing_source(self, site: str) -> Source:
        """What lists the RSE, in the words of a check. Raises BackendError where its protocols do not tell."""
        if site in self.options.sites:
            return self.options.sites[site]
        with self.catalogue.reading() as connection:
            rse = rses.find(connection, self.catalogue, site)
        return listing_source.source(rse)
