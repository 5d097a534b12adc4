"""Single paths at the servers of a site: what a file is, and what its servers call a directory."""

import time
from collections.abc import Sequence

from dynamo_consistency.listers.look import FileStat, Look, NotThere, Unsure
from dynamo_consistency.listers.xrootd import status as answers
from dynamo_consistency.listers.xrootd.doors import XRootDDoors, XRootDServer
from dynamo_consistency.listers.xrootd.entries import LONGEST_NAME, file_stat
from dynamo_consistency.listers.xrootd.library import STAT
from dynamo_consistency.listers.xrootd.numbering import share_names
from dynamo_consistency.listers.xrootd.responses import identifiers
from dynamo_consistency.listers.xrootd.url import unaskable
from dynamo_consistency.paths import to_text


def look(groups: Sequence[XRootDDoors], path: bytes, timeout: int) -> Look:
    """What is at `path`, as all groups of doors show it; within one, any door will do. `timeout` in seconds, for all.

    A file that a server of the site has is there, whatever those say that do not have it; but each of them must answer.
    """
    if reason := unaskable(path, text=need_text(groups)):
        return Unsure(reason)
    if len(path.rpartition(b"/")[2]) > LONGEST_NAME:
        return Unsure(f"its name has more than {LONGEST_NAME} bytes, and servers cut such names")
    deadline = time.monotonic() + timeout
    seen = [doors.look(lambda server, doors=doors: _ask(doors, server, path, deadline)) for doors in groups]  # type: ignore[misc]
    unsure = next((each for each in seen if isinstance(each, Unsure)), None)
    stats = [each for each in seen if isinstance(each, FileStat)]
    if unsure or not seen:
        return unsure or Unsure("no server was asked")
    if len({each.size for each in stats}) > 1:
        return Unsure("data servers do not agree about its size")
    return max(stats, key=lambda each: float("inf") if each.mtime is None else each.mtime) if stats else NotThere()


def need_text(groups: Sequence[XRootDDoors]) -> bool:
    """Whether the client of any door needs names in UTF-8."""
    return any(not server.proves_whole for doors in groups for server in doors.servers)


def _ask(doors: XRootDDoors, server: XRootDServer, path: bytes, deadline: float) -> Look:
    left = int(deadline - time.monotonic())
    if left < 1:
        return Unsure("there was no time left to ask")
    status, response = server.file_system.stat(to_text(path), left)
    bad = answers.problem_of(status, server)
    if bad is None:
        doors.answered(server)
        return file_stat(response)
    if bad.door_is_down:
        doors.failed(server, bad.failed.reason)
    elif bad.timed_out:
        doors.timed_out(server)
    else:
        doors.answered(server)
    return NotThere() if isinstance(bad.failed, answers.NotFound) else Unsure(bad.failed.reason)


def identify(groups: Sequence[XRootDDoors], root: bytes, path: bytes, timeout: int) -> object:
    """What the servers call the directory at `path`, which is the root `root`; None where they do not say.

    Of several data servers that have it, the first by name speaks, as in `redirector.merge`.
    """
    if unaskable(path, text=need_text(groups)):
        return None
    found = []
    for doors in groups:
        servers = doors.in_turn()
        numbers = {server: _number(server, root, path, timeout) for server in servers}
        share_names(server.numbering for server in sorted(servers, key=str))
        found += [server.numbering.identity(number) for server, number in numbers.items() if number is not None]
    return min((identity for identity in found if identity is not None), default=None)


def _number(server: XRootDServer, root: bytes, path: bytes, timeout: int) -> str | None:
    """The number of a directory; whether numbers mean anything shows in those of the directories in it."""
    status, response = server.file_system.stat(to_text(path), timeout)
    if answers.problem_of(status, server) is not None:
        return None
    server.numbering.observe_root(root, response["id"])
    if not server.numbering.differ:
        status, listing = server.file_system.dirlist(to_text(path), STAT, timeout)
        if answers.problem_of(status, server) is None and listing:
            server.numbering.observe(identifiers(listing))
    return str(response["id"])
