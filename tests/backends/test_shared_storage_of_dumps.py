"""A file that another site of the same backend claims at the same storage is never written to the list of deletions."""

import json
import time

import pytest

from dynamo_consistency.backend.contract import Outcome
from dynamo_consistency.backend.file.backend import open_backend
from dynamo_consistency.backend.file.options import Options

ORPHAN, OTHERS = b"/store/mc/E/P/T/v1/orphan", b"/store/mc/E/P/T/v1/others"
DISK = {"xrootd": {"servers": ["root://door.example.org:1094"], "prefix": "/pnfs"}}


@pytest.fixture
def registry(tmp_path):
    """Makes the registry of a disk, beside which there is a site that claims `others`."""

    def make(listing: dict | None, claimed: bytes = OTHERS):
        names = {"T2_DISK": b"/store/mc/E/P/T/v1/f", "T2_TAPE": claimed}
        sites = {}
        for name, path in names.items():
            (tmp_path / name).write_bytes(path + b"\n")
            source = {"url": str(tmp_path / name), "format": "paths", "date": time.strftime("%Y-%m-%d")}
            sites[name] = {"inventory": source} | ({"listing": DISK} if name == "T2_DISK" else {})
        if listing:
            sites["T2_TAPE"]["listing"] = listing
        options = {"type": "file", "sites": sites, "requests": str(tmp_path / "requests")}
        return open_backend(Options.model_validate_json(json.dumps(options))).registry

    return make


def refused(outcomes: list[Outcome]) -> list[bytes]:
    assert all("T2_TAPE" in outcome.message for outcome in outcomes if outcome.outcome == "refused")
    return [outcome.path for outcome in outcomes if outcome.outcome == "refused"]


@pytest.mark.parametrize(
    ("listing", "claimed"),
    [
        (DISK, OTHERS),
        ({"webdav": {"servers": ["davs://other-door.example.org:2880"], "prefix": "/pnfs"}}, OTHERS),
        ({"xrootd": {"servers": ["door.example.org"], "prefix": "/pnfs/store"}}, b"/mc/E/P/T/v1/others"),
        ({"gfal": {"url": "srm://door.example.org:8443/pnfs"}}, OTHERS),
    ],
)
def test_what_the_other_site_has_at_that_place_is_refused_and_the_rest_is_taken(registry, tmp_path, listing, claimed):
    outcomes = registry(listing, claimed).request_deletion("T2_DISK", [ORPHAN, OTHERS])
    assert refused(outcomes) == [OTHERS]
    assert (tmp_path / "requests/T2_DISK/delete.txt").read_bytes() == ORPHAN + b"\n"


@pytest.mark.parametrize(
    "listing",
    [
        {"xrootd": {"servers": ["door.example.com"], "prefix": "/pnfs"}},
        {"xrootd": {"servers": ["door.example.org"], "prefix": "/tape"}},
        {"posix": {"prefix": "/pnfs"}},
        None,
    ],
)
def test_a_file_at_another_place_is_another_file(registry, listing):
    assert refused(registry(listing).request_deletion("T2_DISK", [ORPHAN, OTHERS])) == []


def test_a_directory_in_which_the_other_site_has_a_file_is_refused(registry, tmp_path):
    above, beside = b"/store/mc/E/P", b"/store/mc/E/P/T/v1/oth"
    outcomes = registry(DISK).request_deletion_of_directories("T2_DISK", [beside, above])
    assert refused(outcomes) == [above]
    assert [outcome.path for outcome in outcomes] == [beside, above]
    assert (tmp_path / "requests/T2_DISK/delete.txt").read_bytes() == beside + b"/\n"
