"""Our registry on a real Rucio, and what stands in Rucio's tables afterwards."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from rucio_world import Rucio, Site

from dynamo_consistency.backend.rucio.catalogue.connection import connect
from dynamo_consistency.backend.rucio.options import Options
from dynamo_consistency.backend.rucio.requests.registry import Registry
from dynamo_consistency.backend.rucio.rest.client import RestClient

RUN = "20261123T170000Z"

Said = list[tuple[str, str]]


class Asking:
    """HERE is what is asked for; THERE is another disk with a way to it. Both are identity RSEs of Rucio's own."""

    def __init__(self, rucio: Rucio, algorithm: str = "identity") -> None:
        self.rucio = rucio
        self.here = rucio.rse("HERE", algorithm=algorithm)

    @cached_property
    def there(self) -> Site:
        """Made when it is first spoken of."""
        site = self.rucio.rse("THERE")
        self.rucio.distance(site, self.here)
        return site

    def registry(self, account: str = "root", **settings: Any) -> Registry:
        entry = self.rucio.entry(**{"rest": self.rucio.rest_options(account), **settings})
        options = Options.model_validate(entry)
        client = RestClient(options.rest) if options.rest else None
        return Registry(connect(options), options, client).for_run(RUN)

    def lost(self, name: str, *, held: bool = True, copies: Sequence[Site] | None = None, **facts: Any) -> bytes:
        """A file that the catalogue has here and elsewhere, and the storage here has not; its path."""
        path = self.rucio.file(self.here, name, None, **facts)
        for site in [self.there] if copies is None else copies:
            self.rucio.file(site, name, None, scope=facts.get("scope"))
        if held:
            self.rucio.rule(name, self.here, scope=facts.get("scope"))
        return path

    def lost_all(self, names: Sequence[str]) -> dict[str, bytes]:
        """As `lost`, many at a time: name → path."""
        dids = self.rucio.dids(names)
        for site in (self.here, self.there):
            files = [{**did, "bytes": 3, "adler32": "024d0127"} for did in dids]
            self.rucio.ask("POST", "/replicas", {"rse": site.name, "files": files})
        terms = {"copies": 1, "rse_expression": self.here.name, "account": "root"}
        self.rucio.ask("POST", "/rules/", {"dids": dids, **terms})
        return {name: f"/{self.rucio.scope}/{name}".encode() for name in names}

    def transfer(self, *files: bytes, **settings: Any) -> Said:
        return self._said(self.registry(**settings).request_transfer(self.here.name, files), files)

    def delete(self, *files: bytes, **settings: Any) -> Said:
        return self._said(self.registry(**settings).request_deletion(self.here.name, files), files)

    def _said(self, outcomes: Sequence[Any], files: Sequence[bytes]) -> Said:
        assert [outcome.path for outcome in outcomes] == list(files)
        return [(outcome.outcome, outcome.message) for outcome in outcomes]

    def declared(self) -> list[tuple[str, str]]:
        """(name, state) of every declaration here, in their order."""
        query = f"SELECT name, state FROM bad_replicas WHERE {HERE} ORDER BY name, created_at"
        return [(name, str(state)) for name, state in self.rucio.sql(query, rse=self.here.name)]

    def reasons(self) -> set[str]:
        return {
            reason for (reason,) in self.rucio.sql(f"SELECT reason FROM bad_replicas WHERE {HERE}", rse=self.here.name)
        }

    def quarantined(self) -> list[tuple[str, str, str]]:
        """(path, scope, name) of all that waits for the dark reaper here."""
        query = f"SELECT path, scope, name FROM quarantined_replicas WHERE {HERE} ORDER BY path"
        return self.rucio.sql(query, rse=self.here.name)


HERE = "rse_id = (SELECT id FROM rses WHERE rse = :rse)"


def dark(asking: Asking, name: str) -> bytes:
    """The path of a file that Rucio does not know."""
    return f"/{asking.rucio.scope}/{name}".encode()


def outcomes(said: Said) -> list[str]:
    return [outcome for outcome, _ in said]
