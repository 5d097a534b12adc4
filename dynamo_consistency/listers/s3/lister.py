"""The S3 lister: what the walk sees of the files in this package."""

import threading
from collections.abc import Callable
from contextlib import suppress

from dynamo_consistency import paths, secrets
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.contract import Answer, Failed, Listed, SimpleListing, simple
from dynamo_consistency.listers.look import FileStat, Look, NotThere, Unsure
from dynamo_consistency.listers.s3.client import BucketPrefix, connect, failed
from dynamo_consistency.listers.s3.entries import listed, tree
from dynamo_consistency.listers.s3.pages import Bucket, DoubtError
from dynamo_consistency.listers.s3.prefetch_cache import PrefetchCache
from dynamo_consistency.listers.threaded import ThreadedLister

THREADS = 32


class S3Lister(ThreadedLister):
    """A `contract.Lister` over an object store; also a constructor for a backend's `get_listers`.

    A directory is what the keys between two slashes make of it. One with few keys in and below it comes with all of
    these in one answer, and the directories below are then answered from memory, once, up to the next `verify`.
    """

    def __init__(self, url: str, endpoint: str | None = None, *, concurrency: int = THREADS, timeout: int = 60) -> None:
        """Asks nothing yet. Raises ConfigurationError for an invalid address, ListingError without credentials."""
        self._location = BucketPrefix.parse(url)
        self._shown = f"the bucket {self._location.bucket}{f' at {secrets.redact(endpoint)}' if endpoint else ''}"
        threads = min(THREADS, concurrency)
        self._bucket = Bucket(connect(endpoint, threads, timeout), self._location.bucket, timeout)
        self._memory = PrefetchCache()
        self._greeting = threading.Lock()
        self._greeted = False
        super().__init__([lambda: self.answer] * threads)

    def prepare(self) -> None:
        """See whether the bucket may be listed; `answer` does it where this was not called. Raises ListingError."""
        problem = self._greet()
        if problem is not None:
            raise ListingError(f"{self._shown} cannot be listed: {problem.reason}; look at its name, endpoint and keys")

    def verify(self) -> None:
        """Forget what is in memory: it is as old as the listing. Never raises."""
        self._memory.clear()

    def answer(self, directory: bytes) -> Answer:
        """What is in `directory`, an LFN; a key is a file, its size in bytes, its time in seconds since 1970."""
        remembered = self._memory.take(directory)
        if remembered is not None:
            return remembered
        problem = self._greet()
        return _guarded(lambda: self._ask(directory)) if problem is None else problem

    def look(self, file: bytes) -> Look:
        """A `look.FileLook`. That a key is not there counts only if a listing does not have it either."""
        key = self._location.key(file)
        try:
            found = self._bucket.head(key)
            if found is None and self._bucket.has(key):
                return Unsure("the object store lists the key, and says that it is not there")
        except DoubtError as error:
            return Unsure(str(error))
        except UnicodeDecodeError:
            return Unsure("its name is not UTF-8, and no key of an object store is that")
        except Exception as error:  # noqa: BLE001 (the library has many; the object may be there)
            return Unsure(failed(error).reason)
        return NotThere() if found is None else FileStat(found.size, found.mtime)

    def list(self, directory: str | bytes) -> SimpleListing:
        """What the contract of `get_listers` asks for: ok, [(directory, mtime)], [(file, size, mtime)]."""
        answer = self.answer(paths.normalise(paths.to_bytes(directory)))
        self._memory.clear()
        return simple(answer)

    def _ask(self, directory: bytes) -> Listed:
        folder = self._location.folder(directory)
        everything = self._everything(directory, folder)
        if everything is None:
            return listed(self._bucket, folder)
        wanted = everything.pop(directory)
        self._memory.keep(everything)
        return wanted

    def _everything(self, directory: bytes, folder: bytes) -> dict[bytes, Listed] | None:
        """`directory` and all below it, where one answer holds that and nothing in it is odd."""
        with suppress(DoubtError):
            page = next(self._bucket.pages(folder, folders=False))
            if page.last and page.objects:
                return tree(directory, folder, page.objects)
        return None

    def _greet(self) -> Failed | None:
        with self._greeting:
            if self._greeted:
                return None
            answer = _guarded(self._observe_encoding)
            self._greeted = isinstance(answer, Listed)
            return answer if isinstance(answer, Failed) else None

    def _observe_encoding(self) -> Listed:
        self._bucket.observe_encoding()
        return Listed()


def _guarded(ask: Callable[[], Listed]) -> Answer:
    try:
        return ask()
    except DoubtError as error:
        return Failed(str(error), retry=error.passing)
    except UnicodeDecodeError:
        return Failed("its name is not UTF-8, and no key of an object store is that")
    except Exception as error:  # noqa: BLE001 (the library has many; the directory is a hole)
        return failed(error)
