"""A site that is mounted as a file system. Links are never followed: what they lead to may be listed elsewhere."""

import errno
import os
import stat
from pathlib import Path

from dynamo_consistency import paths
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.contract import Answer, Failed, File, Hole, Listed, SimpleListing, Subdirectory, simple

TRANSIENT = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EINTR, errno.EMFILE, errno.ENFILE}
LINK = "a symbolic link; links are not followed"
SPECIAL = [
    (stat.S_ISLNK, LINK),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
]


class PosixLister:
    """Lists directories below `prefix`: prefix + LFN is the path there."""

    def __init__(self, prefix: str | bytes) -> None:
        """Raises ListingError when `prefix` is no directory: then the file system is not mounted here."""
        self._prefix = paths.to_bytes(prefix).rstrip(b"/")
        try:
            mode = Path(os.fsdecode(self._prefix) or "/").stat().st_mode
        except OSError as error:
            raise ListingError(f"the site is not mounted at {self._shown}: {error.strerror}") from None
        if not stat.S_ISDIR(mode):
            raise ListingError(f"the site is not mounted at {self._shown}: that is no directory")

    def list(self, directory: str | bytes) -> SimpleListing:
        """The public form: (ok, [(directory, mtime)], [(file, size, mtime)]); not ok when anything is in doubt."""
        return simple(self.answer(paths.to_bytes(directory)))

    def answer(self, directory: bytes) -> Answer:
        """What is in `directory`, an LFN; entries that are neither file nor directory are holes."""
        try:
            descriptor = os.open(self._prefix + directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                return self._listed(directory, descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            return self._failed(directory, error)

    def remove_directory(self, directory: bytes) -> str | None:
        """A `contract.Remover`: the file system itself refuses what is not empty, or is a link."""
        try:
            os.rmdir(self._prefix + directory)  # noqa: PTH106 (names are bytes)
        except OSError as error:
            return str(error.strerror)
        return None

    @property
    def _shown(self) -> str:
        return paths.to_text(self._prefix) or "/"

    def _listed(self, directory: bytes, descriptor: int) -> Listed:
        listed = Listed()
        device = os.fstat(descriptor).st_dev
        with os.scandir(descriptor) as entries:
            for entry in entries:
                self._add(listed, entry, directory, device)
        return listed

    @staticmethod
    def _add(listed: Listed, entry: os.DirEntry[str], directory: bytes, device: int) -> None:
        name = os.fsencode(entry.name)
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError as error:
            if error.errno in TRANSIENT:
                raise
            listed.holes.append(Hole(name, f"it cannot be looked at: {error.strerror}"))
            return
        mtime = -(-status.st_mtime_ns // 10**9)  # rounded up: in doubt it is younger, and left alone
        if stat.S_ISREG(status.st_mode):
            listed.files.append(File(name, status.st_size, mtime))
        elif stat.S_ISDIR(status.st_mode):
            listed.directories.append(Subdirectory(name, mtime, (status.st_dev, status.st_ino)))
            if status.st_dev != device:
                listed.notes.append(f"{paths.to_text(paths.join(directory, name))} is a mount point")
        else:
            reason = next((reason for is_a, reason in SPECIAL if is_a(status.st_mode)), "neither file nor directory")
            listed.holes.append(Hole(name, reason))

    def _failed(self, directory: bytes, error: OSError) -> Failed:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            is_link = Path(os.fsdecode(self._prefix + directory)).is_symlink()
            return Failed(LINK if is_link else "not a directory")
        return Failed(str(error.strerror), retry=error.errno in TRANSIENT)
