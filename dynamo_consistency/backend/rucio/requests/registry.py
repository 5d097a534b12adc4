"""`registry` of the backend contract: what is asked of Rucio, for which run, and what has become of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dynamo_consistency import paths
from dynamo_consistency.backend.contract import Asked, Became, Outcome, Withdrawn
from dynamo_consistency.backend.optional_features import number_requested
from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue
from dynamo_consistency.backend.rucio.catalogue.other_copies import without_source
from dynamo_consistency.backend.rucio.options import Options
from dynamo_consistency.backend.rucio.requests import followup, withdrawal
from dynamo_consistency.backend.rucio.requests.quarantine import Quarantine
from dynamo_consistency.backend.rucio.requests.transfer import Transfer
from dynamo_consistency.backend.rucio.rest.client import RestClient
from dynamo_consistency.errors import ConfigurationError


@dataclass(frozen=True)
class Registry:
    """Reads the catalogue, and writes by REST only. `client` is None where backends.yaml names no server."""

    catalogue: Catalogue
    options: Options
    client: RestClient | None
    run_id: str = ""

    def for_run(self, run_id: str) -> "Registry":
        """The same, with the run in the reason of every declaration."""
        return replace(self, run_id=run_id)

    def takes_directories(self, site: str) -> bool:
        """Rucio deletes files only; what its dark reaper would do to a directory depends on the protocol."""
        return False

    def request_deletion(self, site: str, files: Sequence[bytes]) -> list[Outcome]:
        """See `contract.ItemisingRegistry`; beside that, a file that Rucio has registered at the site is refused."""
        quarantine = Quarantine(self.catalogue, self.options, self._server(), site)
        # With and without a slash in front it is one file.
        forms = {path: b"/" + path.removeprefix(b"/") for path in files}
        outcomes = quarantine.request(list(dict.fromkeys(forms.values())))
        return [outcomes[forms[path]]._replace(path=path) for path in files]

    def request_transfer(self, site: str, files: Sequence[bytes]) -> list[Outcome]:
        """See `contract.ItemisingRegistry`."""
        transfer = Transfer(self.catalogue, self.options, self._server(), site, self.run_id)
        outcomes = transfer.request(list(dict.fromkeys(files)))
        return [outcomes[path] for path in files]

    def delete(self, site: str, files: Iterable[str]) -> int:
        """The number of files whose deletion is requested now, also if it was already; the others are logged."""
        return number_requested(self.request_deletion(site, [paths.to_bytes(name) for name in files]))

    def transfer(self, site: str, files: Iterable[str]) -> tuple[list[str], list[str]]:
        """Requests what can be had again; what is refused for another reason than its sources is logged."""
        names = list(files)
        no_disk, nowhere = self.sources(site, names)
        lacking = set(nowhere if self.options.recall_from_tape else no_disk)
        number_requested(self.request_transfer(site, [paths.to_bytes(name) for name in names if name not in lacking]))
        return no_disk, nowhere

    def sources(self, site: str, files: Iterable[str]) -> tuple[list[str], list[str]]:
        """(files that no disk elsewhere has, of those: also none on tape), in the order given; only reads."""
        return without_source(self.catalogue, self.options, site, list(files))

    def follow(self, site: str, asked: Sequence[Asked]) -> list[Became]:
        """See `contract.FollowingRegistry`."""
        return followup.follow(self.catalogue, self.options, site, asked)

    def withdraw(self, site: str, asked: Sequence[Asked]) -> list[Withdrawn]:
        """See `contract.WithdrawingRegistry`."""
        return withdrawal.withdraw(self.catalogue, self.options, site, asked)

    def _server(self) -> RestClient:
        if self.client is None:
            raise ConfigurationError("nothing can be asked of Rucio; add `rest` to the backend in backends.yaml")
        return self.client
