"""Several sites of a file backend on one storage: what one of them has is on no other's list of deletions."""

import pytest
import yaml

from dynamo_consistency.backend import configure, current
from dynamo_consistency.backend.contract import Outcome

FILE = b"/store/mc/a"
ALIKE = "xrootd: {servers: [door.one.test], prefix: /pnfs}"


@pytest.fixture
def request_deletion(write, tmp_path):
    """Ask T2_X, listed by `ours`, to delete files; `others`: what lists each other site, and its inventory."""

    def ask(ours, others, *files, directories=False):
        entries = {}
        for site, (listing, inventory) in {"T2_X": (ours, "/store/mc/mine\t5\n"), **others}.items():
            url = str(write(f"{site}.tsv", inventory)) if inventory else "/nowhere"
            entries[site] = {"inventory": {"url": url}} | ({"listing": yaml.safe_load(listing)} if listing else {})
        file = {"backends": {"default": {"type": "file", "requests": str(tmp_path), "sites": entries}}}
        configure(write("backends.yaml", yaml.safe_dump(file)))
        registry = current().registry
        return (registry.request_deletion_of_directories if directories else registry.request_deletion)("T2_X", files)

    return ask


def refused(site, path=FILE):
    return [Outcome(path, "refused", f"{site}, which may have the same storage, has it")]


@pytest.mark.parametrize(
    ("ours", "theirs", "name"),
    [
        pytest.param(ALIKE, ALIKE, "/store/mc/a", id="the same door and prefix"),
        pytest.param(ALIKE, "xrootd: {servers: [other.one.test:1095], prefix: /pnfs/}", "/store//mc/a", id="two doors"),
        pytest.param(ALIKE, "xrootd: {servers: [door.one.test], prefix: /pnfs/store}", "/mc/a", id="another LFN"),
        pytest.param(
            "posix: {prefix: /mnt, rules: [{lfn: '/store/(.*)', path: '/disk/$1'}]}",
            "posix: {prefix: /mnt/disk}",
            "/mc/a",
            id="rules",
        ),
        pytest.param(ALIKE, "webdav: {servers: [door.one.test], prefix: /}", "/store/mc/a", id="another protocol"),
        pytest.param(
            ALIKE, "webdav: {servers: [door.one.test]}", "/pnfs/store/mc/a", id="another protocol, whole path"
        ),
        pytest.param(ALIKE, None, "/store/mc/a", id="one that nobody says how to list"),
        pytest.param(None, ALIKE, "/store/mc/a", id="ours, of which nobody says it"),
        pytest.param(ALIKE, "s3: {url: s3://bucket}", "/store/mc/a", id="a bucket"),
        pytest.param(ALIKE, "gfal: {url: 'srm://door.one.test:8443/pnfs/store'}", "/mc/a", id="SRM"),
    ],
)
def test_what_another_site_may_have_on_the_same_storage_is_not_on_the_list(request_deletion, ours, theirs, name):
    others = {"T2_Y": (theirs, f"{name}\t5\n/store/mc/other\t5\n")}
    assert request_deletion(ours, others, FILE, b"/store/mc/b") == [
        *refused("T2_Y"),
        Outcome(b"/store/mc/b", "requested"),
    ]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param(ALIKE, "xrootd: {servers: [door.two.test], prefix: /pnfs}", id="another host"),
        pytest.param(ALIKE, "xrootd: {servers: [door.one.test], prefix: /tape}", id="another place"),
        pytest.param("posix: {prefix: /mnt/x}", "posix: {prefix: /mnt/y}", id="another mount"),
    ],
)
def test_a_copy_of_another_site_on_another_storage_or_place_holds_nothing_up(request_deletion, ours, theirs):
    assert request_deletion(ours, {"T2_Y": (theirs, "/store/mc/a\t5\n")}, FILE) == [Outcome(FILE, "requested")]


def test_the_inventory_of_a_site_on_another_storage_is_not_even_read(request_deletion):
    elsewhere = "xrootd: {servers: [door.two.test], prefix: /pnfs}"
    assert request_deletion(ALIKE, {"T2_Y": (elsewhere, None)}, FILE) == [Outcome(FILE, "requested")]


def test_an_inventory_that_cannot_be_read_may_have_every_file(request_deletion):
    (outcome,) = request_deletion(ALIKE, {"T2_Y": (ALIKE, None)}, FILE)
    assert outcome.outcome == "refused"
    assert outcome.message.startswith("T2_Y, which may have the same storage, may have it: the inventory cannot be")


def test_each_of_several_other_sites_is_asked(request_deletion):
    others = {"T2_Y": (ALIKE, "/store/mc/y\t5\n"), "T2_Z": (ALIKE, "/store/mc/a\t5\n")}
    outcomes = request_deletion(ALIKE, others, FILE, b"/store/mc/y")
    assert outcomes == [*refused("T2_Z"), *refused("T2_Y", b"/store/mc/y")]


def test_a_directory_in_which_another_site_has_a_file_is_not_on_the_list(request_deletion):
    above, beside = b"/store/mc/E", b"/store/mc/E/P/oth"
    outcomes = request_deletion(ALIKE, {"T2_Y": (ALIKE, "/store/mc/E/P/others\t5\n")}, beside, above, directories=True)
    assert outcomes == [Outcome(beside, "requested"), *refused("T2_Y", above)]
