"""From gfal2's answers about a directory to the answers for the walk."""

import errno
import stat
from collections.abc import Iterable
from typing import Any

from dynamo_consistency import paths, secrets
from dynamo_consistency.listers.contract import Answer, Failed, Hole, Listed, Subdirectory
from dynamo_consistency.listers.gfal.process import GfalProblem
from dynamo_consistency.listers.look import FileStat, Look, NotThere, Unsure
from dynamo_consistency.listers.posix import LINK

OVER_HTTP = {"dav", "davs", "http", "https"}
LONGEST = 254  # bytes of a name: gfal2 and servers cut what is longer without a word; in a file system nothing is

_DIRECTORY, _FILE, _LINK = 4, 8, 10  # types; the mode of a link is that of what it leads to
_LASTING = {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EPROTONOSUPPORT, errno.EILSEQ, errno.EINVAL}
_SLOW = {errno.ETIMEDOUT, errno.EBUSY, errno.EAGAIN}


def listed(scheme: str, entries: Iterable[list[Any]]) -> Answer:
    """The directory with `entries`, each a list of name, mode, type, size (bytes) and time (seconds since 1970).

    `scheme` is that of the URL. Fails where gfal2 may have changed a name.
    """
    result = Listed()
    entries = list(entries)
    if len({entry[0] for entry in entries}) < len(entries):
        return Failed("its listing has a name twice")
    for text, mode, kind, size, mtime in entries:
        name = paths.to_bytes(text)
        if scheme != "file" and len(name) >= LONGEST:
            return Failed("it has a name that may have been cut: it is too long for gfal2 or the server")
        if scheme in OVER_HTTP and b"%" in name:
            return Failed("it has a name of which gfal2 does not tell how it is encoded")
        time = mtime or None  # some protocols know none
        if kind == _LINK or stat.S_ISLNK(mode):
            result.holes.append(Hole(name, LINK))
        elif kind == _FILE and stat.S_IFMT(mode) in (0, stat.S_IFREG):  # XRootD's plugin tells the type only
            result.files.add(name, size, time)
        elif kind == _DIRECTORY and stat.S_IFMT(mode) in (0, stat.S_IFDIR):
            result.directories.append(Subdirectory(name, time))
        else:
            result.holes.append(Hole(name, "neither file nor directory"))
    return result


def file_stat(answer: list[list[Any]] | GfalProblem) -> Look:
    """What an answer about a single path says, which must be that of a file."""
    if isinstance(answer, GfalProblem):
        return NotThere() if answer.code == errno.ENOENT else Unsure(words(answer))
    ((_, mode, _, size, mtime),) = answer
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return Unsure("it is a directory" if stat.S_ISDIR(mode) else "neither file nor directory")
    return FileStat(size, mtime or None)


def same(one: list[list[Any]] | GfalProblem, other: list[list[Any]] | GfalProblem) -> bool:
    """Are two answers about a directory the same, in any order?"""
    if isinstance(one, GfalProblem) or isinstance(other, GfalProblem):
        return one == other
    return sorted(one) == sorted(other)


def failed(problem: GfalProblem) -> Failed:
    """What an error of gfal2 means for the directory that was asked for."""
    return Failed(words(problem), retry=problem.code not in _LASTING, slow=problem.code in _SLOW)


def words(problem: GfalProblem) -> str:
    """An error of gfal2 as one line for people, without credentials."""
    return secrets.redact(f"{' '.join(problem.reason.split())} (errno {problem.code})")
