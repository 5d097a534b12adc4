"""Before a transfer the file itself is asked for: a clear "not there", or the wrong size, counts (rules.md, gate 8)."""

import threading
import time

import pytest
from laboratory import MISMATCH, MISSING

from dynamo_consistency.listers.contract import Failed, Listed, Subdirectory
from dynamo_consistency.listers.look import FileStat, NotThere, Unsure
from dynamo_consistency.listers.walk import Limits
from dynamo_consistency.run.action import action, file_look, site_view
from dynamo_consistency.run.action.file_look import FileLooks
from dynamo_consistency.run.action.site_view import Absent, SeenFile, SiteView, Unknown

FILES = [b"/store/mc/f%02d" % number for number in range(20)]


def asked_with(waiting, monkeypatch, look):
    """What is asked for when the protocol can ask for single files: `look` answers for what is absent."""
    sizes = {path: stored.size for path, stored in waiting.world.files.items()}
    return asked_with_looks(
        waiting, monkeypatch, lambda file: FileStat(sizes[file], 0) if file in sizes else look(file)
    )


def asked_with_looks(waiting, monkeypatch, look):
    """The same, where `look` answers for all."""
    opened = action.open_lister
    monkeypatch.setattr(action, "open_lister", lambda *told: opened(*told)._replace(look=look))
    waiting.approve()
    return [path for what, path in waiting.asked() if what == "transfer"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (FileStat(100, 1_600_000_000), "reappeared"),
        (FileStat(None, None), "reappeared"),
        (Unsure("the disk is offline"), "it is not known whether it is there: the disk is offline"),
    ],
)
def test_a_file_that_the_listing_leaves_out_is_not_fetched_unless_the_site_says_that_it_is_not_there(
    waiting, monkeypatch, answer, reason
):
    assert asked_with(waiting, monkeypatch, lambda file: answer) == [MISMATCH]
    assert waiting.reasons()[MISSING] == reason


def test_a_file_that_is_clearly_not_there_is_fetched(waiting, monkeypatch):
    asked = []
    assert asked_with(waiting, monkeypatch, lambda file: asked.append(file) or NotThere()) == [MISMATCH, MISSING]
    assert asked == [MISSING]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (FileStat(100, 1_600_000_000), "reappeared: it has the right size now"),
        (FileStat(None, None), "grew: it has changed since the run"),
        (Unsure("the disk is offline"), "it is not known whether it is there: the disk is offline"),
        (NotThere(), "it is not known whether it is there: its directory shows it, and by its name it is gone"),
    ],
)
def test_a_file_of_which_only_the_listing_tells_a_wrong_size_is_not_fetched_anew(waiting, monkeypatch, answer, reason):
    look = {MISMATCH: answer, MISSING: NotThere()}.__getitem__
    assert asked_with_looks(waiting, monkeypatch, look) == [MISSING]
    assert waiting.reasons()[MISMATCH] == reason


def test_a_look_that_breaks_in_spite_of_its_promise_proves_nothing(waiting, monkeypatch):
    def look(file):
        raise ZeroDivisionError

    assert asked_with(waiting, monkeypatch, look) == [MISMATCH]
    assert waiting.reasons()[MISSING].startswith("it is not known")


def test_a_directory_that_shows_no_entry_at_all_at_that_moment_waits_where_nobody_has_approved(copied):
    lab = copied()
    lab.policy["approval"] = "Never"
    lab.run()
    assert MISSING in [path for _, path in lab.asked()], "control: it is fetched as long as others are beside it"
    lab = copied()
    lab.policy["approval"] = "Never"
    above = MISSING.rsplit(b"/", 1)[0]
    listings = [0]

    def empty_from_now_on():
        listings[0] += 1
        if listings[0] == len(lab.world.directories):  # the run's own listing has been there
            lab.world.answers_empty.add(above)

    lab.world.while_listing.extend([empty_from_now_on] * len(lab.world.directories))
    lab.run()
    assert lab.world.answers_empty
    assert MISSING not in [path for _, path in lab.asked()]
    assert lab.reasons()[MISSING].startswith("its directory shows no entry at all")


