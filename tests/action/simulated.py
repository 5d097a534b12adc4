"""A site and the Dynamo that manages it, in memory: requests are really carried out, and everything may fail.

Written from what Dynamo's daemons do, without a line of the code under test:

* A deletion waits in a queue; the daemon takes it out, tries once and forgets it: a file is unlinked, an empty
  directory removed, a full one stays, and sometimes nothing happens at all.
* A transfer of a file that the inventory claims drops its replica: whatever lies there is unlinked, the entry is in
  flight, and the file is fetched from another site that has it, or held when there is none.

`SimulatedBackend` has the eleven names and, if wanted, `look_up` and a registry that itemises. Every call of a registry
is judged against the world as it is at that moment; `World.wrongs` says what must never have been asked for.
"""

import contextlib
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from types import SimpleNamespace
from typing import Any, Literal
from unittest import mock

import pyarrow as pa

from dynamo_consistency.backend.contract import INVENTORY_COLUMNS, Known, Outcome
from dynamo_consistency.backend.dataset_filter import DatasetFilter, dataset_of
from dynamo_consistency.errors import BackendError
from dynamo_consistency.run import action
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

DAY = 86400
SITE = "T2_Test"
START = 1_700_000_000


class Crash(BaseException):
    """The process is dead from here on."""


@dataclass
class Entry:
    """What the inventory has of a file."""

    size: int
    time: int = START - 100 * DAY
    in_flight: bool = False
    elsewhere: Literal["disk", "tape", "nowhere"] = "disk"


@dataclass
class Stored:
    """A file at the site."""

    size: int
    mtime: int = START - 100 * DAY


@dataclass
class Asked:
    """One call's request for one path."""

    what: Literal["delete", "transfer"]
    path: bytes
    at: float
    answer: str
    run: str
    """The run whose action made the call."""


