"""Packed dumps: of whatever kind, with one file in them, whole to the last byte, or refused."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from dynamo_consistency.errors import ListingError

LINES = b"".join(b"/store/mc/%06d\t1\t1700000000\n" % number for number in range(20_000))


def tar(*names, mode="w", content=LINES):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name in names:
            member = tarfile.TarInfo(f"folder/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def zip_of(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, LINES)
    return file.getvalue()


PACKED = {
    "xz": lzma.compress(LINES),
    "zip": zip_of("dump"),
    "zip with a folder": zip_of("folder/dump"),
    "tar": tar("dump"),
    "tar.gz": gzip.compress(tar("dump")),
    "tar.bz2": bz2.compress(tar("dump")),
    "tar.xz": lzma.compress(tar("dump")),
}


@pytest.mark.parametrize("kind", PACKED)
def test_what_is_packed_is_read(read, kind):
    assert len(read(PACKED[kind]).rows) == 20_000
    assert len(read(PACKED[kind], format="csv", delimiter="\t").rows) == 20_000


@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.999])
def test_what_was_cut_short_is_refused(read, kind, share):
    whole = PACKED[kind].rstrip(b"\0") if kind == "tar" else PACKED[kind]
    with pytest.raises(ListingError, match="cannot be read wholly"):
        read(whole[: int(len(whole) * share)])


@pytest.mark.parametrize("kind", ["xz", "zip", "tar.gz", "tar.xz"])
def test_a_flipped_byte_is_refused(read, kind):
    packed = bytearray(PACKED[kind])
    packed[len(packed) // 2] ^= 0x10
    with pytest.raises(ListingError, match=r"cannot be read wholly|NUL bytes"):
        read(bytes(packed))


def test_xz_may_be_glued_together_with_padding_between_and_with_nothing_else(read):
    one = lzma.compress(b"/store/mc/a\t1\n")
    assert len(read(one + b"\0\0\0\0" + one + b"\0\0\0\0").rows) == 2
    with pytest.raises(ListingError, match="cannot be read wholly"):
        read(one + b"garbage")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (zip_of("a", "b"), "is a zip with a, b in it; it must hold exactly one file"),
        (zip_of(), "is a zip with nothing in it"),
        (tar("a", "b"), "is a tar with folder/a, folder/b in it"),
        (gzip.compress(tar("a", "b")), "is a tar with folder/a, folder/b in it"),
        (tar(), "is a tar with nothing in it"),
        (tar("a", content=b"/store/mc/a\t1\n/store/mc/b"), "no line end: the dump was cut short"),
        (b"7z\xbc\xaf\x27\x1c", "is packed by 7z; have it packed as gz, bz2, zst or xz"),
        (b"\x1f\x9d\x90" + b"x" * 100, "is packed by compress"),
    ],
)
def test_an_archive_of_anything_but_one_file_is_refused(read, content, told):
    with pytest.raises(ListingError, match=told):
        read(content)


def test_a_link_in_a_tar_is_no_file(read):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        link = tarfile.TarInfo("dump")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(ListingError, match="which is no plain file"):
        read(file.getvalue())
