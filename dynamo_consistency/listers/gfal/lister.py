"""The gfal lister: what the walk sees of the files in this package."""

import errno
import logging
import re
from collections.abc import Callable

from dynamo_consistency import paths, secrets
from dynamo_consistency.errors import ConfigurationError, ListingError
from dynamo_consistency.listers.contract import Answer, Failed, SimpleListing, simple
from dynamo_consistency.listers.credentials import check_credentials
from dynamo_consistency.listers.gfal.entries import OVER_HTTP, failed, file_stat, listed, same, words
from dynamo_consistency.listers.gfal.process import AbsentError, BrokenError, GfalProblem, Process
from dynamo_consistency.listers.look import Look, Unsure
from dynamo_consistency.listers.threaded import ThreadedLister

log = logging.getLogger(__name__)

PROCESSES = 16
BETTER = {"root": "xrootd", "xroot": "xrootd", **dict.fromkeys(OVER_HTTP, "webdav")}
ASKED_TWICE = {"gsiftp"}  # gfal2 takes a connection that was lost for the end of the directory

_URL = re.compile(r"(?P<scheme>[a-z]+)://(?P<door>[^/]*)(?P<path>/.*)?")
_PLAIN = re.compile(rb"[A-Za-z0-9._~/+=:,@!*()-]*")  # what every protocol takes for itself, and nothing else


class GfalLister(ThreadedLister):
    """A `contract.Lister` over whatever protocol gfal2 speaks; also a constructor for a backend's `get_listers`.

    `url` + LFN is the file. Each request has a process of its own while it is asked: one that hangs is killed.
    """

    def __init__(self, url: str, *, concurrency: int = PROCESSES, timeout: int = 60) -> None:
        """Asks nothing yet, and starts no process. Raises ConfigurationError for a text that is no URL.

        `timeout` in seconds is for each directory.
        """
        match = _URL.fullmatch(url)
        if match is None:
            raise ConfigurationError(f"{secrets.redact(url)} is no URL for gfal2: write scheme://door:port/prefix")
        self._scheme, path = match["scheme"], (match["path"] or "").rstrip("/")
        self.in_lines = self._scheme in ("root", "xroot")
        if self.in_lines:  # with a single slash a path would be relative
            path = "/" + re.sub("^/+", "/", path)
        self._url = f"{self._scheme}://{match['door']}{path}".encode()
        self._timeout = timeout
        self._processes: list[Process] = []
        super().__init__([self._answerer] * min(PROCESSES, concurrency))

    def prepare(self) -> None:
        """See whether there is a gfal2 that speaks the protocol, and no credential has expired. Raises ListingError."""
        check_credentials(certificates=True)
        if self._scheme in BETTER:
            log.warning(
                "listing.source.%s knows when such a door tells only a part; gfal2 does not", BETTER[self._scheme]
            )
        process = Process(self._timeout)
        try:
            problem = process.ask("lstat", self._url + b"/")
        except AbsentError as error:
            raise ListingError(str(error)) from None
        except BrokenError:
            return  # the door's own error; the walk will see it, and ask again
        finally:
            process.close()
        if isinstance(problem, GfalProblem) and problem.code == errno.EPROTONOSUPPORT:
            raise ListingError(f"gfal2 does not speak {self._scheme} here: install its plugin for it (gfal2-plugin-…)")

    def close(self) -> None:
        """As `contract.Lister`; all processes are killed."""
        super().close()
        for process in self._processes:
            process.close()

    def remove_directory(self, directory: bytes) -> str | None:
        """A `look.Remover`, except over HTTP, where the same request removes all that is in a directory."""
        if self._scheme in OVER_HTTP:
            return "over HTTP gfal2 would remove it with all that is in it"
        if reason := self._unaskable(directory):
            return reason
        process = Process(self._timeout)
        try:
            problem = process.ask("rmdir", self._url + directory)
        except (AbsentError, BrokenError) as error:
            return str(error)
        finally:
            process.close()
        return words(problem) if isinstance(problem, GfalProblem) else None

    def look(self, file: bytes) -> Look:
        """A `look.FileLook`."""
        if reason := self._unaskable(file):
            return Unsure(reason)
        process = Process(self._timeout)
        try:
            return file_stat(process.ask("lstat", self._url + file))
        except (AbsentError, BrokenError) as error:
            return Unsure(str(error))
        finally:
            process.close()

    def list(self, directory: str | bytes) -> SimpleListing:
        """What the contract of `get_listers` asks for: ok, [(directory, mtime)], [(file, size, mtime)]."""
        process = Process(self._timeout)
        answer = self._answer(process, paths.normalise(paths.to_bytes(directory)))
        process.close()
        return simple(answer)

    def _answerer(self) -> Callable[[bytes], Answer]:
        process = Process(self._timeout)
        self._processes.append(process)
        return lambda directory: self._answer(process, directory)

    def _answer(self, process: Process, directory: bytes) -> Answer:
        if reason := self._unaskable(directory):
            return Failed(reason)
        url = self._url + directory.rstrip(b"/")
        try:
            answer = process.ask("list", url)
            if self._scheme in ASKED_TWICE and not same(answer, process.ask("list", url)):
                return Failed("two answers differ", retry=True)
        except AbsentError as error:
            return Failed(str(error))
        except BrokenError as error:
            return Failed(str(error), retry=True, slow=error.silent)
        return failed(answer) if isinstance(answer, GfalProblem) else listed(self._scheme, answer)

    def _unaskable(self, directory: bytes) -> str | None:
        if self._scheme != "file" and not _PLAIN.fullmatch(directory):
            return "its name has signs that gfal2 or the protocol may take for something else"
        return None
