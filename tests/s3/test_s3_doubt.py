"""Answers that may not be whole, or are not to the question: none of them is a short list."""

import re

import pytest
from object_store import page

from dynamo_consistency.listers.contract import Failed, File, Files, Listed

FIRST = page("store/", ["store/a"], IsTruncated="true", NextContinuationToken="t1")
LAST = page("store/", ["store/b"])


def test_pages_are_put_together(scripted):
    lister = scripted.lister(FIRST, LAST)
    assert [file.name for file in lister.answer(b"/store").files] == [b"a", b"b"]
    assert scripted.requests[-1]["continuation-token"] == "t1"


def test_a_time_is_rounded_up_so_that_no_file_looks_older_than_it_is(scripted):
    assert scripted.lister(LAST).answer(b"/store").files == Files.of([File(b"b", 3, 1767323046)])


@pytest.mark.parametrize(
    ("time", "mtime"),
    [
        ("", None),
        ("<LastModified>Fri, 02 Jan 2026 03:04:05 GMT</LastModified>", 1767323045),
        ("<LastModified>2026-01-02T03:04:05</LastModified>", 1767323045),
        ("<LastModified>2026-01-02T03:04:05+01:00</LastModified>", 1767319445),
    ],
)
def test_times_are_read_as_servers_write_them(scripted, time, mtime):
    assert scripted.lister(page("store/", ["store/b"], time=time)).answer(b"/store").files.mtimes[0] == mtime


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([page("store/", ["store/a"], IsTruncated="true")], "not said how to ask"),
        ([FIRST], "offered again and again"),
        ([page("store/", ["store/a"], IsTruncated=None)], "not said whether that is all"),
        ([FIRST, (500, "<Error><Code>InternalError</Code><Message>lost</Message></Error>")], "lost .InternalError"),
        ([FIRST, LAST[: len(LAST) // 2]], "Internal Server Error|not whole"),
        ([FIRST, ""], "not said whether that is all"),
        ([FIRST, page("other/", ["other/b"])], "another question"),
        ([page("store/", ["store/a"], KeyCount=2)], "fewer keys"),
    ],
)
def test_an_answer_that_is_not_whole_is_a_failure_and_asked_for_again(scripted, answers, reason):
    answer = scripted.lister(*answers).answer(b"/store")
    assert isinstance(answer, Failed), answer
    assert answer.retry
    assert re.search(reason, answer.reason), answer.reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (page("store/", ["store/a", "elsewhere/b"]), "from elsewhere"),
        (page("store/", ["store/a/b"]), "not cut at the slashes"),
        (page("store/", [], ("store/a/b/",)), "not cut at the slashes"),
        (page("store/", [], ("store/a",)), "not cut at the slashes"),
        (page("store/", ["store/x\ufffdy"]), "may have changed"),
        (page("store/", ["store/x\ny"]), "may have changed"),
        (page("store/", ["store/x"], time="<LastModified>long ago</LastModified>"), "long ago"),
    ],
)
def test_an_answer_that_makes_no_sense_is_a_failure(scripted, answer, reason):
    failed = scripted.lister(answer).answer(b"/store")
    assert isinstance(failed, Failed), failed
    assert reason in failed.reason


def test_a_first_answer_that_makes_no_sense_is_not_used_for_what_is_below(scripted):
    lister = scripted.lister(page("store/", [], ("store/a/",)), flat=page("store/", ["store/a/x\ufffdy", "store/a/f"]))
    assert [each.name for each in lister.answer(b"/store").directories] == [b"a"]


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (429, "TooManyRequests"), (503, "ServiceUnavailable")])
def test_a_store_that_is_overrun_is_asked_less_and_later(scripted, status, code):
    lister = scripted.lister((status, f"<Error><Code>{code}</Code><Message>please wait</Message></Error>"))
    answer = lister.answer(b"/store")
    assert isinstance(answer, Failed)
    assert answer.retry
    assert answer.slow


def test_a_refusal_is_not_asked_for_again(scripted):
    lister = scripted.lister((403, "<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>"))
    assert lister.answer(b"/store") == Failed("Access Denied (AccessDenied)")


def test_a_listing_that_takes_too_long_is_given_up(scripted, monkeypatch):
    more = [page("store/", [f"store/{n}"], IsTruncated="true", NextContinuationToken=f"t{n}") for n in range(5)]
    lister = scripted.lister(*more, LAST)
    monkeypatch.setattr(lister._bucket, "_timeout", 0.0)
    answer = lister.answer(b"/store")
    assert isinstance(answer, Failed)
    assert "not come to its end" in answer.reason


class TestStoresThatEncode:
    def test_a_plus_is_a_blank_where_the_store_writes_blanks_so(self, scripted):
        probe = page("%2B+%25/", [], EncodingType="url")
        answer = page("store/", ["store/a+b%2Bc"], EncodingType="url")
        assert [file.name for file in scripted.lister(answer, probe=probe).answer(b"/store").files] == [b"a b+c"]

    def test_a_plus_is_a_plus_where_the_store_leaves_it_as_it_is(self, scripted):
        probe = page("+%20%25/", [], EncodingType="url")
        answer = page("store/", ["store/a+b%20c"], EncodingType="url")
        assert [file.name for file in scripted.lister(answer, probe=probe).answer(b"/store").files] == [b"a+b c"]

    def test_a_store_that_cannot_be_understood_is_not_listed(self, scripted):
        answer = scripted.lister(LAST, probe=page("++%25/", [], EncodingType="url")).answer(b"/store")
        assert isinstance(answer, Failed)
        assert "does not repeat" in answer.reason

    def test_bytes_that_are_not_utf8_come_through(self, scripted):
        probe = page("%2B%20%25/", [], EncodingType="url")
        answer = page("store/", ["store/%FFx"], EncodingType="url")
        listed = scripted.lister(answer, probe=probe).answer(b"/store")
        assert isinstance(listed, Listed)
        assert listed.files.names[0] == b"\xffx"
