"""Credentials that others may read, such as those of a mounted Secret, as files that only this user may read.

A Secret is mounted with the rights of a group and belongs to root, and a client that is careful refuses such a proxy.
The copy is in memory, has no name, and goes with the process.
"""

import hashlib
import os
import stat
from pathlib import Path

_copies: dict[bytes, int] = {}  # by digest, so that a path never means another content: some remember what it held


def private(path: Path) -> str:
    """A path to the content of `path` that belongs to this user alone; `path` itself where it does already.

    Raises OSError when it cannot be read.
    """
    about = path.stat()
    mine = about.st_uid == os.geteuid() and not about.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    if mine or not hasattr(os, "memfd_create"):
        return str(path)
    content = path.read_bytes()
    digest = hashlib.sha256(content).digest()
    if digest not in _copies:
        _copies[digest] = _copy(content)
    return f"/proc/self/fd/{_copies[digest]}"


def _copy(content: bytes) -> int:
    descriptor = os.memfd_create("credential")
    os.fchmod(descriptor, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(content)
    return descriptor
