"""Files of runs as local paths: in place on a disk; from an object store copied once, and kept while there is room."""

import contextlib
import hashlib
import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.store.opening import open_storage
from dynamo_consistency.run.store.run_directory import RunStore

ROOM = 1 << 30
"""Bytes of copies that are kept."""

_STRIPES = 32


@dataclass
class _Copy:
    path: Path
    size: int
    users: int = 0


class RunFiles:
    """Used by several threads at once."""

    def __init__(self, store: RunStore, folder: Path, room: int = ROOM) -> None:
        """`folder`: for copies, of this process alone."""
        self._storage = open_storage(store.url)
        self._local = store.local_path()
        self._folder, self._room = folder, room
        self._copies: OrderedDict[str, _Copy] = OrderedDict()
        self._lock = threading.Lock()
        self._making = [threading.Lock() for _ in range(_STRIPES)]

    @property
    def is_local(self) -> bool:
        """Are the files used in place?"""
        return self._local is not None

    @property
    def folders(self) -> list[Path]:
        """Below these lie all the paths that are given."""
        return [self._folder, *([self._local] if self._local else [])]

    def contents(self, site: str, run_id: str, name: str) -> bytes | None:
        """A small file; None when it is not there."""
        return self._storage.contents(f"{site}/{run_id}/{name}")

    @contextlib.contextmanager
    def opened(self, site: str, run_id: str, name: str) -> Iterator[Path | None]:
        """A path to read a file from, valid inside the block; None when it is not there."""
        file = f"{site}/{run_id}/{name}"
        stamp = self._storage.stamp(file)
        if stamp is None or self._local is not None:
            yield None if stamp is None or self._local is None else self._local / file
            return
        copy = self._take(file, stamp)
        try:
            yield copy.path if copy else None
        finally:
            self._give_back(copy)

    def _take(self, file: str, stamp: str) -> _Copy | None:
        """The copy of a file, made by one of those who want it while the others wait."""
        key = f"{file}\0{stamp}"
        with self._making[hash(key) % _STRIPES]:
            return self._known(key) or self._made(key, file)

    def _known(self, key: str) -> _Copy | None:
        with self._lock:
            copy = self._copies.get(key)
            if copy is not None:
                self._copies.move_to_end(key)
                copy.users += 1
            return copy

    def _made(self, key: str, file: str) -> _Copy | None:
        path = self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.parquet"
        try:
            with self._storage.reading(file) as source:
                _keep(source, path, file)
        except FileNotFoundError:
            return None
        copy = _Copy(path, path.stat().st_size, users=1)
        with self._lock:
            self._copies[key] = copy
            self._make_room()
        return copy

    def _give_back(self, copy: _Copy | None) -> None:
        with self._lock:
            if copy is not None:
                copy.users -= 1
                self._make_room()

    def _make_room(self) -> None:
        used = sum(copy.size for copy in self._copies.values())
        for key, copy in list(self._copies.items()):
            if used <= self._room:
                return
            if copy.users == 0:
                used -= copy.size
                del self._copies[key]
                copy.path.unlink(missing_ok=True)


def _keep(source: Path, target: Path, file: str) -> None:
    try:
        shutil.move(source, target)
    except OSError as error:
        raise ConsistencyError(f"there is no room for a copy of {file}: {error.strerror}") from None
