"""Listers that answer one directory at a time, blocking: a thread for each, and a new one where a thread is stuck."""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

from dynamo_consistency import paths
from dynamo_consistency.errors import ConsistencyError, ListingError
from dynamo_consistency.listers.contract import Answer, Failed, File, Files, Listed, SimpleListing, Subdirectory
from dynamo_consistency.listers.look import FileLook, FileStat, Look, NotThere, Unsure
from dynamo_consistency.listers.times import whole_bytes, whole_seconds
from dynamo_consistency.secrets import redact

MAX_STUCK = 100

Answerer = Callable[[bytes], Answer]
"""Answers for one directory and returns; what it raises is a failure of that directory."""


class ThreadedLister:
    """A `contract.Lister` over blocking answerers, each used by one thread only.

    `makers` make the answerers. A thread whose answer is no longer awaited is replaced, with a new answerer; after
    `MAX_STUCK` of them no more, so that a dead file system does not fill the machine with threads.
    """

    def __init__(self, makers: Sequence[Callable[[], Answerer]]) -> None:
        """Raises what a maker raises."""
        self.capacity = len(makers)
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._asked: dict[bytes, _Request] = {}
        self._lock = threading.Lock()
        self._stuck: set[bytes] = set()
        self._threads = 0
        for maker, answerer in [(maker, maker()) for maker in makers]:
            self._start(maker, answerer)

    def prepare(self) -> None:
        """Nothing: the makers were called when this was made."""

    def verify(self) -> None:
        """Nothing: no answer depends on another."""

    def submit(self, directory: bytes, done: Callable[[Answer], None]) -> None:
        """As `contract.Lister`. Fails at once where the last request for `directory`, or all threads, are stuck."""
        with self._lock:
            stuck, all_stuck = directory in self._stuck, not self._threads
            if not stuck and not all_stuck:
                self._asked[directory] = request = _Request(directory, done)
                self._requests.put(request)
        if stuck:
            done(Failed("no answer; the request before still hangs", retry=True))
        elif all_stuck:
            done(Failed(f"not asked: {len(self._stuck)} requests to the site hang"))

    def forget(self, directory: bytes) -> None:
        """As `contract.Lister`: a thread that is busy with `directory` counts as stuck, and another takes its place."""
        with self._lock:
            request = self._asked.pop(directory, None)
            if request is None:
                return
            request.forgotten = True
            if request.maker is None:  # no thread has begun with it, and none will
                return
            self._stuck.add(directory)
            self._threads -= 1
            replace = len(self._stuck) <= MAX_STUCK
        if replace:
            self._start(request.maker, None)

    def close(self) -> None:
        """End the threads after the requests that were submitted; those that are stuck end with the process."""
        for _ in range(self._threads):
            self._requests.put(None)

    def _start(self, maker: Callable[[], Answerer], answerer: Answerer | None) -> None:
        with self._lock:
            self._threads += 1
        threading.Thread(target=self._work, args=(maker, answerer), name="lister", daemon=True).start()

    def _work(self, maker: Callable[[], Answerer], answerer: Answerer | None) -> None:
        while (request := self._requests.get()) is not None:
            with self._lock:
                if request.forgotten:
                    continue
                request.maker = maker
            try:
                answerer = answerer or maker()
                answer = answerer(request.directory)
            except Exception as error:  # noqa: BLE001 (whatever a lister raises, the directory is a hole)
                answer = Failed(_sentence(error), retry=True)
            with self._lock:
                if request.forgotten:  # too late: this thread has been replaced
                    self._stuck.discard(request.directory)
                    return
                del self._asked[request.directory]
            request.done(answer)


class _Request:
    def __init__(self, directory: bytes, done: Callable[[Answer], None]) -> None:
        self.directory, self.done = directory, done
        self.maker: Callable[[], Answerer] | None = None
        self.forgotten = False


