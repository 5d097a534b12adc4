"""What the backend says lists a site."""

import pytest

from dynamo_consistency.check import DumpSource, PosixSource, Source, XRootDSource
from dynamo_consistency.errors import BackendError


def test_a_mounted_site_is_listed_by_its_mount_point(embedded, tmp_path):
    mount = tmp_path / "mount"
    mount.mkdir()
    sites = {"T2_HERE": Source(posix=PosixSource(prefix=str(mount)))}
    constructor, arguments = embedded.backend(sites=sites).get_listers("T2_HERE")
    (mount / "file").write_text("12345")
    assert len(arguments) > 1
    ok, directories, [(name, size, _)] = constructor(*arguments[0]).list("/")
    assert (ok, directories, name, size) == (True, [], b"file", 5)


def test_a_site_behind_xrootd_is_listed_by_all_its_doors(embedded):
    source = Source(xrootd=XRootDSource(servers=["root://a:1094", "root://b"], prefix="/pnfs"))
    backend = embedded.backend(sites={"T2_HERE": source})
    constructor, arguments = backend.get_listers("T2_HERE")
    assert set(map(repr, arguments)) == {"(('root://a:1094', 'root://b'), '/pnfs')"}
    constructor(*arguments[0]).close()
    assert backend.listing_source("T2_HERE") == source


def test_a_site_with_a_dump_is_listed_from_it(embedded, tmp_path):
    (tmp_path / "dump.tsv").write_text("/store/a\t5\t1550000000\n")
    sites = {"T2_HERE": Source(dump=DumpSource(url=str(tmp_path / "dump.tsv")))}
    constructor, [arguments] = embedded.backend(sites=sites).get_listers("T2_HERE")
    assert constructor(*arguments).list("/store") == (True, [], [(b"a", 5, 1550000000)])


def test_a_site_that_nothing_is_said_of_is_an_error_that_says_what_to_add(embedded):
    with pytest.raises(BackendError, match=r"add it to `sites` of the backend in backends\.yaml, such as T2_HERE: \{"):
        embedded.backend().get_listers("T2_HERE")
    assert embedded.backend().listing_source("T2_HERE") is None
