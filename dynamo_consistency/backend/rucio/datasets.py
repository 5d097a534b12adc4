"""Which datasets a file belongs to, as Rucio's table `contents` has it."""

import contextlib
import threading
import weakref
from collections.abc import Collection, Iterator
from functools import cached_property

from sqlalchemy import Connection, select

from dynamo_consistency import paths
from dynamo_consistency.backend.rucio.connect import Catalogue
from dynamo_consistency.backend.rucio.lfn2pfn import Did, Translation, named
from dynamo_consistency.backend.rucio.options import Options
from dynamo_consistency.backend.rucio.records import spellings
from dynamo_consistency.backend.sql import trouble

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
        self._translations = [Translation(named(name), options.scope) for name in algorithms]
        self._above: dict[Did, frozenset[Did]] = {}
        self._lock = threading.Lock()  # a comparison asks from several threads

    def protected(self, filename: str) -> bool:
        """Raises BackendError when the catalogue cannot tell."""
        with self._lock, trouble.explained(self._catalogue.engine):
            return any(self._is_protected(did) for did in self._known(paths.to_bytes(filename)))

    @cached_property
    def _connection(self) -> Connection:
        """Closed when nobody holds the filter any more."""
        view = contextlib.ExitStack()
        weakref.finalize(self, view.close)
        return view.enter_context(self._catalogue.reading())

    def _is_protected(self, did: Did) -> bool:
        above = self._ancestors(did)
        return not above or not self._datasets.isdisjoint(f"{scope}:{name}" for scope, name in above)

    def _known(self, path: bytes) -> Iterator[Did]:
        """What Rucio has, wherever, that may be at this path."""
        replicas, dids = self._catalogue.tables.replicas, self._catalogue.tables.dids
        by_path = select(replicas.c.scope, replicas.c.name).distinct().where(replicas.c.path.in_(spellings(path)))
        found = {Did(*row) for row in self._connection.execute(by_path)}
        for guess in dict.fromkeys(did for translation in self._translations for did in translation.dids(path)):
            query = select(dids.c.name).where(dids.c.scope == guess.scope, dids.c.name == guess.name)
            if guess in found or self._connection.execute(query).first() is not None:
                found.add(guess)
        yield from found

    def _ancestors(self, did: Did) -> set[Did]:
        """Every dataset and container that has it, at any depth."""
        found: set[Did] = set()
        waiting = list(self._parents(did))
        while waiting:
            above = waiting.pop()
            if above not in found:
                found.add(above)
                if above not in self._above:
                    self._above[above] = self._parents(above)
                waiting += self._above[above]
        return found

    def _parents(self, did: Did) -> frozenset[Did]:
        contents = self._catalogue.tables.contents
        query = select(contents.c.scope, contents.c.name).where(
            contents.c.child_scope == did.scope, contents.c.child_name == did.name
        )
        return frozenset(Did(*row) for row in self._connection.execute(query))
