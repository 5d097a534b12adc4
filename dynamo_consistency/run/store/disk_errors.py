"""What a full disk and its like mean, in a sentence."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from dynamo_consistency.errors import ConsistencyError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NO_WRITING = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EIO)


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
        reasons += [os.strerror(known) for known in _NO_WRITING if known == code]
        if not reasons:
            raise
        free = shutil.disk_usage(folder).free // 2**20 if folder.exists() else "unknown"
        raise ConsistencyError(
            f"cannot write to {folder}: {reasons[0]} ({free} MiB free); "
            "make room or give another --store, then run the stage again: nothing half-written is left"
        ) from None
