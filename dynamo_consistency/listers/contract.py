"""What a lister is: it answers, one directory at a time, what is in a directory of the site.

The walk (`walk.py`) decides what to ask and when to ask again; a lister only knows its protocol. Directories are LFNs
as bytes, absolute and normalised; the lister maps them to its own paths. Names are bytes, relative to the directory.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable


class Subdirectory(NamedTuple):
    """A directory seen in its parent's listing. `mtime` in seconds since 1970, None when unknown.

    `identity` is what the storage itself calls the directory (device and inode), when it says so: two paths with one
    identity are the same directory reached over a link.
    """

    name: bytes
    mtime: int | None
    identity: object = None


class File(NamedTuple):
    """A file seen in its directory's listing: size in bytes, `mtime` in seconds since 1970 (None: unknown)."""

    name: bytes
    size: int | None
    mtime: int | None


@dataclass(slots=True)
class Files:
    """The files directly in a directory, as columns of one length, a file at each place; for units see `File`.

    No step on the way of 10^8 files into the run directory makes an object of each; iteration does. `identities`: what
    the storage calls each (31 bits of its inode above 32 of its device), 0 where it does not say; empty where of none.
    """

    names: list[bytes] = field(default_factory=list)
    sizes: list[int | None] = field(default_factory=list)
    mtimes: list[int | None] = field(default_factory=list)
    identities: list[int] = field(default_factory=list, compare=False)

    @classmethod
    def of(cls, rows: Iterable[File]) -> "Files":
        """The columns of `rows`."""
        return cls(*map(list, zip(*rows, strict=True)))

    def add(self, name: bytes, size: int | None, mtime: int | None, identity: int | None = None) -> None:
        """One more. With `identity` for each file or for none."""
        self.names.append(name)
        self.sizes.append(size)
        self.mtimes.append(mtime)
        if identity is not None:
            self.identities.append(identity)

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[File]:
        return map(File, self.names, self.sizes, self.mtimes)


class Hole(NamedTuple):
    """An entry that is not judged: a link, a name that cannot be asked for. `file`: what a link leads to, 0: none."""

    name: bytes
    reason: str
    file: int = 0


Entry = File | Subdirectory | Hole
"""Whatever a directory holds."""


@dataclass(slots=True)
class Listed:
    """The directory was listed completely: these are all its entries. `notes` are remarks for the log and the report.

    `from_memory`: the site was not asked anew, so that the time of the answer says nothing of how quick it is.
    `identity`: that of the directory itself, where its own answer says so. `is_mount`: another file system begins here.
    `hidden`: what its server leaves out, and may be there all the same.
    """

    directories: list[Subdirectory] = field(default_factory=list)
    files: Files = field(default_factory=Files)
    holes: list[Hole] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    from_memory: bool = False
    identity: object = None
    is_mount: bool = False
    hidden: str = ""


@dataclass(slots=True)
class Failed:
    """The directory could not be listed completely; a partial answer is a failure too.

    `reason`: for the report, without credentials. `retry`: asking again may help, as after a lost connection. `slow`:
    the walk should ask for less at a time. `after`: the seconds that the server wants to pass before it is asked again.
    """

    reason: str
    retry: bool = False
    slow: bool = False
    after: float = 0.0


Answer = Listed | Failed
"""What a lister says of one directory: all of it, or why not."""


class Lister(Protocol):
    """Answers for directories, many at a time. `submit` and `close` are called from one thread, the walk's.

    `capacity` is the number of directories that can usefully be in flight at once (an upper bound of the window).

    The smallest lister, of a site that is a dictionary, and a walk of it:

        >>> from dynamo_consistency.listers.shards import Share
        >>> from dynamo_consistency.listers.walk import Limits, Walk
        >>> SITE = {b"/cms": Listed([Subdirectory(b"mc", None)]), b"/cms/mc": Listed(files=Files([b"a"], [5], [0]))}
        >>> class DictionaryLister:
        ...     capacity = 1
        ...     def prepare(self): pass
        ...     def verify(self): pass
        ...     def submit(self, directory, done): done(SITE.get(directory, Failed("there is no such directory")))
        ...     def forget(self, directory): pass
        ...     def close(self): pass
        >>> for visit in Walk(DictionaryLister(), [b"/cms"], Share(shard=0, shards=1, split_depth=1), Limits()):
        ...     print(visit.directory.path, list(visit.answer.files))
        b'/cms' []
        b'/cms/mc' [File(name=b'a', size=5, mtime=0)]
    """

    capacity: int

    def prepare(self) -> None:
        """Before the first `submit`. Raises ListingError when the site cannot be listed at all."""
        ...

    def verify(self) -> None:
        """After the last answer. Raises ListingError when the answers together cannot be trusted after all."""
        ...

    def submit(self, directory: bytes, done: Callable[[Answer], None]) -> None:
        """Ask for `directory` and return at once; `done` is called exactly once, from any thread.

        Never raises for what the site does: every error is a `Failed`. The walk notices an answer that never comes: it
        calls `forget` after the time limit.
        """
        ...

    def forget(self, directory: bytes) -> None:
        """The answer for `directory` is no longer awaited; free what it holds (a stuck thread, a connection)."""
        ...

    def close(self) -> None:
        """Give up all connections; answers that are still under way may be dropped."""
        ...


class Answers(Protocol):
    """A queue of (token of the request, time of arrival in seconds of the walk's clock, answer)."""

    def put(self, item: tuple[int, float, Answer]) -> None:
        """Add an answer, from any thread."""

    def get(self, block: bool = True, timeout: float | None = None) -> tuple[int, float, Answer]:
        """The oldest answer. Raises queue.Empty when none came, after `timeout` seconds at most."""


@runtime_checkable
class LedLister(Lister, Protocol):
    """A lister whose answers come quickest when the thread that waits in `answers()` works for it meanwhile."""

    def answers(self) -> Answers:
        """A queue for the answers of one walk, to be waited at by its thread."""


@runtime_checkable
class ClusterLister(Lister, Protocol):
    """A lister over servers that number directories, and of which some may stand behind others."""

    @property
    def behind(self) -> list[str]:
        """The names of the data servers behind the doors, sorted, after `prepare`; none where the doors are all."""
        ...

    def identify(self, root: bytes) -> object:
        """What the storage calls a root, after `prepare`; None where it does not say. Waits for the answer."""
        ...


@runtime_checkable
class LineLister(Lister, Protocol):
    """A lister that says whether it is answered in lines, so that a name with a line end may come as another name."""

    in_lines: bool


ListerFactory = Callable[..., Any]
"""What `get_listers` names: a constructor or function that takes one of the argument tuples beside it."""

SimpleListing = tuple[bool, list[tuple[str | bytes, float | None]], list[tuple[str | bytes, int, float]]]
"""What `list(directory)` of a backend's own listers returns: ok, [(directory, mtime)], [(file, size, mtime)]."""
NOT_LISTED: SimpleListing = (False, [], [])
"""The directory could not be listed completely, and nothing in or below it is judged."""


def simple(answer: Answer) -> SimpleListing:
    """(ok, [(directory, mtime)], [(file, size, mtime)]); an unknown size is -1, an unknown time 0.

    Sizes in bytes, times in seconds since 1970, 0 where unknown. Not ok when any entry is a hole: a tuple of files and
    directories has no place for one.
    """
    if isinstance(answer, Failed) or answer.holes:
        return NOT_LISTED
    return (
        True,
        [(entry.name, entry.mtime) for entry in answer.directories],
        [(file.name, -1 if file.size is None else file.size, file.mtime or 0) for file in answer.files],
    )
