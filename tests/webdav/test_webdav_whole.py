"""An answer that ends too early, or is about something else, never looks like a short listing."""

import time
from types import SimpleNamespace

import pytest
from scripted_dav import (
    FILES,
    WHOLE,
    Request,
    chunked,
    document,
    entry,
    failed,
    listing,
    refused,
    reply,
    response,
)

from dynamo_consistency.listers.contract import Listed
from dynamo_consistency.listers.webdav import client


def test_the_question_is_one_level_deep_and_names_what_it_wants(scripted, make_lister, ask) -> None:
    server = scripted(reply(207, WHOLE))
    assert ask(make_lister(server.url), b"/d") == Listed(files=FILES)
    [request] = server.seen
    assert (request.method, request.target, request.headers["depth"]) == ("PROPFIND", "/d/", "1")
    assert request.headers["accept-encoding"] == "identity"
    for name in (b"<resourcetype/>", b"<getcontentlength/>", b"<getlastmodified/>"):
        assert name in request.body
    assert b"quota" not in request.body


class TestNotWhole:
    """An answer that ends too early, in any way that there is."""

    @pytest.mark.parametrize("share", [0.0, 0.97])
    def test_a_body_shorter_than_announced_is_a_failure(self, told, share: float) -> None:
        part = WHOLE[: int(len(WHOLE) * share)]
        answer = told(lambda _: reply(207, part, length=len(WHOLE)), timeout=1)  # the connection stays open
        failed(answer, "did not answer in time", retry=True)

    @pytest.mark.parametrize("share", [0.2, 0.5, 0.97])
    def test_a_connection_that_breaks_in_the_answer_is_a_failure(
        self, scripted, make_lister, ask, share: float
    ) -> None:
        part = WHOLE[: int(len(WHOLE) * share)]
        server = scripted(reply(207, part, length=len(WHOLE)), closing=True)
        failed(ask(make_lister(server.url), b"/d"), "the connection broke in its answer", retry=True)

    def test_chunks_that_are_all_there_are_whole(self, told) -> None:
        assert told(chunked(WHOLE[:100], WHOLE[100:107], WHOLE[107:])) == Listed(files=FILES)

    @pytest.mark.parametrize("end", [b"", b"0\r\n", b"5\r\nab", b"zz\r\n"])
    def test_chunks_that_are_cut_short_are_a_failure(self, scripted, make_lister, ask, end: bytes) -> None:
        server = scripted(chunked(WHOLE[:100], end=end), closing=True)
        failed(ask(make_lister(server.url), b"/d"), "", retry=True)

    def test_without_a_length_the_last_closing_tag_tells(self, scripted, make_lister, ask) -> None:
        head = b"HTTP/1.1 207 Multi-Status\r\nConnection: close\r\n\r\n"
        for body, whole in ((WHOLE, True), (WHOLE[:-2], False), (WHOLE[: WHOLE.rindex(b"</D:multi")], False)):
            answer = ask(make_lister(scripted(head + body, closing=True).url), b"/d")
            assert (answer == Listed(files=FILES)) == whole
            if not whole:
                failed(answer, "its answer is truncated, or no XML", retry=True)

    @pytest.mark.parametrize(
        "body",
        [b"", b"Welcome", WHOLE + b"<more/>", WHOLE.replace(b"</D:prop>", b"", 1), b"\xff" + WHOLE],
    )
    def test_what_is_no_xml_is_a_failure(self, told, body: bytes) -> None:
        failed(told(reply(207, body)), "its answer is truncated, or no XML", retry=True)

    def test_another_document_is_a_failure(self, told) -> None:
        failed(told(reply(207, b"<html></body>")), "its answer is no multistatus but 'html'", retry=False)
        other = WHOLE.replace(b"DAV:", b"SAV:")
        failed(told(reply(207, other)), "its answer is no multistatus", retry=False)

    def test_a_body_longer_than_announced_is_a_failure_and_spoils_nothing(self, scripted, make_lister, ask) -> None:
        long = reply(207, WHOLE + reply(207, document(entry("/e/", directory=True))), length=len(WHOLE))
        server = scripted(lambda request: long if request.path == b"/d/" else listing(b"/e/", entry("/e/g", 1)))
        lister = make_lister(server.url, concurrency=1)
        assert ask(lister, b"/d") == Listed(files=FILES)
        assert [file.name for file in ask(lister, b"/e").files] == [b"g"]

    def test_a_compressed_answer_is_a_failure(self, told) -> None:
        answer = told(reply(207, WHOLE, {"Content-Encoding": "gzip"}))
        failed(answer, "a compressed answer, which it was not asked for", retry=False)

    def test_a_server_that_takes_too_long_in_its_answer_is_given_up(self, told) -> None:
        def slowly(_: Request):
            yield reply(207, b"", length=len(WHOLE))
            for place in range(len(WHOLE)):
                time.sleep(0.5)
                yield WHOLE[place : place + 1]

        began = time.monotonic()
        failed(told(slowly, timeout=1), "did not answer in time", retry=True)
        assert time.monotonic() - began < 60  # all of it would take more than 200

    def test_a_server_that_falls_silent_in_its_answer_has_no_more_time_than_any(self, told, monkeypatch) -> None:
        now = time.monotonic()
        clock = SimpleNamespace(monotonic=lambda: now)
        monkeypatch.setattr(client, "time", clock)

        def half(_: Request):
            clock.monotonic = lambda: now + 3600
            yield reply(207, WHOLE[:50], length=len(WHOLE))

        failed(told(half, timeout=600), "did not answer in time", retry=True)


