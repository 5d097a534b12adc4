"""Which datasets a file belongs to, as Rucio's table `contents` has it."""

import contextlib
import threading
import weakref
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property

from sqlalchemy import Connection, select

from dynamo_consistency import paths
from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue
from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did, Translation, named, path_of
from dynamo_consistency.backend.rucio.catalogue.replica_records import is_one_of, spellings
from dynamo_consistency.backend.rucio.options import Options
from dynamo_consistency.backend.sql import errors
from dynamo_consistency.backend.sql.reading import chunks

ALGORITHMS = ("hash", "identity", "cms")
"""By which a path may have been made, where that is left to each RSE."""


class ContentsFilter:
    """A filter for datasets that are named `scope:name`.

    A file is protected when one of them contains it, directly or through other datasets and containers; and when Rucio
    knows it, but no dataset of it. All answers come from one view of the catalogue, that of the first question.
    """

    def __init__(self, catalogue: Catalogue, options: Options, datasets: Collection[str]) -> None:
        self._catalogue = catalogue
        self._datasets = frozenset(datasets)
        algorithms = ALGORITHMS if options.lfn2pfn == "auto" else (options.lfn2pfn,)
        self._translations = [Translation(named(name), options.scope, options.scopes) for name in algorithms]
        self._above: dict[Did, frozenset[Did]] = {}
        self._lock = threading.Lock()  # a comparison may ask from several threads

    def protected(self, filename: str) -> bool:
        """Raises BackendError when the catalogue cannot tell."""
        return bool(self.protected_among([filename]))

    def protected_among(self, filenames: Iterable[str]) -> set[str]:
        """Those that are protected, with few questions for many files. Raises BackendError as `protected` does."""
        found: set[str] = set()
        with self._lock, errors.explained(self._catalogue.engine):
            for some in chunks(filenames):
                known = self._known([paths.to_bytes(name) for name in some])
                parents = self._parents({did for dids in known.values() for did in dids})
                for name in some:
                    dids = known[paths.to_bytes(name)]
                    found |= {name for did in dids if self._is_protected(parents.get(did, frozenset()))}
        return found

    @cached_property
    def _connection(self) -> Connection:
        """Closed when nobody holds the filter any more."""
        view = contextlib.ExitStack()
        weakref.finalize(self, view.close)
        return view.enter_context(self._catalogue.reading())

    def _known(self, files: Sequence[bytes]) -> dict[bytes, set[Did]]:
        """What Rucio has, wherever, that may be at each path."""
        replicas, dids = self._catalogue.tables.replicas, self._catalogue.tables.dids
        found: dict[bytes, set[Did]] = {path: set() for path in files}
        for texts in chunks(text for path in files for text in spellings(path)):
            stored = select(replicas.c.path, replicas.c.scope, replicas.c.name).where(replicas.c.path.in_(texts))
            for text, *did in self._connection.execute(stored.distinct()):
                found.get(path_of(text), set()).add(Did(*did))
        guesses = {path: {did for made in self._translations for did in made.dids(path)} for path in files}
        for some in chunks({did for guessed in guesses.values() for did in guessed}):
            registered = select(dids.c.scope, dids.c.name).where(is_one_of(dids.c.scope, dids.c.name, some))
            there = {Did(*row) for row in self._connection.execute(registered)}
            for path, guessed in guesses.items():
                found[path] |= guessed & there
        return found

    def _is_protected(self, parents: frozenset[Did]) -> bool:
        """Is one of them, or of what they are in themselves at any depth, among ours? Or are there none?"""
        above: set[Did] = set()
        unseen = set(parents)
        while unseen:
            above |= unseen
            if lacking := unseen - self._above.keys():
                found = self._parents(lacking)
                self._above |= {did: found.get(did, frozenset()) for did in lacking}
            unseen = {parent for did in unseen for parent in self._above[did]} - above
        return not above or not self._datasets.isdisjoint(f"{scope}:{name}" for scope, name in above)

    def _parents(self, dids: Collection[Did]) -> dict[Did, frozenset[Did]]:
        """The datasets, or containers, that directly have each of these."""
        table = self._catalogue.tables.contents
        child = (table.c.child_scope, table.c.child_name)
        found: defaultdict[Did, set[Did]] = defaultdict(set)
        for some in chunks(dids):
            query = select(*child, table.c.scope, table.c.name).where(is_one_of(*child, some))
            for child_scope, child_name, scope, name in self._connection.execute(query):
                found[Did(child_scope, child_name)].add(Did(scope, name))
        return {did: frozenset(parents) for did, parents in found.items()}
