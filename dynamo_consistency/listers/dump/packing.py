"""How a dump is packed: its first bytes show it, names lie."""

import contextlib
import lzma
import tarfile
import zipfile
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump.whole_file import WholeFile

# The second zstd magic is the skippable frame of pzstd.
_CODECS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd", b"\x50\x2a\x4d\x18": "zstd"}
_XZ = b"\xfd7zXZ\x00"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OTHERS = {b"7z\xbc\xaf": "7z", b"Rar!": "rar", b"\x1f\x9d": "compress (.Z)", b"\x04\x22\x4d\x18": "lz4"}
_TAR_MAGIC = slice(257, 262)
_BLOCK = 1 << 20


def is_zip(magic: bytes) -> bool:
    """Is this the beginning of a zip archive? It can only be read in a file that can be sought in."""
    return magic.startswith(_ZIP)


def unpacked(file: WholeFile, name: str) -> Any:
    """The bytes of a file, of whatever is in it: an object with `read(n)`, which raises at a truncated or corrupt end.

    `name` is the file for messages. Raises ListingError for a packing that is not known, and for a tar of anything but
    one file.
    """
    magic = file.peek(6)
    if other := next((what for start, what in _OTHERS.items() if magic.startswith(start)), None):
        raise ListingError(f"the dump {name} is packed by {other}; have it packed as gz, bz2, zst or xz")
    codec = next((codec for start, codec in _CODECS.items() if magic.startswith(start)), None)
    if codec is not None:
        stream: Any = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), codec)
    else:
        stream = _Xz(file) if magic.startswith(_XZ) else file
    plain = WholeFile(stream, announced=False)
    return _TarMember(plain, name) if plain.peek(512)[_TAR_MAGIC] == b"ustar" else plain


@contextlib.contextmanager
def only_member(file: Any, name: str) -> Iterator[Any]:
    """The one file in a zip archive. Raises ListingError when there are others or none."""
    with zipfile.ZipFile(file) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) != 1:
            raise ListingError(_not_one(name, "zip", [member.filename for member in members]))
        with archive.open(members[0]) as member:
            yield member


def _not_one(name: str, kind: str, members: list[str]) -> str:
    return (
        f"the dump {name} is a {kind} with {', '.join(members[:3]) or 'nothing'} in it; it must hold exactly one file"
    )


class _Xz:
    """Reads xz, also several of them glued together. What is not whole, or no xz, is an error."""

    def __init__(self, file: WholeFile) -> None:
        self._file = file
        self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ)
        self._rest = b""

    def read(self, size: int) -> bytes:
        while True:
            if self._decompressor.eof:
                self._rest = (self._rest or self._file.read(_BLOCK)).lstrip(b"\0")  # padding is between streams
                if not self._rest and self._file.at_end:
                    return b""
                if not self._rest:
                    continue
                self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ)
            packed = self._rest or (self._file.read(_BLOCK) if self._decompressor.needs_input else b"")
            if not packed and self._decompressor.needs_input:
                raise EOFError("the xz ends before its end")
            data = self._decompressor.decompress(packed, max_length=size)
            self._rest = self._decompressor.unused_data
            if data:
                return data


class _TarMember:
    """The bytes of the one file in a tar."""

    def __init__(self, stream: Any, name: str) -> None:
        self._stream = stream
        self._archive = tarfile.open(fileobj=stream, mode="r|")  # noqa: SIM115 (open as long as the stream is)
        self._name = name
        self._member = self._next()
        if self._member is None:
            raise ListingError(_not_one(name, "tar", []))
        self._at_end = False
        self._data: Any = self._archive.extractfile(self._member)

    def read(self, size: int) -> bytes:
        data = b"" if self._at_end else bytes(self._data.read(size))
        if data or self._at_end:
            return data
        self._at_end = True
        if (other := self._next()) is not None:
            raise ListingError(_not_one(self._name, "tar", [str(self._member and self._member.name), other.name]))
        while self._stream.read(_BLOCK):
            pass  # how the tar itself is packed shows only at its end whether it is whole
        return b""

    def _next(self) -> tarfile.TarInfo | None:
        """The next member that is no directory."""
        while (member := self._archive.next()) is not None:
            if not member.isdir():
                if not member.isreg():
                    raise ListingError(
                        f"the dump {self._name} is a tar with {member.name} in it, which is no plain file"
                    )
                return member
        return None