@dataclass
class World:
    """Everything that is true, and the switches that disturb it. `now` is the only clock."""

    now: float = START
    entries: dict[bytes, Entry] = field(default_factory=dict)
    files: dict[bytes, Stored] = field(default_factory=dict)
    directories: dict[bytes, int] = field(default_factory=dict)
    protected: set[str] = field(default_factory=set)
    being_deleted: set[str] = field(default_factory=set)
    """Datasets."""

    inventory_down: bool = False
    inventory_breaks_after: int | None = None
    registry_down: bool = False
    site_down: bool = False
    ready: bool = True
    holes: set[bytes] = field(default_factory=set)
    answers_empty: set[bytes] = field(default_factory=set)
    links: set[bytes] = field(default_factory=set)
    asleep: bool = False
    """Dynamo's daemons do nothing."""
    deletions_fail: bool = False
    poison: set[bytes] = field(default_factory=set)
    """Paths on which the registry chokes, with all that is asked in the same call."""
    refused: set[bytes] = field(default_factory=set)

    while_listing: deque[Callable[[], None]] = field(default_factory=deque)
    """What happens elsewhere meanwhile: one after each directory that is listed."""
    before_call: deque[Callable[[], None]] = field(default_factory=deque)
    """What happens before a registry takes what it is asked for, one for each call; it may raise."""
    after_call: deque[Callable[[], None]] = field(default_factory=deque)

    deletions: dict[bytes, float] = field(default_factory=dict)
    transfers: dict[bytes, float] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    acting: str = ""
    losses: Counter[str] = field(default_factory=Counter)
    """How often a call of a run's action was made whose answer never arrived."""
    wrongs: list[str] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)

    # --------------------------------------------------------------------------------------------- making things true

    def register(self, path: bytes, size: int = 100, **facts: object) -> None:
        """An entry of the inventory that has been there for long, unless `facts` say otherwise."""
        self.entries[path] = Entry(size, **facts)

    def store(self, path: bytes, size: int = 100, mtime: float | None = None) -> None:
        """A file at the site, there for long unless `mtime` says otherwise."""
        self.files[path] = Stored(size, int(START - 100 * DAY if mtime is None else mtime))
        self.make_directory(path.rsplit(b"/", 1)[0], mtime)

    def healthy(self, path: bytes, size: int = 100) -> None:
        self.register(path, size)
        self.store(path, size)

    def make_directory(self, path: bytes, mtime: float | None = None) -> None:
        when = int(START - 100 * DAY if mtime is None else mtime)
        while path and path not in self.directories:
            self.directories[path] = when
            path = path.rsplit(b"/", 1)[0]

    def lose(self, path: bytes) -> None:
        """A file goes from the site, without a trace in its directory's time: disks fail so."""
        self.files.pop(path, None)

    def calm(self) -> None:
        """All disturbances end."""
        self.inventory_down = self.registry_down = self.site_down = False
        self.asleep = self.deletions_fail = False
        self.inventory_breaks_after = None
        self.ready = True
        for trouble in (self.holes, self.answers_empty, self.links, self.poison, self.refused):
            trouble.clear()
        for happening in (self.while_listing, self.before_call, self.after_call):
            happening.clear()

    # ------------------------------------------------------------------------------------------------ as time goes by

    def pass_time(self, seconds: float) -> None:
        """Dynamo works while time passes."""
        self.now += seconds
        if not self.asleep:
            self._delete()
            self._transfer()

    def _delete(self) -> None:
        for path in list(self.deletions):
            del self.deletions[path]
            if self.deletions_fail:
                continue
            if path in self.files:
                del self.files[path]
                self._touch_above(path)
            elif path in self.directories and not self.inside(path):
                del self.directories[path]
                self._touch_above(path)

    def _transfer(self) -> None:
        for path in list(self.transfers):
            entry = self.entries.get(path)
            if entry is None:
                del self.transfers[path]
                continue
            self.files.pop(path, None)
            if entry.elsewhere == "disk":
                del self.transfers[path]
                entry.in_flight, entry.time = False, int(self.now)
                self.store(path, entry.size, self.now)

    def _touch_above(self, path: bytes) -> None:
        above = path.rsplit(b"/", 1)[0]
        if above in self.directories:
            self.directories[above] = int(self.now)

    def inside(self, directory: bytes) -> list[bytes]:
        """Everything directly in a directory."""
        return [path for path in (*self.files, *self.directories) if path.rsplit(b"/", 1)[0] == directory]

    # ---------------------------------------------------------------------------------------------------- what is asked

    def list_directory(self, directory: str) -> tuple[bool, list, list]:
        """What `get_listers` gives."""
        path = _bytes(directory)
        answer = self._answer(path)
        if self.while_listing:
            self.while_listing.popleft()()
        return answer

    def _answer(self, path: bytes) -> tuple[bool, list, list]:
        if self.site_down or path in self.holes or path not in self.directories:
            return False, [], []
        if path in self.answers_empty:
            return True, [], []
        there = self.inside(path)
        if any(entry in self.links for entry in there):
            return False, [], []
        names = {entry: entry.rsplit(b"/", 1)[1] for entry in there}
        directories = [(names[entry], self.directories[entry]) for entry in there if entry in self.directories]
        files = [
            (names[entry], self.files[entry].size, self.files[entry].mtime) for entry in there if entry in self.files
        ]
        return True, directories, files

    def delete(self, path: bytes) -> str:
        """Take one request for deletion, as Dynamo does: one row for each file."""
        self._judge_deletion(path)
        answer = "requested"
        if path in self.refused or path in self.entries:
            answer = "refused"
        elif path in self.deletions:
            answer = "waiting"
        else:
            self.deletions[path] = self.now
        return self._note("delete", path, answer)

    def transfer(self, path: bytes) -> str:
        self._judge_transfer(path)
        entry = self.entries.get(path)
        answer = "requested"
        if path in self.refused or entry is None or entry.elsewhere != "disk":
            answer = "refused"
        elif path in self.transfers:
            answer = "waiting"
        else:
            self.transfers[path] = self.now
            entry.in_flight = True
        return self._note("transfer", path, answer)

    def _note(self, what: Literal["delete", "transfer"], path: bytes, answer: str) -> str:
        self.asked.append(Asked(what, path, self.now, answer, self.acting))
        kind = "directory" if path in self.directories else "file"
        self.events[f"{what} {kind}: {answer}"] += 1
        return answer

    def _judge_deletion(self, path: bytes) -> None:
        """Whatever this says must never happen, whether or not the registry would have saved us."""
        name = path.decode("utf-8", "backslashreplace")
        if path in self.entries:
            self.wrongs.append(f"deletion of {name}, which the inventory claims")
        if path in self.files:
            if dataset_of(name) in self.protected | self.being_deleted or dataset_of(name) is None:
                self.wrongs.append(f"deletion of {name}, whose dataset is protected")
            if self.files[path].mtime + DAY >= self.now:
                self.wrongs.append(f"deletion of {name}, which is being written")
        if path in self.directories and any(inside not in self.deletions for inside in self.inside(path)):
            self.wrongs.append(f"deletion of {name}, which has something in it that stays")

    def _judge_transfer(self, path: bytes) -> None:
        """A transfer unlinks what is there: an intact file must not be asked for, nor one that is being written."""
        name, entry, stored = path.decode("utf-8", "backslashreplace"), self.entries.get(path), self.files.get(path)
        if entry is None:
            self.wrongs.append(f"transfer of {name}, which the inventory does not know")
            return
        if stored is not None and stored.size == entry.size:
            self.wrongs.append(f"transfer of {name}, which is intact")
        if stored is not None and stored.mtime + DAY >= self.now:
            self.wrongs.append(f"transfer of {name}, which is being written")
        if entry.in_flight and path not in self.transfers:
            self.wrongs.append(f"transfer of {name}, which is in flight")


