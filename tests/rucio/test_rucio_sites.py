"""The RSEs as sites: which there are, which are ready, and what lists them."""

import contextlib

import pytest

from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did, Translation, named
from dynamo_consistency.backend.rucio.catalogue.rses import Rse, RseProtocol
from dynamo_consistency.backend.rucio.requests import lfn2pfn_check
from dynamo_consistency.errors import BackendError, ConfigurationError

ROOT = {"scheme": "root", "hostname": "door1.example.org", "port": 1094, "prefix": "//store/"}
NOT_READ = {"wan": {"read": 0, "write": 1, "delete": 1}, "lan": {"read": 1, "write": 1, "delete": 1}}


def best(read: int) -> dict:
    return {"wan": {"read": read, "write": 1, "delete": 1}, "lan": {"read": 1, "write": 1, "delete": 1}}


def source(rucio, *protocols, **settings) -> dict:
    site = rucio.rse(protocols=protocols)
    listed = rucio.backend(**settings).listing_source(site.name)
    return listed.model_dump(exclude_none=True, exclude_defaults=True, mode="json")


def test_sites_are_the_rses_that_are_not_deleted(rucio):
    here, gone = rucio.rse("HERE"), rucio.rse("GONE")
    rucio.sql("UPDATE rses SET deleted = :yes WHERE rse = :rse", yes=True, rse=gone.name)
    listed = rucio.backend().siteinfo.site_list()
    assert here.name in listed
    assert gone.name not in listed
    assert listed == sorted(listed)


@pytest.mark.parametrize("with_server", [False, True])
def test_ready_is_a_readable_disk_on_which_files_stay(rucio, with_server):
    disk = rucio.rse("DISK")
    others = [
        rucio.rse("TAPE", rse_type="TAPE"),
        rucio.rse("CACHE", volatile=True),
        rucio.rse("STAGING", staging_area=True),
        rucio.rse("BROKEN"),
    ]
    rucio.ask("PUT", f"/rses/{others[-1].name}", {"availability_read": False})
    backend = rucio.backend(rest=rucio.rest_options()) if with_server else rucio.backend()
    ready = backend.siteinfo.ready_sites()
    assert disk.name in ready
    assert ready.isdisjoint(site.name for site in others)
    assert backend.check_site(disk.name) is True
    assert [backend.check_site(site.name) for site in others] == [False] * 4


def test_an_expression_chooses_the_ready_sites(rucio):
    chosen, other = rucio.rse("CHOSEN", attributes={"tier": f"x{rucio.number}"}), rucio.rse("OTHER")
    expression = f"tier=x{rucio.number}"
    backend = rucio.backend(readySites=expression, rest=rucio.rest_options())
    assert backend.siteinfo.ready_sites() == {chosen.name}
    assert backend.check_site(chosen.name)
    assert not backend.check_site(other.name)
    nothing = rucio.backend(readySites="tier=nobody", rest=rucio.rest_options())
    assert nothing.siteinfo.ready_sites() == set()
    with pytest.raises(
        ConfigurationError, match="readySites is an expression that Rucio's server evaluates; set `rest`"
    ):
        rucio.backend(readySites=expression).siteinfo.ready_sites()


def test_a_site_that_rucio_does_not_know_is_an_error_everywhere(rucio, tmp_path):
    backend = rucio.backend(rest=rucio.rest_options())
    (tmp_path / "list").write_text("/f\n")
    for ask in (
        backend.check_site,
        backend.listing_source,
        backend.get_listers,
        backend.deletion_requests,
        backend.inventory.protected_datasets,
        backend.inventory.list_files,
        lambda site: backend.inventory.look_up(site, [b"/f"]),
        lambda site: backend.filelist_to_blocklist(site, f"{tmp_path}/list", f"{tmp_path}/out"),
    ):
        with pytest.raises(BackendError, match="knows no RSE 'NOWHERE'; `site list` shows"):
            ask("NOWHERE")


def test_a_site_that_offers_nothing_for_reading_is_not_ready(rucio):
    site = rucio.rse(protocols=[{**ROOT, "domains": NOT_READ}])
    assert not rucio.backend().check_site(site.name)
    elsewhere = {"posix": {"prefix": "/mnt"}}
    assert rucio.backend(sites={site.name: elsewhere}).check_site(site.name)


def test_a_wrong_lfn2pfn_is_found_before_a_run(rucio):
    site = rucio.rse(algorithm="identity")
    rucio.row(site, "a/b c%")
    rest = rucio.rest_options()
    assert rucio.backend(rest=rest).check_site(site.name)
    assert rucio.backend(rest=rest, lfn2pfn="identity").check_site(site.name)
    for wrong in ("hash", "cms"):
        with pytest.raises(BackendError, match=r"lfn2pfn is not what Rucio's server does at .*; correct lfn2pfn"):
            rucio.backend(rest=rest, lfn2pfn=wrong).check_site(site.name)