def in_time(look: FileLook, seconds: float) -> FileLook:
    """`look`, given up after so long. What hangs is left behind in its thread; after `MAX_STUCK` nothing is asked."""
    given_up = 0

    def asked(file: bytes) -> Look:
        nonlocal given_up
        if given_up >= MAX_STUCK:
            return Unsure(f"not asked: {given_up} requests to the site hang")
        answers: queue.SimpleQueue[Look] = queue.SimpleQueue()
        threading.Thread(target=lambda: answers.put(_guarded(look, file)), name="look", daemon=True).start()
        try:
            return answers.get(timeout=seconds)
        except queue.Empty:
            given_up += 1
            return Unsure(f"no answer in {seconds:g} s")

    return asked


def _guarded(look: FileLook, file: bytes) -> Look:
    try:
        return look(file)
    except Exception as error:  # noqa: BLE001 (whatever a lister raises, the file may be there)
        return Unsure(_sentence(error))


def simple_lister(factory: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> ThreadedLister:
    """What `get_listers(site)` of a backend gives: a constructor or function, and one argument tuple per lister.

    What a constructor builds has `list(directory)`; a function takes the directory after its arguments.
    Raises ListingError when there is no lister, or one cannot be built.
    """
    if not arguments:
        raise ListingError("get_listers gives no lister for the site: one argument tuple per lister is expected")
    try:
        return ThreadedLister([_maker(factory, tuple(each)) for each in arguments])
    except ConsistencyError:
        raise
    except Exception as error:
        name = getattr(factory, "__name__", repr(factory))
        raise ListingError(f"the lister {name} of get_listers cannot be built: {_sentence(error)}") from error


def _maker(factory: Callable[..., Any], arguments: tuple[Any, ...]) -> Callable[[], Answerer]:
    def make() -> Answerer:
        if isinstance(getattr(factory, "func", factory), type):
            ask = factory(*arguments).list
            return lambda directory: answer_of(ask(paths.to_text(directory)))
        return lambda directory: answer_of(factory(*arguments, paths.to_text(directory)))

    return make


def simple_look(factory: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], seconds: float) -> FileLook | None:
    """Asks the listers that `simple_lister` is made of for a single file, in turn until one knows; None: they cannot.

    A lister can that has `stat(file)` beside `list`, which returns (size, mtime), or None for a file that is not there;
    or one of ours, which has `look`.
    """
    kind = getattr(factory, "func", factory)
    if not isinstance(kind, type) or not (hasattr(kind, "look") or hasattr(kind, "stat")):
        return None
    built = [factory(*each) for each in arguments]
    looks = [each.look if hasattr(each, "look") else _stating(each.stat) for each in built]
    return in_time(lambda file: _first_sure(looks, file), seconds)


def _stating(stat: Callable[[str], Any]) -> FileLook:
    def look(file: bytes) -> Look:
        answer = stat(paths.to_text(file))
        if answer is None:
            return NotThere()
        size, mtime = answer
        return FileStat(whole_bytes(size), whole_seconds(mtime))

    return look


def _first_sure(looks: Sequence[FileLook], file: bytes) -> Look:
    answers = (_guarded(look, file) for look in looks)
    answer: Look = Unsure("no lister was asked")
    for answer in answers:
        if not isinstance(answer, Unsure):
            break
    return answer


def answer_of(listing: SimpleListing) -> Answer:
    """The answer of a backend's own lister. Raises ValueError or TypeError when it is not of the agreed shape."""
    ok, directories, files = listing
    if ok != 1:  # a text, a code or an error in its place is true as well
        return Failed("its lister does not say that it could list it", retry=True)
    return Listed(
        [Subdirectory(paths.to_bytes(name), whole_seconds(mtime)) for name, mtime in directories],
        Files.of(File(paths.to_bytes(name), whole_bytes(size), whole_seconds(mtime)) for name, size, mtime in files),
    )


def _sentence(error: Exception) -> str:
    return redact(f"{type(error).__name__}: {error}")