class SimulatedBackend:
    """The eleven names on a world. `looking`: look-ups and streaming; `itemising`: a registry with an answer a file."""

    DatasetFilter = DatasetFilter

    def __init__(self, world: World, *, looking: bool = True, itemising: bool = True) -> None:
        self.world = world
        self.inventory = SimpleNamespace(
            list_files=self._list_files, protected_datasets=lambda site: self._up(set(world.protected))
        )
        if looking:
            self.inventory.stream, self.inventory.look_up = self._stream, self._look_up
        self.registry = SimpleNamespace(delete=self._delete, transfer=self._transfer)
        if itemising:
            self.registry.request_deletion = lambda site, files: self._itemised(world.delete, files)
            self.registry.request_transfer = lambda site, files: self._itemised(world.transfer, files)
        self.siteinfo = SimpleNamespace(site_list=lambda: [SITE], ready_sites=lambda: {SITE} if world.ready else set())

    def describe(self) -> str:
        return "a simulated Dynamo"

    def check_site(self, site: str) -> bool:
        return self.world.ready

    def deletion_requests(self, site: str) -> set[str]:
        return self._up(set(self.world.being_deleted))

    def filelist_to_blocklist(self, site: str, infile: str, outfile: str) -> None:
        """Nothing to say of blocks."""

    def get_listers(self, site: str) -> tuple[Callable, list[tuple]]:
        return self.world.list_directory, [()]

    def _up(self, answer: set[str]) -> set[str]:
        if self.world.inventory_down:
            raise ConnectionError("the inventory is down")
        return answer

    def _rows(self) -> Iterator[tuple[bytes, Entry]]:
        for number, (path, entry) in enumerate(list(self.world.entries.items())):
            if self.world.inventory_down or number == self.world.inventory_breaks_after:
                raise ConnectionError("the inventory is down")
            yield path, entry
        if self.world.inventory_down:
            raise ConnectionError("the inventory is down")

    def _list_files(self, site: str) -> Iterator[tuple[bytes, int, datetime]]:
        """A plain backend only has times: what is in flight has changed just now."""
        for path, entry in self._rows():
            yield path, entry.size, datetime.fromtimestamp(self.world.now if entry.in_flight else entry.time, UTC)

    def _stream(self, site: str) -> Iterator[pa.RecordBatch]:
        rows = self._rows()
        while some := list(islice(rows, 16)):
            table = [
                (path, entry.size, entry.time, entry.in_flight, dataset_of(_text(path)), None, None)
                for path, entry in some
            ]
            columns = zip(*table, strict=True)
            arrays = [pa.array(values, field.type) for values, field in zip(columns, INVENTORY_COLUMNS, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=INVENTORY_COLUMNS)

    def _look_up(self, site: str, files: list[bytes]) -> dict[bytes, Known]:
        if self.world.inventory_down:
            raise BackendError("the inventory is down")
        known = {path: self.world.entries[path] for path in files if path in self.world.entries}
        return {
            path: Known(entry.size, entry.in_flight, dataset_of(_text(path)), entry.time)
            for path, entry in known.items()
        }

    @contextlib.contextmanager
    def _call(self, files: list[bytes]) -> Iterator[None]:
        if self.world.before_call:
            self.world.before_call.popleft()()
        if self.world.registry_down or self.world.poison & set(files):
            raise ConnectionError("the registry is down")
        self.world.losses[self.world.acting] += 1
        yield
        if self.world.after_call:
            self.world.after_call.popleft()()
        self.world.losses[self.world.acting] -= 1

    def _itemised(self, ask: Callable[[bytes], str], files: list[bytes]) -> list[Outcome]:
        with self._call(files):
            return [Outcome(path, ask(path)) for path in files]

    def _delete(self, site: str, files: list[str]) -> int:
        names = [_bytes(name) for name in files]
        with self._call(names):
            return sum(self.world.delete(name) == "requested" for name in names)

    def _transfer(self, site: str, files: list[str]) -> tuple[list[str], list[str]]:
        names = [_bytes(name) for name in files]
        with self._call(names):
            answers = {name: self.world.transfer(name) for name in names}
        lost = [name for name, answer in answers.items() if answer == "refused" and name in self.world.entries]
        no_disk = [_text(name) for name in lost]
        nowhere = [name for name in no_disk if self.world.entries[_bytes(name)].elsewhere == "nowhere"]
        return no_disk, nowhere


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


@contextlib.contextmanager
def clock_of(world: World) -> Iterator[None]:
    """The world's clock is everybody's, run ids included; calls know their run; and nothing waits for a disk."""

    def act(store: RunStore, run: RunDirectory, *rest: Any) -> Any:
        world.acting = run.run_id
        return action.act(store, run, *rest)

    with (
        mock.patch("time.time", side_effect=lambda: world.now),
        mock.patch.object(RunDirectory, "modified", side_effect=lambda *_: world.now),
        mock.patch("dynamo_consistency.run.pipeline.act", act),
        mock.patch("os.fsync"),
    ):
        yield
