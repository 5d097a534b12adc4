"""A single file is asked for by itself: there, clearly not there, or in doubt."""

import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from listing_runs import check_of, touch

from dynamo_consistency.listers.look import FileStat, NotThere, Unsure
from dynamo_consistency.listers.posix import LINK, PosixLister
from dynamo_consistency.listers.threaded import in_time
from dynamo_consistency.run.listing.source import open_lister

OLD = 1_000_000_000


def look_of(backend, timeout: int = 5):
    return open_lister(check_of(None, directoryTimeoutSeconds=timeout).spec.listing, backend, "T2_TEST").look


def backend_of(factory, *arguments, **more):
    return SimpleNamespace(get_listers=lambda site: (factory, list(arguments) or [()]), **more)


class TestOnAMountedSite:
    @pytest.fixture
    def look(self, site: Path):
        listing = check_of({"posix": {"prefix": str(site)}}).spec.listing
        return open_lister(listing, None, "T2_TEST").look

    def test_a_file_has_its_size_and_its_time_rounded_up(self, site, look):
        touch(site / "store", b"f", size=3)
        os.utime(site / "store/f", ns=(0, OLD * 10**9 + 1))
        assert look(b"/store/f") == FileStat(3, OLD + 1)

    def test_no_entry_and_a_file_on_the_way_are_clear(self, site, look):
        touch(site / "store", b"f")
        assert look(b"/store/none") == NotThere()
        assert look(b"/store/f/none") == NotThere()

    def test_a_link_and_a_directory_are_not_the_file(self, site, look):
        touch(site / "store/d", b"f")
        (site / "store/link").symlink_to("d/f")
        (site / "store/dangling").symlink_to("none")
        assert look(b"/store/link") == look(b"/store/dangling") == Unsure(LINK)
        assert look(b"/store/d") == Unsure("it is a directory")

    def test_what_cannot_be_asked_for_is_not_known(self, look):
        assert isinstance(look(b"/store/" + b"n" * 300), Unsure)

    def test_a_refusal_is_no_answer(self, site, look, monkeypatch):
        def refuse(path):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "lstat", refuse)
        assert look(b"/store/f") == Unsure("Permission denied")


class TestWithListersOfABackend:
    def test_a_lister_with_stat_is_asked(self):
        class Lister:
            def list(self, directory):
                return True, [], []

            def stat(self, file):
                return {"/store/f": (3, 7.2), "/store/odd": (-1, float("nan"))}.get(file)

        look = look_of(backend_of(Lister))
        assert look(b"/store/f") == FileStat(3, 8)
        assert look(b"/store/odd") == FileStat(None, None)
        assert look(b"/store/none") == NotThere()

    @pytest.mark.parametrize("answer", [RuntimeError("away"), False, (1,), "yes", 7])
    def test_an_exception_or_any_other_answer_is_doubt(self, answer):
        class Lister:
            def list(self, directory):
                return True, [], []

            def stat(self, file):
                if isinstance(answer, Exception):
                    raise answer
                return answer

        assert isinstance(look_of(backend_of(Lister))(b"/store/f"), Unsure)

    def test_where_one_lister_fails_the_next_is_asked(self):
        class Lister:
            def __init__(self, works):
                self.works = works

            def list(self, directory):
                return True, [], []

            def stat(self, file):
                return (1, OLD) if self.works else 1 / 0

        assert look_of(backend_of(Lister, (False,), (True,)))(b"/store/f") == FileStat(1, OLD)

    def test_one_of_ours_looks_by_itself(self, site):
        touch(site / "store", b"f", size=3)
        assert look_of(backend_of(PosixLister, (str(site),)))(b"/store/f").size == 3

    def test_without_either_there_is_no_look(self):
        assert look_of(backend_of(lambda directory: (True, [], []))) is None

    def test_a_backend_that_knows_what_exists_is_asked_where_its_listers_cannot_be(self):
        known = {"/store/f": True, "/store/gone": False, "/store/odd": None}
        look = look_of(backend_of(lambda directory: (True, [], []), exists=known.__getitem__))
        assert look(b"/store/f") == FileStat(None, None)
        assert look(b"/store/gone") == NotThere()
        assert isinstance(look(b"/store/odd"), Unsure)
        assert isinstance(look(b"/store/raises"), Unsure)


def test_a_look_that_hangs_is_given_up():
    release = threading.Event()

    def hang(file):
        release.wait(60)
        return NotThere()

    assert in_time(hang, 0.05)(b"/store/f") == Unsure("no answer in 0.05 s")
    release.set()
