"""Requests as lists: one name a line, none twice, whole at every moment."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamo_consistency import paths
from dynamo_consistency.backend.contract import Asked, ItemisingRegistry, Outcome, WithdrawingRegistry
from dynamo_consistency.backend.file.requests import Registry
from dynamo_consistency.errors import BackendError, ConfigurationError

SITE = "T2_X"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "requests"


def lists(folder):
    """The lists of a backend of one site: no other can have a claim on its files."""
    return Registry(folder and str(folder), lambda site, files, directories: {})


def lines(folder, name="delete.txt"):
    return (folder / SITE / name).read_bytes().split(b"\n")[:-1]


def test_deletions_are_written_down_once_each(folder):
    registry = lists(folder)
    assert registry.delete(SITE, ["/store/a", "/store/b", "/store/a"]) == 2
    assert registry.delete(SITE, iter(["/store/b", "/store/c"])) == 1
    assert registry.delete(SITE, []) == 0
    assert lines(folder) == [b"/store/a", b"/store/b", b"/store/c"]


def test_transfers_have_a_list_of_their_own_and_nothing_is_known_of_sources(folder):
    registry = lists(folder)
    registry.delete(SITE, ["/store/a"])
    assert registry.transfer(SITE, ["/store/a", "/store/b"]) == ([], [])
    assert lines(folder, "transfer.txt") == [b"/store/a", b"/store/b"]
    assert lines(folder) == [b"/store/a"]
    assert not hasattr(registry, "sources")


def test_each_file_has_an_outcome(folder):
    registry = lists(folder)
    assert isinstance(registry, ItemisingRegistry)
    assert registry.request_deletion(SITE, [b"/store/a"]) == [Outcome(b"/store/a", "requested")]
    assert registry.request_deletion(SITE, [b"/store/b", b"/store/a"]) == [
        Outcome(b"/store/b", "requested"),
        Outcome(b"/store/a", "waiting"),
    ]
    assert registry.request_transfer(SITE, [b"/store/a"]) == [Outcome(b"/store/a", "requested")]


def test_the_line_of_a_directory_ends_with_a_slash(folder):
    registry = lists(folder)
    registry.request_deletion(SITE, [b"/store/a/f"])
    assert registry.request_deletion_of_directories(SITE, [b"/store/a", b"/store/n\n"]) == [
        Outcome(b"/store/a", "requested"),
        Outcome(b"/store/n\n", "requested"),
    ]
    assert registry.request_deletion_of_directories(SITE, [b"/store/a"]) == [Outcome(b"/store/a", "waiting")]
    assert registry.request_deletion(SITE, [b"/store/a"]) == [Outcome(b"/store/a", "requested")]
    assert lines(folder) == [b"/store/a/f", b"/store/a/", b"/store/n\\n/", b"/store/a"]


def asked(*names: bytes, request: str = "delete") -> list[Asked]:
    return [Asked(name, request, "20261129T000000Z", 0.0) for name in names]


def test_a_line_that_still_stands_is_taken_out_and_the_others_stay(folder):
    registry = lists(folder)
    assert isinstance(registry, WithdrawingRegistry)
    registry.request_deletion(SITE, [b"/store/a", b"/store/a\nb", b"/store/b"])
    registry.request_transfer(SITE, [b"/store/a"])
    wanted = asked(b"/store/b", b"/store/a\nb", b"/store/c")
    assert registry.withdraw(SITE, wanted) == ["withdrawn", "withdrawn", "unknown"]
    assert (lines(folder), lines(folder, "transfer.txt")) == ([b"/store/a"], [b"/store/a"])
    assert registry.withdraw(SITE, asked(b"/store/a", request="transfer")) == ["withdrawn"]
    assert (lines(folder), lines(folder, "transfer.txt")) == ([b"/store/a"], [])
    assert registry.withdraw(SITE, wanted) == ["unknown"] * 3
    assert registry.withdraw(SITE, []) == []


def test_the_line_of_a_directory_is_taken_out_too(folder):
    registry = lists(folder)
    registry.request_deletion(SITE, [b"/store/a/f"])
    registry.request_deletion_of_directories(SITE, [b"/store/a", b"/store/b"])
    assert registry.withdraw(SITE, asked(b"/store/a", b"/store/c")) == ["withdrawn", "unknown"]
    assert lines(folder) == [b"/store/a/f", b"/store/b/"]


def test_the_line_of_a_directory_is_found_with_the_slash_at_its_end(folder):
    registry = lists(folder)
    registry.request_deletion(SITE, [b"/store/a/", b"/store/ab"])
    assert registry.withdraw(SITE, asked(b"/store/a")) == ["withdrawn"]
    assert lines(folder) == [b"/store/ab"]


def test_a_line_of_a_list_that_was_taken_away_is_not_known_any_more(folder):
    registry = lists(folder)
    assert registry.withdraw(SITE, asked(b"/store/a")) == ["unknown"]
    registry.request_deletion(SITE, [b"/store/a"])
    (folder / SITE / "delete.txt").rename(folder / SITE / "delete.1")
    assert registry.withdraw(SITE, asked(b"/store/a")) == ["unknown"]
    assert lines(folder, "delete.1") == [b"/store/a"]


@pytest.mark.parametrize("also", ["", "renamed", "written"])
def test_a_list_that_somebody_changes_without_the_lock_is_left_as_they_leave_it(folder, monkeypatch, also):
    registry = lists(folder)
    registry.request_deletion(SITE, [b"/store/a", b"/store/b"])
    target = folder / SITE / "delete.txt"
    read = Path.read_bytes

    def meanwhile(path):
        content = read(path)
        if also == "renamed":
            path.rename(folder / SITE / "delete.1")
        elif also == "written":
            path.write_bytes(b"/store/a\n/store/c\n# mine\n")
        return content

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", meanwhile)
        expected = "cannot" if also else "withdrawn"
        assert registry.withdraw(SITE, asked(b"/store/a")) == [expected]
    left = {"": b"/store/b\n", "renamed": None, "written": b"/store/a\n/store/c\n# mine\n"}[also]
    assert (target.read_bytes() if target.exists() else None) == left


def test_what_was_taken_away_can_be_requested_again(folder):
    registry = lists(folder)
    registry.delete(SITE, ["/store/a"])
    (folder / SITE / "delete.txt").rename(folder / SITE / "taken")
    assert registry.delete(SITE, ["/store/a"]) == 1


def test_a_list_that_somebody_edited_stays_one_name_a_line(folder):
    (folder / SITE).mkdir(parents=True)
    (folder / SITE / "delete.txt").write_bytes(b"/store/a\n\n/store/b")  # without a line end
    lists(folder).delete(SITE, ["/store/c", "/store/b"])
    assert lines(folder) == [b"/store/a", b"/store/b", b"/store/c"]


@given(names=st.lists(st.binary(min_size=1, max_size=20), max_size=10))
def test_any_name_is_one_line_and_no_two_names_are_the_same_line(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("requests")
    wanted = [b"/store/" + name for name in names]
    outcomes = lists(folder).request_deletion(SITE, wanted)
    assert [outcome.path for outcome in outcomes] == wanted
    if wanted:
        assert lines(folder) == [paths.one_line(name) for name in dict.fromkeys(wanted)]


def test_without_a_folder_requests_are_refused():
    with pytest.raises(ConfigurationError, match="set `requests` of it to a folder"):
        lists(None).delete(SITE, ["/store/a"])


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BackendError, match="cannot be written: "):
        lists(tmp_path / "file").delete(SITE, ["/store/a"])


def _add(folder, first):
    for number in range(first, first + 25):
        lists(folder).delete(SITE, [f"/store/{number}"])


def test_several_writers_lose_nothing(folder):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_add, args=(folder, first)) for first in (0, 25, 50)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    assert sorted(lines(folder)) == sorted(b"/store/%d" % number for number in range(75))


def test_a_kill_leaves_only_whole_lines(folder):
    """Killed again and again in the middle of writing long names: no line is ever a part of one."""
    code = """
import sys
from dynamo_consistency.backend.file.requests import Registry
registry, number = Registry(sys.argv[1], lambda site, files, directories: {}), 0
print("begun", flush=True)
while True:
    registry.delete("T2_X", [f"/store/{number:0200}"])
    number += 1
"""
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE)
        writer.stdout.readline()
        time.sleep(0.15)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        content = (folder / SITE / "delete.txt").read_bytes()
        assert content.endswith(b"\n")
        assert {len(line) for line in lines(folder)} == {207}
    assert lists(folder).delete(SITE, ["/store/last"]) == 1