@pytest.mark.parametrize(
    ("beside", "bare"),
    [
        pytest.param([], True, id="nothing is beside it, as where a server answers empty"),
        pytest.param([Subdirectory(b"data", 0)], False, id="others are beside it"),
    ],
)
def test_a_file_whose_directory_is_gone_waits_where_the_one_above_shows_nothing_at_all(beside, bare):
    answers = {b"/store": Listed(directories=beside), b"/store/mc": Failed("there is no such directory")}
    look = site_view._Look({b"/store/f": [b"/store"], b"/store/mc/f": [b"/store", b"/store/mc"]}, answers, 0)
    assert look.file(b"/store/f") == Absent(bare=bare)
    assert look.file(b"/store/mc/f") == Absent(bare=bare)


def test_a_directory_that_cannot_be_listed_is_not_made_up_for_by_a_look(tmp_path):
    from dynamo_consistency.listers.posix import PosixLister
    from dynamo_consistency.listers.threaded import ThreadedLister

    (tmp_path / "store").mkdir()
    (tmp_path / "store/mc").symlink_to(tmp_path)
    posix = PosixLister(str(tmp_path))
    lister = ThreadedLister([lambda: posix.answer])
    view = SiteView(lister, Limits(retries=0), [b"/store"], lambda file: NotThere())
    assert isinstance(view.missing_files([b"/store/mc/f"])[b"/store/mc/f"], Unknown)
    (tmp_path / "store/mc").unlink()
    (tmp_path / "store/mc").mkdir()
    (tmp_path / "store/mc/f").write_bytes(b"12")
    assert isinstance(view.missing_files([b"/store/mc/f"])[b"/store/mc/f"], SeenFile)
    lister.close()


# ------------------------------------------------------------------------------------------------------ many at a time


def test_many_files_are_asked_for_at_the_same_time_as_far_as_check_and_lister_allow():
    for concurrency, capacity, most in ((5, 100, 5), (100, 3, 3), (1, 100, 1)):
        at_a_time, most_at_a_time = set(), []

        def look(file, at_a_time=at_a_time, seen=most_at_a_time):
            at_a_time.add(file)
            seen.append(len(at_a_time))
            time.sleep(0.02)
            at_a_time.discard(file)
            return NotThere()

        answers = FileLooks(look, Limits(concurrency), capacity).ask(FILES)
        assert answers == dict.fromkeys(FILES, NotThere())
        assert max(most_at_a_time) == most


def test_a_look_that_hangs_is_given_up_and_the_others_are_answered(monkeypatch):
    monkeypatch.setattr(file_look, "LISTER_GRACE_SECONDS", 0.2)
    never = threading.Event()

    def look(file):
        if file == FILES[3]:
            never.wait()
        return FileStat(1, None)

    answers = FileLooks(look, Limits(4, directory_timeout_seconds=0.3), 100).ask(FILES)
    never.set()
    assert answers.pop(FILES[3]) == Unsure("no answer within 0.3 s")
    assert set(answers.values()) == {FileStat(1, None)}


def test_a_site_at_which_everything_hangs_is_not_asked_for_ever(monkeypatch):
    monkeypatch.setattr(file_look, "LISTER_GRACE_SECONDS", 0.0)
    monkeypatch.setattr(file_look, "MAX_STUCK", 10)
    never, asked = threading.Event(), []
    looks = FileLooks(lambda file: asked.append(file) or never.wait(), Limits(6, directory_timeout_seconds=0.1), 100)
    for _ in range(5):
        assert all(isinstance(answer, Unsure) for answer in looks.ask(FILES).values())
    never.set()
    assert len(asked) <= 12


def test_files_are_asked_for_at_the_rate_that_the_check_allows():
    looks = FileLooks(lambda file: NotThere(), Limits(50, max_requests_per_second=50), 100)
    began = time.monotonic()
    looks.ask(FILES[:11])
    assert (time.monotonic() - began) * 50 > 9.5
