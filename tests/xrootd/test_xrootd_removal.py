"""Removing empty directories: the server keeps those that are not empty, and says so."""

import os

import pytest

pytestmark = pytest.mark.xrootd


def test_an_empty_directory_goes_and_a_full_one_stays(site, make_lister) -> None:
    (site.path / "empty").mkdir()
    (site.path / "full").mkdir()
    (site.path / "full/file").touch()
    for path in (site.path, site.path / "empty", site.path / "full"):
        path.chmod(0o777)  # the server is another user
    lister = make_lister(site.server.url)
    lister.prepare()
    assert lister.remove_directory(site.lfn + b"/empty") is None
    assert "not empty" in lister.remove_directory(site.lfn + b"/full")
    assert lister.remove_directory(site.lfn + b"/empty") is None, "what is gone is gone"
    assert [path.name for path in site.path.iterdir()] == ["full"]


def test_a_name_that_cannot_be_asked_for_is_left_alone(site, make_lister) -> None:
    odd = os.fsencode(site.path) + b"/a?b"
    os.mkdir(odd)  # noqa: PTH102 (bytes)
    lister = make_lister(site.server.url)
    lister.prepare()
    assert "?" in lister.remove_directory(site.lfn + b"/a?b")
    assert os.path.isdir(odd)  # noqa: PTH112


def test_without_a_door_nothing_is_removed(site, make_lister) -> None:
    assert make_lister(site.server.url).remove_directory(site.lfn) == (
        "there is not one storage that would answer for it"
    )
    assert site.path.is_dir()