class TestAboutItself:
    """A listing counts only when it is about the directory that was asked for."""

    def test_without_the_directorys_own_entry_it_is_a_failure(self, told) -> None:
        failed(told(reply(207, document(entry("/d/f", 3)))), "not about itself", retry=False)
        failed(told(reply(207, document())), "not about itself", retry=False)

    def test_the_listing_of_another_directory_is_a_failure(self, told) -> None:
        failed(told(listing("/other/", entry("/other/f", 3))), "is not directly in it", retry=False)

    @pytest.mark.parametrize(
        # nobody has anything at the last two, neither with their escapes nor without
        "href",
        [
            "/d/e/f",
            "/d",
            "/f",
            "/d/../f",
            "/d/./f",
            "/d/..",
            "/d/./",
            "/dd/f",
            "http://x/f",
            "f",
            "",
            "/d/e%2Ff",
            "/d/a%00b",
        ],
    )
    def test_an_entry_that_is_not_directly_in_it_is_a_failure(self, told, href: str) -> None:
        failed(told(listing("/d/", entry(href, 3), entry("/d/f", 3))), "", retry="%" in href)

    def test_an_entry_without_a_name_is_a_failure(self, told) -> None:
        nameless = "<D:response><D:propstat><D:prop/></D:propstat></D:response>"
        failed(told(listing("/d/", entry("/d/f", 3), nameless)), "an entry without a name", retry=False)

    def test_a_server_that_answers_deeper_than_it_was_asked_is_a_failure(self, told) -> None:
        deep = listing("/d/", entry("/d/e/", directory=True), entry("/d/e/f", 3))
        failed(told(deep), "/d/e/f, which is not directly in it", retry=False)

    def test_a_file_is_no_directory(self, told) -> None:
        failed(told(reply(207, document(entry("/d", 3)))), "not a directory", retry=False)

    def test_an_error_about_the_directory_itself_is_a_failure(self, told) -> None:
        failed(told(reply(207, document(refused("/d/")))), "403 Forbidden", retry=False)
        cut = listing("/d/", entry("/d/f", 3), refused("/d/", 507))  # as servers say that they have left out the rest
        failed(told(cut), "507 Insufficient Storage", retry=True)

    def test_a_directory_that_does_not_say_what_it_is_is_a_failure(self, told) -> None:
        failed(told(reply(207, document(response("/d/", "")))), "does not say that it is a directory", retry=False)

    @pytest.mark.parametrize("own", ["/d", "/d/", "//d//", "http://elsewhere:1234/d", "https://[::1]/d/", " /%64/\n"])
    def test_its_own_entry_may_be_written_in_many_ways(self, told, own: str) -> None:
        assert told(reply(207, document(entry(own, directory=True), entry("/d/f", 3)))) == Listed(files=FILES)

    @pytest.mark.parametrize("href", ["/d/f", "http://elsewhere:1234/d/f", "/%64/%66", "//d//f", "\n\t/d/f \n"])
    def test_an_entry_may_be_written_in_many_ways(self, scripted, make_lister, ask, href: str) -> None:
        def script(request: Request) -> bytes:
            if request.headers["depth"] == "1":
                return listing("/d/", entry(href, 3))
            return reply(207, document(entry(request.path, 3))) if request.path == b"/d/f" else reply(404)

        assert ask(make_lister(scripted(script).url), b"/d") == Listed(files=FILES)

    def test_a_directory_with_and_without_a_slash_is_the_same(self, told) -> None:
        answer = told(listing("/d/", entry("/d/e", directory=True), entry("/d/g/", directory=True)))
        assert [directory.name for directory in answer.directories] == [b"e", b"g"]

    def test_an_empty_answer_is_asked_for_in_another_way_and_believed_when_that_is_empty_too(
        self, scripted, make_lister, ask
    ) -> None:
        server = scripted(listing("/d/"))
        assert ask(make_lister(server.url), b"/d") == Listed()
        assert [bool(request.body) for request in server.seen] == [True, False]

    def test_an_answer_that_is_empty_once_only_is_a_failure(self, told) -> None:
        answer = told(lambda request: listing("/d/", *([] if request.body else [entry("/d/f", 3)])))
        failed(answer, "answered empty, and then not", retry=True)