@pytest.mark.parametrize(("name", "agrees"), [("/store/f", True), ("/other/f", False), ("/data/store/f", False)])
def test_where_a_tfc_puts_files_a_pfn_only_has_to_end_with_our_path(name, agrees):
    protocol = RseProtocol("root", "door", 1094, "/", tfc=True, read=1, delete=1)
    rse = Rse(1, "A", "DISK", True, False, False, True, True, True, {}, [protocol])
    told = {Did("cms", name): "root://door:1094//pnfs/some/where/store/f"}
    with contextlib.nullcontext() if agrees else pytest.raises(BackendError, match="lfn2pfn is not what"):
        lfn2pfn_check.require(rse, Translation(named("cms")), told)


@pytest.mark.parametrize(
    ("scheme", "prefix"),
    [
        ("root", "//store/"),
        ("root", "/"),
        ("root", "/a b/100%/"),
        ("root", "/x/../y"),
        *((scheme, "//store/") for scheme in ("davs", "srm", "file", "s3")),
    ],
)
def test_our_paths_are_recognised_in_the_pfns_of_every_protocol(rucio_sqlite, scheme, prefix):
    attributes = {"web_service_path": "/srm/managerv2?SFN=", "space_token": "X"} if scheme == "srm" else None
    rucio = rucio_sqlite
    protocol = {**ROOT, "scheme": scheme, "prefix": prefix, "extended_attributes": attributes}
    site = rucio.rse(protocols=[protocol])
    for name in ("a?b&c=d", "ü n", "q#1"):
        rucio.row(site, name)
    assert rucio.backend(rest=rucio.rest_options()).check_site(site.name)


def test_protocols_of_one_scheme_are_several_doors(rucio_sqlite):
    second = {**ROOT, "hostname": "door2.example.org", "port": 0, "prefix": "/store", "domains": best(2)}
    elsewhere = {**ROOT, "hostname": "door3.example.org", "prefix": "/other/", "domains": best(3)}
    unread = {**ROOT, "hostname": "door4.example.org", "domains": NOT_READ}
    assert source(rucio_sqlite, ROOT, second, elsewhere, unread) == {
        "xrootd": {"servers": ["root://door1.example.org:1094", "root://door2.example.org"], "prefix": "/store"}
    }


def test_the_best_protocol_goes_first(rucio_sqlite):
    web = {**ROOT, "scheme": "davs", "port": 2880, "domains": best(1)}
    found = source(rucio_sqlite, {**ROOT, "domains": best(2)}, web)
    assert found == {"webdav": {"servers": ["davs://door1.example.org:2880"], "prefix": "/store"}}
    found = source(rucio_sqlite, {**ROOT, "domains": best(1)}, {**web, "domains": best(2)})
    assert list(found) == ["xrootd"]


def test_what_only_gfal_lists_comes_last(rucio_sqlite):
    service = {"web_service_path": "/srm/managerv2?SFN=", "space_token": "X"}
    srm = {**ROOT, "scheme": "srm", "port": 8443, "domains": best(1), "extended_attributes": service}
    assert source(rucio_sqlite, srm, {**ROOT, "domains": best(2)}).keys() == {"xrootd"}
    assert source(rucio_sqlite, srm) == {"gfal": {"url": "srm://door1.example.org:8443/store"}}


def test_a_local_folder_is_listed_as_such(rucio_sqlite):
    found = source(rucio_sqlite, {"scheme": "file", "prefix": "//data/rucio//"})
    assert found == {"posix": {"prefix": "/data/rucio"}}


def test_what_cannot_be_listed_by_itself_is_a_sentence(rucio_sqlite):
    with pytest.raises(BackendError, match=r"offers only s3 for reading from outside, .* under `sites` of the backend"):
        source(rucio_sqlite, {**ROOT, "scheme": "s3"})
    with pytest.raises(BackendError, match="offers no protocol for reading from outside; name what lists it"):
        source(rucio_sqlite, {**ROOT, "domains": NOT_READ})
    with pytest.raises(BackendError, match=r"the protocol file of .* cannot be listed: .*component"):
        source(rucio_sqlite, {"scheme": "file", "prefix": "/data/../etc/"})


def test_the_entry_may_name_another_way_to_list_a_site(rucio_sqlite):
    site = rucio_sqlite.rse()
    backend = rucio_sqlite.backend(sites={site.name: {"posix": {"prefix": "/mnt/site"}}})
    assert backend.listing_source(site.name).posix.prefix == "/mnt/site"


def test_get_listers_lists_the_files_that_the_catalogue_knows(rucio_sqlite):
    site = rucio_sqlite.rse()
    path = rucio_sqlite.file(site, "f", b"12345").decode()
    constructor, [arguments, *_] = rucio_sqlite.backend().get_listers(site.name)
    directory, name = path.rsplit("/", 1)
    ok, directories, [(found, size, _)] = constructor(*arguments).list(directory)
    assert (ok, directories, found, size) == (True, [], name.encode(), 5)
