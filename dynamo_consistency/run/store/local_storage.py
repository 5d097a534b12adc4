"""Run directories in a folder of a file system. Files are used in place."""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from dynamo_consistency import paths
from dynamo_consistency.errors import DamagedError
from dynamo_consistency.run.store.disk_errors import disk_errors_explained, rights_at
from dynamo_consistency.run.store.leftovers import TEMPORARY, remove_left_over_files, temporary_name
from dynamo_consistency.run.store.storage import EntryKind

_NO_LINKS = (errno.EPERM, errno.EMLINK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EXDEV)
"""What file systems without hard links answer."""


class LocalStorage:
    """A folder of a file system. Files are used in place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def exists(self, name: str) -> bool:
        with self._reading_explained():
            return (self._folder / name).exists()

    def modified(self, name: str) -> float:
        with self._reading_explained():
            return (self._folder / name).stat().st_mtime

    def stamp(self, name: str) -> str | None:
        with self._reading_explained():
            try:
                facts = (self._folder / name).stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        if stat.S_ISFIFO(facts.st_mode):
            return None
        return f"{facts.st_mtime_ns}-{facts.st_size}-{facts.st_ino}"

    def contents(self, name: str) -> bytes | None:
        with self._reading_explained():
            try:
                return self._that_ends(name).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def entries(self, folder: str, kind: EntryKind) -> list[str]:
        with self._reading_explained():
            if not self._is_there():
                return []
            try:
                with os.scandir(self._folder / folder) as found:
                    wanted = [one.name for one in found if (one.is_dir() if kind == "directory" else one.is_file())]
            except (FileNotFoundError, NotADirectoryError):
                return []
        return sorted(name for name in wanted if not name.startswith(TEMPORARY))

    def _is_there(self) -> bool:
        """Raises NotADirectoryError where something else than a folder is there, or above it."""
        try:
            status = self._folder.stat()
        except FileNotFoundError:
            return False
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return True

    @contextlib.contextmanager
    def _reading_explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why = rights_at(self._folder) if error.errno == errno.EACCES else "look at its path and its permissions"
            raise DamagedError(f"the store {self._folder} cannot be read: {error.strerror}; {why}") from None

    def remove(self, name: str) -> None:
        path = self._folder / name
        with contextlib.suppress(FileNotFoundError):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def remove_leftovers(self, folder: str) -> None:
        remove_left_over_files(self._folder / folder)

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        target = self._folder / name
        temporary = target.with_name(temporary_name(target.name))
        with disk_errors_explained(self._folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                yield temporary
                with temporary.open("rb") as file:
                    os.fsync(file.fileno())
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)

    def create(self, name: str, data: bytes | str) -> bool:
        target = self._folder / name
        temporary = target.with_name(temporary_name(target.name))
        with disk_errors_explained(self._folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("xb") as file:
                    file.write(paths.to_bytes(data))
                    file.flush()
                    os.fsync(file.fileno())
                return _linked(temporary, target)
            finally:
                temporary.unlink(missing_ok=True)

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[Path]:
        with self._reading_explained():
            path = self._that_ends(name)
        yield path

    def _that_ends(self, name: str) -> Path:
        """Raises DamagedError for a pipe: whoever opens it waits for ever."""
        path = self._folder / name
        if path.is_fifo():
            raise DamagedError(f"{path} cannot be read: it is a pipe")
        return path


def _linked(temporary: Path, target: Path) -> bool:
    """Give `temporary` the name `target` as well, unless that is taken."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        # over NFS a link that was made may be answered so, when the first answer was lost
        return temporary.stat().st_nlink > 1
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        try:
            with target.open("xb") as file:
                file.write(temporary.read_bytes())
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            return False
    return True
