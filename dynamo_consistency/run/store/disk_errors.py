"""What a full disk and its like mean, in a sentence."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from dynamo_consistency.errors import ConsistencyError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NO_RIGHT = (errno.EACCES, errno.EPERM)
_NO_WRITING = (errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG, errno.EIO)


@contextlib.contextmanager
def disk_errors_explained(folder: Path) -> Iterator[None]:
    """A full disk and its like end a stage with a sentence; the run directory keeps what was complete before."""
    try:
        yield
    except ConsistencyError:
        raise
    except Exception as error:
        code = error.errno if isinstance(error, OSError) else None
        # DuckDB reports a full disk in words of its own, around those of the system
        reasons = [os.strerror(known) for known in _NO_ROOM if known == code or os.strerror(known) in str(error)]
        if isinstance(error, OSError) and code in _NO_RIGHT:
            what = f"{error.strerror}, {rights_at(Path(error.filename or folder))}"
        elif reasons:
            free = shutil.disk_usage(folder).free // 2**20 if folder.exists() else "unknown"
            what = f"{reasons[0]} ({free} MiB free); make room or choose another place"
        elif isinstance(error, OSError) and code in _NO_WRITING:
            what = f"{error.strerror}; choose another place"
        else:
            raise
        raise ConsistencyError(
            f"cannot write to {folder}: {what}, then run it again: nothing half-written is left"
        ) from None


def rights_at(path: Path) -> str:
    """Who we are, whose the nearest directory is that there is, and what to do about it."""
    groups = ", ".join(map(str, sorted({os.getegid(), *os.getgroups()})))
    we = f"we are uid {os.geteuid()} and gid {groups}"
    there = next((each for each in (path, *path.parents) if os.access(each, os.F_OK)), Path("/"))
    try:
        owner = there.stat()
    except OSError:
        return f"{we}; give the directory to these"
    return (
        f"{we}, and {there} belongs to uid {owner.st_uid} and gid {owner.st_gid}, mode {owner.st_mode & 0o7777:04o}; "
        "give it to ours (on NFS with root_squash: on the server), or set runAsUser and fsGroup in podTemplate"
    )
