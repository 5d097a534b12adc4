"""From the library's dictionaries to a `Listed`. This runs once for every file of the site: keep it lean."""

import math
import time
from typing import Any

from dynamo_consistency.listers.contract import Answer, Failed, Hole, Listed, Subdirectory
from dynamo_consistency.listers.look import FileStat, Look, Unsure
from dynamo_consistency.listers.xrootd.library import (
    IS_DIRECTORY,
    IS_OFFLINE,
    IS_OTHER,
    IS_PENDING,
    SPECIAL,
    XRootDResponse,
)
from dynamo_consistency.listers.xrootd.numbering import Numbering, file_identity
from dynamo_consistency.listers.xrootd.url import unaskable

_SIGN = 1 << 63

LONGEST_NAME = 253
"""Servers cut names of 255 bytes to 254 without a word, so that a name of 254 may be another one."""
NO_FILE = "it is neither a file nor a directory"
NAME_TWICE = "its listing has a name twice; a line end in the name of an entry does that"
NAME_TOO_LONG = f"it has a name of more than {LONGEST_NAME} bytes, and servers cut such names"


def impossible_size(size: int) -> str:
    """Why an entry of this size is a hole."""
    return f"the server gives an impossible size, {size}"


def count(response: XRootDResponse) -> int:
    """The number of entries in the response to a listing."""
    return len(response["dirlist"]) if response else 0


def read(response: XRootDResponse, numbering: Numbering) -> Answer:
    """The directory as a server shows it. `response` is that of a listing with STAT.

    An answer is lines, and names with line ends in them come as other names: if one stands there twice, or may have
    been cut, the directory cannot be told.
    """
    listed = Listed()
    entries = response["dirlist"] if response else []
    if reason := _doubt({entry["name"] for entry in entries}, len(entries)):
        return Failed(reason)
    unknown, add, directories = 0, listed.files.add, []
    for entry in entries:
        name, stat = entry["name"].encode(), entry["statinfo"]
        if stat is None:
            unknown += 1
            listed.holes.append(Hole(name, "the server gives neither its kind nor its size"))
        elif stat["flags"] & IS_DIRECTORY:
            directories.append((name, stat))
        elif stat["flags"] & SPECIAL:
            _add_special(listed, name, stat)
        elif (size := stat["size"]) < _SIGN:
            mtime = stat["modtime"]
            add(name, size, mtime if mtime < _SIGN else _signed(mtime), file_identity(stat["id"]))
        else:
            listed.holes.append(Hole(name, impossible_size(size)))
    if unknown and unknown == len(entries):
        return Failed("the server lists names without sizes")
    _add_directories(listed, directories, numbering)
    return listed


def _doubt(names: set[str], entries: int) -> str | None:
    """Why the names of a listing need not be those of the directory, if so."""
    if len(names) != entries:
        return NAME_TWICE
    longest = max(map(len, names), default=0)
    if 4 * longest > LONGEST_NAME and max(len(name.encode()) for name in names) > LONGEST_NAME:
        return NAME_TOO_LONG
    return None


def file_stat(stat: dict[str, Any]) -> Look:
    """What a server says about a single path, which must be that of a file."""
    if stat["flags"] & (IS_DIRECTORY | IS_OTHER):
        return Unsure("it is a directory" if stat["flags"] & IS_DIRECTORY else NO_FILE)
    return FileStat(*_size_and_time(stat))


def file_facts(size: int, flags: int, mtime: int | None) -> tuple[int | None, int | None]:
    """Size and time of a file: what is being written is as young as can be, and an offline file may have no size."""
    unknown = not 0 <= size < _SIGN or (not size and flags & IS_OFFLINE)
    return None if unknown else size, math.ceil(time.time()) if flags & IS_PENDING else mtime


def _size_and_time(stat: dict[str, Any]) -> tuple[int | None, int | None]:
    return file_facts(stat["size"], stat["flags"], _signed(stat["modtime"]))


def _add_special(listed: Listed, name: bytes, stat: dict[str, Any]) -> None:
    if stat["flags"] & IS_OTHER:
        listed.holes.append(Hole(name, NO_FILE))
    else:
        listed.files.add(name, *_size_and_time(stat), file_identity(stat["id"]))


def _add_directories(listed: Listed, directories: list[tuple[bytes, dict[str, Any]]], numbering: Numbering) -> None:
    numbering.observe(stat["id"] for _, stat in directories)
    for name, stat in directories:
        if stat["flags"] & IS_OTHER:
            listed.holes.append(Hole(name, NO_FILE))
        elif reason := unaskable(name):
            listed.holes.append(Hole(name, reason))
        else:
            listed.directories.append(Subdirectory(name, _signed(stat["modtime"]), numbering.identity(stat["id"])))


def _signed(mtime: int) -> int:
    """The library reads a time before 1970 as an unsigned number."""
    return mtime - (_SIGN << 1) if mtime >= _SIGN else mtime
