"""What a person sees of a listing that takes hours."""

import io
import logging
import time
from functools import partial

import pytest

from dynamo_consistency.run import progress as stage_progress
from dynamo_consistency.run.listing.progress import ListingCounts, Progress, Relay, Sum
from dynamo_consistency.run.progress import StageProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _able_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_a_terminal_it_logs_a_line_a_minute(caplog):
    caplog.set_level(logging.INFO)
    clock, stream = Clock(), io.StringIO()
    with Progress("listing T2_TEST", 20_000, stream, clock) as progress:
        for second in range(181):
            clock.now = float(second)
            progress(ListingCounts(files=100 * second, directories=10 * second, holes=2), 64)
    assert stream.getvalue() == ""
    assert [record.message for record in caplog.records] == [
        f"listing T2_TEST: {directories} directories ({share} % of the last run's), {files} files, 10 directories/s, "
        f"2 holes, 64 in flight, {elapsed} elapsed, {left} left"
        for directories, share, files, elapsed, left in (
            ("600", 3, "6,000", "0:01:00", "0:32:20"),
            ("1,200", 6, "12,000", "0:02:00", "0:31:20"),
            ("1,800", 9, "18,000", "0:03:00", "0:30:20"),
        )
    ]


def test_on_a_terminal_it_renews_a_line(caplog):
    caplog.set_level(logging.INFO)
    clock, stream = Clock(), Terminal()
    with Progress("listing T2_TEST", None, stream, clock) as progress:
        clock.now = 10.0
        progress(ListingCounts(files=1234, directories=100), 8)
        clock.now = 10.01
        progress(ListingCounts(files=9999, directories=100), 8)
    assert "1,234 files" in stream.getvalue()
    assert "9,999" not in stream.getvalue(), "not more often than one can read"
    assert "last run" not in stream.getvalue()
    assert caplog.records == []


def test_several_listings_at_once_are_told_as_one():
    told = []

    class Watcher:
        def __call__(self, counts, window):
            told.append((counts, window))

    clock, together = Clock(), Sum(Watcher())
    relays = [Relay(partial(together.receive, part), clock) for part in range(2)]
    relays[0](ListingCounts(files=5, directories=2, bytes=50), 8)
    relays[1](ListingCounts(files=1, directories=1, holes=1, bytes=7), 16)
    clock.now = 0.1
    relays[1](ListingCounts(files=999), 999)
    clock.now = 0.3
    relays[0](ListingCounts(files=6, directories=3, bytes=60), 4)
    assert told == [
        (ListingCounts(files=5, directories=2, bytes=50), 8),
        (ListingCounts(files=6, directories=3, holes=1, bytes=57), 24),
        (ListingCounts(files=7, directories=4, holes=1, bytes=67), 20),
    ]


def test_every_stage_has_a_bar_with_rate_and_time_left_and_it_is_gone_when_it_is_over():
    clock, stream = Clock(), Terminal()
    with StageProgress("T2_TEST: inventory", "files", 10_000, stream, clock) as progress:
        clock.now = 10.0
        for _ in progress.counted([2500], lambda number: number):
            pass
    frames = stream.getvalue().split("\r")
    assert any("T2_TEST: inventory" in frame and "2,500 files, 250/s, 0:00:30 left" in frame for frame in frames)
    assert stream.getvalue().endswith("\x1b[2K"), "what it told stands in the result"


def test_a_stage_that_does_more_than_the_last_run_does_not_say_that_it_is_nearly_done():
    clock = Clock()
    progress = StageProgress("T2_TEST: inventory", "files", 10, io.StringIO(), clock)
    clock.now = 10.0
    progress.advance(20)
    assert progress.said() == "20 files, 2/s"


def test_without_a_terminal_a_stage_logs_a_line_a_minute_also_while_nothing_advances(caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(stage_progress, "LOG_SECONDS", 0.01)
    stream = io.StringIO()
    with StageProgress("T2_TEST: comparison", "steps", 31, stream):
        for _ in range(1000):
            if caplog.records:
                break
            time.sleep(0.01)
    assert caplog.records[0].message.startswith("T2_TEST: comparison: 0 steps, 0/s, 0:00:0")
    assert stream.getvalue() == ""


def test_a_terminal_that_cannot_renew_a_line_gets_the_lines_of_the_log(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert not stage_progress.takes_bars(Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert stage_progress.takes_bars(Terminal())
