"""The report that tells people which datasets, of which accounts, the files of a list belong to."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, select

from dynamo_consistency.backend.blocks import UNKNOWN, Block, block_of, read_names, write_report
from dynamo_consistency.backend.rucio.catalogue import rses
from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue
from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did, path_of
from dynamo_consistency.backend.rucio.catalogue.replica_records import is_one_of, spellings
from dynamo_consistency.backend.rucio.catalogue.rses import Rse
from dynamo_consistency.backend.rucio.options import Options
from dynamo_consistency.backend.sql.reading import chunks


def write_blocklist(catalogue: Catalogue, options: Options, site: str, infile: str, outfile: str) -> None:
    """Of several datasets that a file is in, the first by name counts; its group is who has a rule for it at the RSE.

    Raises BackendError for an unknown RSE, ConfigurationError for a file that cannot be read or written.
    """
    counts: Counter[Block] = Counter()
    with catalogue.reading() as connection:
        report = _Report(connection, catalogue, options, rses.find(connection, catalogue, site))
        for names in chunks(read_names(infile)):
            counts.update(report.blocks(names))
    write_report(outfile, counts)


class _Report:
    def __init__(self, connection: Connection, catalogue: Catalogue, options: Options, rse: Rse) -> None:
        self._connection, self._tables, self._rse = connection, catalogue.tables, rse
        self._by_cms_name = options.dataset_names == "cms"
        self._translation = rses.translation(rse, options) if rse.deterministic else None
        self._groups: dict[Did, str | None] = {}

    def blocks(self, names: Sequence[bytes]) -> Iterator[Block]:
        """The block of each name."""
        candidates = self._candidates(names)
        datasets = self._datasets({did for dids in candidates.values() for did in dids})
        for name in names:
            found = sorted(datasets[did] for did in candidates[name] if did in datasets)
            yield self._block(found[0]) if found else block_of(name)

    def _candidates(self, names: Sequence[bytes]) -> dict[bytes, list[Did]]:
        """Every DID that may be the file, or is."""
        found = {name: list(self._translation.dids(name)) if self._translation else [] for name in names}
        table = self._tables.replicas
        for texts in chunks(text for name in names for text in spellings(name)):
            query = select(table.c.path, table.c.scope, table.c.name).where(
                table.c.rse_id == self._rse.id, table.c.path.in_(texts)
            )
            for path, scope, name in self._connection.execute(query):
                if (known := path_of(path)) in found:
                    found[known].append(Did(scope, name))
        return found

    def _datasets(self, dids: set[Did]) -> dict[Did, Did]:
        table = self._tables.contents
        columns = (table.c.child_scope, table.c.child_name, table.c.scope, table.c.name)
        found: defaultdict[Did, set[Did]] = defaultdict(set)
        for some in chunks(sorted(dids)):
            query = select(*columns).where(is_one_of(table.c.child_scope, table.c.child_name, some))
            for child_scope, child_name, scope, name in self._connection.execute(query):
                found[Did(child_scope, child_name)].add(Did(scope, name))
        return {did: min(datasets) for did, datasets in found.items()}

    def _block(self, dataset: Did) -> Block:
        if dataset not in self._groups:
            self._groups[dataset] = self._owner(dataset)
        if self._by_cms_name:
            name, _, block = dataset.name.partition("#")
            return block_of(b"", name, block, self._groups[dataset])
        return block_of(b"", f"{dataset.scope}:{dataset.name}", UNKNOWN, self._groups[dataset])

    def _owner(self, dataset: Did) -> str | None:
        """Whose rule it is that has the dataset here; else whose dataset it is."""
        locks, dids = self._tables.dataset_locks, self._tables.dids
        here = select(locks.c.account).where(
            locks.c.scope == dataset.scope, locks.c.name == dataset.name, locks.c.rse_id == self._rse.id
        )
        owner = select(dids.c.account).where(dids.c.scope == dataset.scope, dids.c.name == dataset.name)
        accounts = self._connection.execute(here).scalars().all() or self._connection.execute(owner).scalars().all()
        return min(accounts, default=None)
