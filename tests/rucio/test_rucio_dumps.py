"""The inventory from a replica dump, where the catalogue is spared the reading of all replicas."""

import bz2
import gzip
import os
import time

import pytest

from dynamo_consistency.errors import BackendError

LINE = "{rse}\t{scope}\t{name}\t0cc737eb\t3\t2026-11-01 10:00:00\t{path}\t2026-11-02 10:00:00\t{state}\n"


@pytest.fixture
def site(rucio_sqlite):
    return rucio_sqlite.rse(algorithm="identity")


def part(folder, name: str, *lines: str, pack=lambda data: data) -> str:
    (folder / name).write_bytes(pack("".join(lines).encode()))
    return str(folder / name)


def line(site, name: str, state: str = "A", **settings) -> str:
    facts = {"rse": site.name, "scope": "s", "path": f"s/{name}", **settings}
    return LINE.format(name=name, state=state, **facts)


def read(rucio, site, *urls: str, **settings) -> list[dict]:
    backend = rucio.backend(dumps={site.name: {"urls": list(urls), **settings}})
    return [row for batch in backend.inventory.stream(site.name) for row in batch.to_pylist()]


def test_a_dump_may_have_several_packed_parts(rucio_sqlite, site, tmp_path):
    urls = [
        part(tmp_path, "part-0.bz2", line(site, "f0"), pack=bz2.compress),
        part(tmp_path, "part-1.gz", line(site, "f1", state="C"), line(site, "f2"), pack=gzip.compress),
        part(tmp_path, "part-2.bz2", line(site, "f3", rse="OTHER"), pack=bz2.compress),
    ]
    rows = read(rucio_sqlite, site, *urls)
    assert [(row["path"], row["scope"], row["name"], row["size"], row["in_flight"]) for row in rows] == [
        (b"/s/f0", "s", "f0", 3, False),
        (b"/s/f1", "s", "f1", 3, True),
        (b"/s/f2", "s", "f2", 3, False),
    ]


def test_single_files_are_looked_up_in_the_catalogue_all_the_same(rucio_sqlite, site, tmp_path):
    path = rucio_sqlite.file(site, "f")
    dumps = {site.name: {"urls": [part(tmp_path, "dump", line(site, "other"))]}}
    assert rucio_sqlite.backend(dumps=dumps).inventory.look_up(site.name, [path, b"/s/other"]).keys() == {path}


def test_a_dump_without_a_file_of_the_site_is_not_believed(rucio_sqlite, site, tmp_path):
    other = part(tmp_path, "dump", line(site, "f", rse="OTHER"))
    with pytest.raises(BackendError, match=r"the replica dump of .* has no file of it; correct `dumps`"):
        read(rucio_sqlite, site, other)


def test_one_part_that_is_cut_short_spoils_the_dump(rucio_sqlite, site, tmp_path):
    whole = part(tmp_path, "part-0", line(site, "f0"))
    cut = part(tmp_path, "part-1.gz", line(site, "f1"), pack=lambda data: gzip.compress(data)[:-10])
    with pytest.raises(BackendError, match="cannot be read"):
        read(rucio_sqlite, site, whole, cut)
    with pytest.raises(BackendError, match="there is no dump"):
        read(rucio_sqlite, site, whole, f"{tmp_path}/part-2")


def test_one_part_that_is_too_old_spoils_the_dump(rucio_sqlite, site, tmp_path):
    young, old = part(tmp_path, "a", line(site, "f0")), part(tmp_path, "b", line(site, "f1"))
    os.utime(old, (time.time() - 7200,) * 2)
    assert len(read(rucio_sqlite, site, young, old)) == 2
    with pytest.raises(BackendError, match="is 2 hours old, more than maxAgeSeconds allows"):
        read(rucio_sqlite, site, young, old, maxAgeSeconds=3600)


def test_a_site_without_a_dump_is_read_from_the_catalogue(rucio_sqlite, site, tmp_path):
    rucio_sqlite.file(site, "f")
    dumps = {"OTHER": {"urls": [part(tmp_path, "dump", line(site, "g"))]}}
    [batch] = rucio_sqlite.backend(dumps=dumps).inventory.stream(site.name)
    assert batch["name"].to_pylist() == ["f"]
