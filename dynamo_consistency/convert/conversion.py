"""The result of a conversion: documents that are valid checks, and notes on the settings that they do not have."""

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dynamo_consistency import paths
from dynamo_consistency.check import API_VERSION, KIND, SiteConsistencyCheck
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.yamlfile import Document

_LONGEST_NAME = 40


class Note(NamedTuple):
    """One key of one site's settings that is not in the check, and why. `site` None: it concerns all sites."""

    key: str
    why: str
    site: str | None = None


@dataclass
class Conversion:
    """`documents`: SiteConsistencyCheck resources, by the names of their sites, each of which is valid."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def add(self, site: str, spec: dict[str, Any]) -> None:
        """Make a document of `spec`. One that would not be valid is left out, and noted."""
        taken = {document["metadata"]["name"] for document in self.documents.values()}
        document = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": resource_name(site, taken)},
            "spec": spec,
        }
        try:
            Document("", document, {}).parse(SiteConsistencyCheck)
        except ConfigurationError as error:
            for line in str(error).splitlines():
                self.notes.append(Note("no check", line.removeprefix(":1: "), site))
        else:
            self.documents[site] = document

    def lines(self) -> list[str]:
        """The notes for people, one line for each: a note that several sites share is there once, with their names."""
        sites: dict[tuple[str, str], list[str]] = {}
        for note in self.notes:
            sites.setdefault((note.key, note.why), []).extend([note.site] if note.site else [])
        return [paths.visible(f"{key}: {why}{_of(names)}") for (key, why), names in sites.items()]


def resource_name(site: str, taken: Iterable[str] = ()) -> str:
    """A name for the resource of `site` that Kubernetes allows and none of `taken`: T2_DE_RWTH is t2-de-rwth."""
    name = re.sub("[^a-z0-9]+", "-", site.lower()).strip("-") or "site"
    if len(name) > _LONGEST_NAME or name in taken:
        mark = f"{zlib.crc32(site.encode('utf-8', 'surrogatepass')):08x}"
        name = f"{name[: _LONGEST_NAME - len(mark) - 1].rstrip('-')}-{mark}"
    return name


def _of(sites: list[str]) -> str:
    shown = ", ".join(sites[:3]) + (f" and {len(sites) - 3} more" if len(sites) > 3 else "")
    return f" [{shown}]" if sites else ""
