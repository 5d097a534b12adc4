"""Servers and prefixes of a check."""

import pytest

from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.listers.xrootd import XRootDLister
from dynamo_consistency.listers.xrootd.url import XRootDDoor, XRootDPrefix


@pytest.mark.parametrize(
    ("text", "door"),
    [
        ("door.site.org", "root://door.site.org:1094"),
        ("door:1095", "root://door:1095"),
        ("root://door", "root://door:1094"),
        ("root://door:1095", "root://door:1095"),
        ("root://door:1095/", "root://door:1095"),
        ("root://door:1095//", "root://door:1095"),
        ("roots://door", "roots://door:1094"),
        ("xroot://door", "root://door:1094"),
        ("127.0.0.1:1", "root://127.0.0.1:1"),
        ("[2001:db8::1]", "root://[2001:db8::1]:1094"),
        ("root://[2001:db8::1]:1095//", "root://[2001:db8::1]:1095"),
    ],
)
def test_a_door_may_be_written_in_all_usual_ways(text: str, door: str) -> None:
    assert str(XRootDDoor.parse(text)) == door


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "door:", "door:0", "door:65536", "door:port", "two words", "2001:db8::1", "http://door", "root://"),
        *("root://door/store", "root://door//store", "user@door", "door?authz=x", "root://door:1094?x", "-door"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not understood: write host"):
        XRootDLister([text])


def test_a_credential_in_a_url_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        XRootDDoor.parse("root://user:hunter2@door")
    assert "hunter2" not in str(caught.value)


def test_a_lister_needs_a_server() -> None:
    with pytest.raises(ConfigurationError, match="no XRootD server"):
        XRootDLister([])


@pytest.mark.parametrize("text", ["", "/", "/pnfs/rwth", "/pnfs/rwth/", "//pnfs//rwth"])
def test_a_prefix_leads_to_the_site_and_back(text: str) -> None:
    prefix = XRootDPrefix(text)
    path = prefix.path(b"/store/mc/\xff")
    assert path == (b"/pnfs/rwth/store/mc/\xff" if "pnfs" in text else b"/store/mc/\xff")
    assert prefix.lfn(path) == b"/store/mc/\xff"


def test_the_prefix_itself_is_the_root_of_the_name_space() -> None:
    assert XRootDPrefix("/pnfs").path(b"/") == b"/pnfs"
    assert XRootDPrefix("/pnfs").lfn(b"/pnfs/") == b"/"


@pytest.mark.parametrize("path", [b"/pnfs2/store", b"/store", b"/pnf"])
def test_a_path_outside_of_the_prefix_has_no_lfn(path: bytes) -> None:
    with pytest.raises(ValueError, match="not below the prefix"):
        XRootDPrefix("/pnfs").lfn(path)


@pytest.mark.parametrize("text", ["pnfs", "/pnfs?x", "/pn\0fs"])
def test_a_prefix_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="the prefix"):
        XRootDPrefix(text)
