"""Rucio storage elements: what the catalogue says of one, and how a path is made there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue
from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Translation, named
from dynamo_consistency.backend.rucio.options import Options
from dynamo_consistency.errors import BackendError, ConfigurationError


@dataclass(frozen=True)
class RseProtocol:
    """One way into an RSE. A priority of 0 means that it is not offered for that; else 1 is the best."""

    scheme: str
    hostname: str
    port: int
    prefix: str
    tfc: bool
    read: int
    delete: int


@dataclass(frozen=True)
class Rse:
    """An RSE that is not deleted. `id` is as the driver gave it, and is handed back so."""

    id: Any
    name: str
    type: str
    deterministic: bool
    volatile: bool
    staging_area: bool
    availability_read: bool
    availability_write: bool
    availability_delete: bool
    attributes: Mapping[str, str | None]
    protocols: Sequence[RseProtocol]

    @property
    def tfc(self) -> bool:
        """Are paths made by the rules of a trivial file catalogue, which a protocol holds?"""
        return any(protocol.tfc for protocol in self.protocols)


def names(connection: Connection, catalogue: Catalogue) -> list[str]:
    """All RSEs of the VO, sorted by name."""
    rses = catalogue.tables.rses
    query = select(rses.c.rse).where(rses.c.deleted.is_(False), rses.c.vo == catalogue.vo)
    return sorted(set(connection.execute(query).scalars()))


def attributes(connection: Connection, catalogue: Catalogue, beginning: str) -> dict[str, dict[str, str | None]]:
    """Of each RSE, by its name, the attributes whose names begin so."""
    rses, pairs = catalogue.tables.rses, catalogue.tables.rse_attributes
    query = select(rses.c.rse, pairs.c.key, pairs.c.value).where(
        pairs.c.rse_id == rses.c.id,
        rses.c.deleted.is_(False),
        rses.c.vo == catalogue.vo,
        pairs.c.key.startswith(beginning, autoescape=True),
    )
    found: dict[str, dict[str, str | None]] = {}
    for rse, key, value in connection.execute(query):
        found.setdefault(rse, {})[key] = value
    return found


def find(connection: Connection, catalogue: Catalogue, name: str) -> Rse:
    """The RSE of this very name in the VO. Raises BackendError when there is none."""
    tables = catalogue.tables
    rses, attributes, protocols = tables.rses, tables.rse_attributes, tables.protocols
    columns = [column for column in rses.c if column.name not in ("deleted", "rse", "rse_type")]
    query = select(rses.c.rse.label("name"), tables.text_of(rses.c.rse_type).label("type"), *columns)
    rows = connection.execute(query.where(rses.c.rse == name, rses.c.deleted.is_(False))).all()
    named = [row._asdict() for row in rows if row.name == name]  # some databases find x for X
    vos = [row.pop("vo") for row in named]
    found = [row for row, vo in zip(named, vos, strict=True) if vo == catalogue.vo]
    if vos and not found:
        raise BackendError(
            f"the catalogue {catalogue.place} has {name} in the VO {', '.join(sorted(vos))} and not in {catalogue.vo}; "
            "set vo of the backend in backends.yaml"
        )
    if not found:
        raise BackendError(f"the catalogue {catalogue.place} knows no RSE {name!r}; `site list` shows those it knows")
    rse = found[0]["id"]
    pairs = connection.execute(select(attributes.c.key, attributes.c.value).where(attributes.c.rse_id == rse))
    doors = connection.execute(select(protocols).where(protocols.c.rse_id == rse))
    return Rse(
        attributes={row.key: row.value for row in pairs},
        protocols=[_protocol(door) for door in doors],
        **found[0],
    )


def _protocol(row: Any) -> RseProtocol:
    return RseProtocol(
        scheme=row.scheme,
        hostname=row.hostname or "",
        port=row.port or 0,
        prefix=row.prefix or "",
        tfc='"tfc"' in (row.extended_attributes or ""),
        read=row.read_wan or 0,
        delete=row.delete_wan or 0,
    )


def translation(rse: Rse, options: Options) -> Translation:
    """How scope and name make a path at `rse`, and back.

    Raises ConfigurationError when `lfn2pfn` is auto and we cannot do what the catalogue asks for.
    """
    if options.lfn2pfn != "auto":
        return Translation(named(options.lfn2pfn), options.scope, options.scopes)
    if rse.tfc:
        raise ConfigurationError(
            f"the paths of {rse.name} are made by a TFC, which is in the extended attributes of a protocol and is "
            "not followed; set lfn2pfn (cms: the path is the LFN), and what lists the RSE under `sites`"
        )
    algorithm = rse.attributes.get("lfn2pfn_algorithm") or "default"
    if algorithm not in ("default", "hash", "identity", "cmstfc"):
        raise ConfigurationError(
            f"the paths of {rse.name} are made by the algorithm {algorithm!r}, which is not known here; set lfn2pfn to "
            "module:attribute of a plug-in that does the same"
        )
    return Translation(named("hash" if algorithm == "default" else algorithm), options.scope, options.scopes)
