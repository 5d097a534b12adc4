"""A site that is mounted as a file system. Links are never followed: what they lead to may be listed elsewhere."""

import errno
import os
import stat
from pathlib import Path

from dynamo_consistency import paths
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.contract import Answer, Failed, Hole, Listed, SimpleListing, Subdirectory, simple
from dynamo_consistency.listers.endpoint import SitePrefix
from dynamo_consistency.listers.look import FileStat, Look, NotThere, Unsure
from dynamo_consistency.path_rules import PathRules

TRANSIENT = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EINTR, errno.EMFILE, errno.ENFILE}
_INODE_BITS, _DEVICE_BITS = 31, 32
_INODES, _DEVICES = (1 << _INODE_BITS) - 1, (1 << _DEVICE_BITS) - 1
LINK = "a symbolic link; links are not followed"
SPECIAL = [
    (stat.S_ISLNK, LINK),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
]


class PosixLister:
    """Lists directories below `prefix`: prefix + LFN is the path there, or prefix + what `rules` make of the LFN."""

    def __init__(self, prefix: str | bytes, rules: PathRules | None = None) -> None:
        """Raises ListingError when `prefix` is no directory: then the file system is not mounted here."""
        self._prefix = paths.to_bytes(prefix).rstrip(b"/")
        try:
            mounted = Path(os.fsdecode(self._prefix) or "/").stat()
        except OSError as error:
            raise ListingError(f"the site is not mounted at {self._shown}: {error.strerror}") from None
        if not stat.S_ISDIR(mounted.st_mode):
            raise ListingError(f"the site is not mounted at {self._shown}: that is no directory")
        self._place = SitePrefix(paths.to_text(self._prefix), rules)
        self._device = mounted.st_dev

    def list(self, directory: str | bytes) -> SimpleListing:
        """The public form: (ok, [(directory, mtime)], [(file, size, mtime)]); not ok when anything is in doubt."""
        return simple(self.answer(paths.to_bytes(directory)))

    def answer(self, directory: bytes) -> Answer:
        """What is in `directory`, an LFN; entries that are neither file nor directory are holes."""
        try:
            descriptor = os.open(self._place.path(directory), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                return self._listed(directory, descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            return self._failed(directory, error)

    def look(self, file: bytes) -> Look:
        """A `look.FileLook`, but for the time limit: a file system that is gone may hang."""
        try:
            status = os.lstat(self._place.path(file))
        except OSError as error:
            clear = error.errno in (errno.ENOENT, errno.ENOTDIR)
            return NotThere() if clear else Unsure(str(error.strerror))
        if stat.S_ISREG(status.st_mode):
            return FileStat(status.st_size, _seconds(status))
        return Unsure("it is a directory" if stat.S_ISDIR(status.st_mode) else _special(status))

    def remove_directory(self, directory: bytes) -> str | None:
        """A `look.Remover`: the file system itself refuses what is not empty, or is a link."""
        try:
            os.rmdir(self._place.path(directory))  # noqa: PTH106 (names are bytes)
        except OSError as error:
            return str(error.strerror)
        return None

    @property
    def _shown(self) -> str:
        return paths.to_text(self._prefix) or "/"

    def _listed(self, directory: bytes, descriptor: int) -> Listed:
        status = os.fstat(descriptor)
        listed = Listed(identity=self._identity(status), is_mount=_is_mount(descriptor, status))
        with os.scandir(descriptor) as entries:
            for entry in entries:
                self._add(listed, entry, directory, status.st_dev)
        return listed

    def _identity(self, status: os.stat_result) -> tuple[int | None, int]:
        """Device and inode; None for the device below the prefix, which other machines may number otherwise."""
        return None if status.st_dev == self._device else status.st_dev, status.st_ino

    def _file_identity(self, status: os.stat_result) -> int:
        """The device is its lower half, as in what an XRootD server calls a file."""
        device = 0 if status.st_dev == self._device else status.st_dev
        return ((status.st_ino ^ status.st_ino >> _INODE_BITS) & _INODES) << _DEVICE_BITS | device & _DEVICES

    def _linked_file(self, entry: os.DirEntry[str]) -> int:
        """The identity of the file that a link leads to, wherever that is; 0 where it leads to none."""
        try:
            status = entry.stat()
        except OSError:
            return 0
        return self._file_identity(status) if stat.S_ISREG(status.st_mode) else 0

    def _add(self, listed: Listed, entry: os.DirEntry[str], directory: bytes, device: int) -> None:
        name = os.fsencode(entry.name)
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError as error:
            if error.errno in TRANSIENT:
                raise
            listed.holes.append(Hole(name, f"it cannot be looked at: {error.strerror}"))
            return
        if stat.S_ISREG(status.st_mode):
            listed.files.add(name, status.st_size, _seconds(status), self._file_identity(status))
        elif stat.S_ISDIR(status.st_mode):
            listed.directories.append(Subdirectory(name, _seconds(status), self._identity(status)))
            if status.st_dev != device:
                listed.notes.append(f"{paths.to_text(paths.join(directory, name))} is a mount point")
        else:
            listed.holes.append(Hole(name, _special(status), self._linked_file(entry)))

    def _failed(self, directory: bytes, error: OSError) -> Failed:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            is_link = Path(os.fsdecode(self._place.path(directory))).is_symlink()
            return Failed(LINK if is_link else "not a directory")
        return Failed(str(error.strerror), retry=error.errno in TRANSIENT)


def _seconds(status: os.stat_result) -> int:
    """The modification time, rounded up: in doubt it is younger, and left alone."""
    return -(-status.st_mtime_ns // 10**9)


def _special(status: os.stat_result) -> str:
    return next((reason for is_a, reason in SPECIAL if is_a(status.st_mode)), "neither file nor directory")


def _is_mount(descriptor: int, status: os.stat_result) -> bool:
    """Does another file system begin at this directory? Asked of the open one: only then is it mounted for sure."""
    try:
        above = os.stat("..", dir_fd=descriptor)
    except OSError:
        return False
    return above.st_dev != status.st_dev
