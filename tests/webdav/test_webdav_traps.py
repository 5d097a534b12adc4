"""Answers that real servers seldom give: none of them may look like a whole listing that is short, or of another
directory."""

import time
import tracemalloc

import pytest
from scripted_dav import OK, TIME_SECONDS, Request, chunked, document, entry, listing, refused, reply, response

from dynamo_consistency.listers.contract import Failed, File, Hole, Listed, Subdirectory
from dynamo_consistency.listers.webdav import multistatus
from dynamo_consistency.listers.webdav.entries import seconds
from dynamo_consistency.listers.webdav.trouble import seconds_to_wait

OWN = entry("/d/", directory=True)
FILE = File(b"f", 3, TIME_SECONDS)
WHOLE = document(OWN, entry("/d/f", 3))


def failed(answer: object, reason: str, *, retry: bool) -> None:
    assert isinstance(answer, Failed), answer
    assert reason in answer.reason
    assert answer.retry == retry


def test_the_question_is_one_level_deep_and_names_what_it_wants(scripted, make_lister, ask) -> None:
    server = scripted(reply(207, WHOLE))
    assert ask(make_lister(server.url), b"/d") == Listed(files=[FILE])
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
        assert told(chunked(WHOLE[:100], WHOLE[100:107], WHOLE[107:])) == Listed(files=[FILE])

    @pytest.mark.parametrize("end", [b"", b"0\r\n", b"5\r\nab", b"zz\r\n"])
    def test_chunks_that_are_cut_short_are_a_failure(self, scripted, make_lister, ask, end: bytes) -> None:
        server = scripted(chunked(WHOLE[:100], end=end), closing=True)
        failed(ask(make_lister(server.url), b"/d"), "", retry=True)

    def test_without_a_length_the_last_closing_tag_tells(self, scripted, make_lister, ask) -> None:
        head = b"HTTP/1.1 207 Multi-Status\r\nConnection: close\r\n\r\n"
        for body, whole in ((WHOLE, True), (WHOLE[:-2], False), (WHOLE[: WHOLE.rindex(b"</D:multi")], False)):
            answer = ask(make_lister(scripted(head + body, closing=True).url), b"/d")
            assert (answer == Listed(files=[FILE])) == whole
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
        assert ask(lister, b"/d") == Listed(files=[FILE])
        assert [file.name for file in ask(lister, b"/e").files] == [b"g"]

    def test_a_compressed_answer_is_a_failure(self, told) -> None:
        answer = told(reply(207, WHOLE, {"Content-Encoding": "gzip"}))
        failed(answer, "a compressed answer, which it was not asked for", retry=False)

    def test_a_server_that_takes_too_long_in_its_answer_is_given_up(self, told) -> None:
        def slowly(_: Request):
            yield reply(207, b"", length=len(WHOLE))
            for place in range(len(WHOLE)):
                time.sleep(0.05)
                yield WHOLE[place : place + 1]

        began = time.monotonic()
        failed(told(slowly, timeout=1), "did not answer in time", retry=True)
        assert time.monotonic() - began < 3


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
        ["/d/e/f", "/d", "/f", "/d/../f", "/d/./f", "/dd/f", "http://x/f", "f", "", "/d/e%2Ff", "/d/a%00b"],
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
        assert told(reply(207, document(entry(own, directory=True), entry("/d/f", 3)))) == Listed(files=[FILE])

    @pytest.mark.parametrize("href", ["/d/f", "http://elsewhere:1234/d/f", "/%64/%66", "//d//f", "\n\t/d/f \n"])
    def test_an_entry_may_be_written_in_many_ways(self, scripted, make_lister, ask, href: str) -> None:
        def script(request: Request) -> bytes:
            if request.headers["depth"] == "1":
                return listing("/d/", entry(href, 3))
            return reply(207, document(entry(request.path, 3))) if request.path == b"/d/f" else reply(404)

        assert ask(make_lister(scripted(script).url), b"/d") == Listed(files=[FILE])

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


class TestEntries:
    """What is said about an entry."""

    def test_an_error_about_an_entry_is_a_hole(self, told) -> None:
        answer = told(listing("/d/", entry("/d/f", 3), refused("/d/g"), refused("/d/h", 424)))
        assert answer.files == [FILE]
        assert answer.holes == [
            Hole(b"g", "the server says: 403 Forbidden"),
            Hole(b"h", "the server says: 424 Failed Dependency"),
        ]

    @pytest.mark.parametrize("status", ["HTTP/1.1 404 Not Found", "HTTP/1.1 403 Forbidden", "nonsense", ""])
    def test_an_entry_whose_kind_is_not_told_is_a_hole(self, told, status: str) -> None:
        answer = told(listing("/d/", response("/d/f", "<D:resourcetype/>", status)))
        assert answer.holes == [Hole(b"f", "the server does not say whether it is a file or a directory")]

    def test_one_status_for_several_entries_is_a_hole_for_each(self, told) -> None:
        many = "<D:response><D:href>/d/f</D:href><D:href>/d/g</D:href><D:status>HTTP/1.1 500 No</D:status></D:response>"
        assert [hole.name for hole in told(listing("/d/", many)).holes] == [b"f", b"g"]

    def test_a_thing_of_another_kind_is_a_hole(self, told) -> None:
        answer = told(listing("/d/", response("/d/f", "<D:resourcetype><D:redirectref/></D:resourcetype>")))
        assert [hole.name for hole in answer.holes] == [b"f"]

    def test_a_collection_of_a_special_kind_is_a_directory(self, told) -> None:
        kind = "<D:resourcetype>\n <D:collection/><c:calendar xmlns:c='c'/></D:resourcetype>"
        assert told(listing("/d/", response("/d/e", kind))).directories == [Subdirectory(b"e", None)]

    def test_iscollection_does_where_there_is_no_resourcetype_and_must_not_contradict_it(self, told) -> None:
        answer = told(
            listing(
                "/d/",
                response("/d/f", "<D:iscollection>0</D:iscollection><D:getcontentlength>3</D:getcontentlength>"),
                response("/d/e", "<D:iscollection>1</D:iscollection>"),
                response("/d/g", "<D:iscollection>1</D:iscollection><D:resourcetype/>"),
            )
        )
        assert answer.files == [File(b"f", 3, None)]
        assert answer.directories == [Subdirectory(b"e", None)]
        assert [hole.name for hole in answer.holes] == [b"g"]

    def test_a_size_that_is_not_told_is_unknown(self, told) -> None:
        assert told(listing("/d/", entry("/d/f"))).files == [File(b"f", None, TIME_SECONDS)]
        absent = "<D:resourcetype/></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat><D:propstat><D:prop>"
        absent += "<D:getcontentlength>7</D:getcontentlength>"
        assert told(listing("/d/", response("/d/f", absent, "HTTP/1.1 404 No"))).files == [File(b"f", None, None)]

    @pytest.mark.parametrize("size", ["-1", "1e3", "0x10", "9223372036854775808", "3 4", "٣"])
    def test_an_impossible_size_is_a_hole(self, told, size: str) -> None:
        assert [hole.name for hole in told(listing("/d/", entry("/d/f", size))).holes] == [b"f"]

    def test_the_greatest_size_is_taken(self, told) -> None:
        assert told(listing("/d/", entry("/d/f", 2**63 - 1))).files[0].size == 2**63 - 1

    def test_a_property_that_is_told_twice_and_differently_is_a_hole(self, told) -> None:
        size = "<D:resourcetype/><D:getcontentlength>3</D:getcontentlength><D:getcontentlength>4</D:getcontentlength>"
        assert [hole.name for hole in told(listing("/d/", response("/d/f", size))).holes] == [b"f"]
        again = f"</D:prop><D:status>{OK}</D:status></D:propstat><D:propstat><D:prop>"
        size = f"<D:resourcetype/><D:getcontentlength>3</D:getcontentlength>{again}"
        size += "<D:getcontentlength>4</D:getcontentlength>"
        assert [hole.name for hole in told(listing("/d/", response("/d/f", size))).holes] == [b"f"]

    def test_an_entry_that_stands_twice_counts_once(self, told) -> None:
        answer = told(listing("/d/", entry("/d/f", 3), entry("http://x/d/f", 3), entry("/d//f", 3)))
        assert answer.files == [FILE]
        assert answer.notes == ["2 entries of a directory stood in it more than once"]

    @pytest.mark.parametrize("other", [entry("/d/f", 4), entry("/d/f/", directory=True), refused("/d/f")])
    def test_an_entry_that_stands_twice_and_differently_is_a_hole(self, told, other: str) -> None:
        answer = told(listing("/d/", entry("/d/f", 3), other, entry("/d/g", 3)))
        assert [file.name for file in answer.files] == [b"g"]
        assert answer.holes == [Hole(b"f", "the server names it more than once, and differently")]

    def test_a_file_and_a_directory_of_which_nothing_else_is_known_differ(self, told) -> None:
        answer = told(listing("/d/", entry("/d/f", time=None), entry("/d/f", time=None, directory=True)))
        assert (answer.files, answer.directories, [hole.name for hole in answer.holes]) == ([], [], [b"f"])

    def test_xrootd_says_nothing_and_1970_of_what_it_knows_nothing_of(self, told) -> None:
        zero = document(OWN, entry("/d/f", 0, "Thu, 01 Jan 1970 00:00:00 GMT"), entry("/d/g", 0))
        answer = told(reply(207, zero, {"Server": "XrootD/v5.5.3"}))
        assert (answer.files, [hole.name for hole in answer.holes]) == ([File(b"g", 0, TIME_SECONDS)], [b"f"])
        assert len(told(reply(207, zero)).files) == 2


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Mon, 23 Nov 2026 17:00:00 GMT", TIME_SECONDS),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Tue, 29 Feb 2028 23:59:59 GMT", 1835481599),
            ("Monday, 23-Nov-26 17:00:00 GMT", TIME_SECONDS),
            ("Mon Nov 23 17:00:00 2026", TIME_SECONDS),
            ("Mon, 23 Nov 2026 18:00:00 +0100", TIME_SECONDS),
            ("Mon, 3 Nov 2026 17:00:00 GMT", TIME_SECONDS - 20 * 86400),
        ],
    )
    def test_every_form_that_http_knows_is_read(self, text: str, expected: int) -> None:
        assert seconds(text) == expected

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "yesterday",
            "1795453200",
            "Mon, 31 Feb 2026 17:00:00 GMT",
            "Mon, 23 Nov 2026 24:00:00 GMT",
            "Mon, 23 Nov 2026 17:00:61 GMT",
            "Mon, 23 Nov 99999999999 17:00:00 GMT",
            "Mon, 23 Foo 2026 17:00:00 GMT",
        ],
    )
    def test_what_is_no_time_is_unknown(self, told, text: str) -> None:
        assert seconds(text) is None

    def test_an_entry_without_a_readable_time_has_none(self, told) -> None:
        answer = told(listing("/d/", entry("/d/f", 3, "soon"), entry("/d/e", time="soon", directory=True)))
        assert (answer.files, answer.directories) == ([File(b"f", 3, None)], [Subdirectory(b"e", None)])


class TestStatuses:
    @pytest.mark.parametrize(
        ("status", "words"),
        [
            (200, "a listing has the status 207"),
            (204, "a listing has the status 207"),
            (401, "it wants a credential"),
            (403, "it does not permit that"),
            (404, "404 Not Found"),
            (405, "is that a WebDAV door?"),
            (410, "410 Gone"),
            (414, "414"),
            (501, "is that a WebDAV door?"),
            (507, "507"),
            (303, "a listing has the status 207"),
            (799, "a status that HTTP does not know"),
        ],
    )
    def test_a_refusal_is_for_good_and_says_why(self, told, status: int, words: str) -> None:
        answer = told(reply(status, WHOLE))
        if status < 799:
            failed(answer, words, retry=False)
        assert words in answer.reason

    @pytest.mark.parametrize("status", [408, 413, 423, 425, 429, 500, 502, 503, 504])
    def test_what_may_pass_is_asked_again(self, told, status: int) -> None:
        answer = told(reply(status))
        failed(answer, f"{status} ", retry=True)
        assert answer.slow == (status in (408, 413, 429, 503, 504))
        assert answer.after == 0

    @pytest.mark.parametrize("status", [413, 429, 503])
    def test_the_pause_that_the_server_asks_for_is_passed_on(self, told, status: int) -> None:
        answer = told(reply(status, headers={"Retry-After": "17"}))
        assert (answer.retry, answer.slow, answer.after) == (True, True, 17)

    def test_a_pause_is_a_number_of_seconds_or_a_date(self) -> None:
        assert seconds_to_wait(" 120 ", 0) == 120
        assert seconds_to_wait("Mon, 23 Nov 2026 17:00:00 GMT", TIME_SECONDS - 30) == 30
        assert seconds_to_wait("Mon, 23 Nov 2026 17:00:00 GMT", TIME_SECONDS + 30) == 0
        for nonsense in ("", "-5", "soon", "1e9", "9" * 30, "Mon, 99 Nov 2026 17:00:00 GMT"):
            assert seconds_to_wait(nonsense, 0) == 0

    def test_an_answer_that_is_no_http_is_a_failure(self, told) -> None:
        failed(told(b"SSH-2.0-OpenSSH\r\n\r\n", timeout=1), "", retry=True)

    def test_a_connection_that_is_closed_without_a_word_is_tried_once_more(self, scripted, make_lister, ask) -> None:
        answers = iter([None, reply(207, WHOLE)])
        assert ask(make_lister(scripted(lambda _: next(answers)).url), b"/d") == Listed(files=[FILE])
        server = scripted(lambda _: None)
        failed(ask(make_lister(server.url), b"/d"), "", retry=True)
        assert len(server.seen) == 2


class TestBombs:
    """XML that would blow up its reader."""

    @pytest.mark.parametrize(
        "dtd",
        [
            '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>',
            '<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE d SYSTEM "http://127.0.0.1:1/x.dtd">',
            "<!DOCTYPE d>",
        ],
    )
    def test_definitions_are_refused(self, told, dtd: str) -> None:
        body = WHOLE.replace(b"?>\n", b"?>\n" + dtd.encode())
        failed(told(reply(207, body)), "DTD", retry=False)

    def test_an_unknown_entity_is_a_failure(self, told) -> None:
        failed(told(reply(207, WHOLE.replace(b"/d/f", b"/d/&x;f"))), "no XML", retry=True)

    @pytest.mark.parametrize(
        ("start", "piece", "reason"),
        [
            (b"<D:multistatus xmlns:D='DAV:'>", b"<D:x>", "nested too deeply"),
            (b"<D:multistatus xmlns:D='DAV:'><D:response><D:href>", b"/aaa", "a name or a value that does not end"),
            (b"<D:multistatus xmlns:D='DAV:'><!-- ", b"aaaa ", "a tag or a comment that does not end"),
            (b"<D:multistatus xmlns:D='DAV:' a='", b"aaaa", "a tag or a comment that does not end"),
        ],
    )
    def test_what_never_ends_is_given_up_soon(self, told, start: bytes, piece: bytes, reason: str) -> None:
        sent = []

        def endless(_: Request):
            yield b"HTTP/1.1 207 Multi-Status\r\nConnection: close\r\n\r\n" + start
            while True:
                sent.append(1)
                yield piece * 20_000

        failed(told(endless), reason, retry=False)
        assert len(sent) < 400

    def test_more_entries_than_any_directory_has_are_a_failure(self, told, monkeypatch) -> None:
        monkeypatch.setattr("dynamo_consistency.listers.webdav.entries.MOST_ENTRIES", 100)
        many = [entry(f"/d/{number}", 1) for number in range(101)]
        assert len(told(listing("/d/", *many[:99])).files) == 99
        failed(told(listing("/d/", *many)), "more than 100 entries", retry=False)

    def test_of_a_big_directory_only_the_entries_are_kept(self, scripted, make_lister) -> None:
        entries, unasked = 10_000, f"<D:comment>{'x' * 2000}</D:comment>"

        def script(_: Request):
            yield b"HTTP/1.1 207 Multi-Status\r\nConnection: close\r\n\r\n"
            yield document(OWN).removesuffix(b"</D:multistatus>")
            for number in range(entries):
                yield response(f"/d/file_{number:06d}.root", f"{unasked}<D:resourcetype/>").encode()
            yield b"</D:multistatus>"

        server = scripted(script, closing=True)
        lister = make_lister(server.url, timeout=60)
        tracemalloc.start()
        try:
            answer = lister.answer(b"/d")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(answer.files) == entries
        assert peak < 600 * entries

    def test_the_parser_holds_one_response_at_a_time(self) -> None:
        taken = []
        reader = multistatus.Multistatus(lambda response: taken.append(response.hrefs[0]))
        body = document(*[entry(f"/d/{number}", number) for number in range(1000)])
        for place in range(0, len(body), 7):
            reader.feed(body[place : place + 7])
            assert len(taken) >= (place - 700) * 1000 // len(body)
        reader.end()
        reader.close()
        assert taken == [f"/d/{number}" for number in range(1000)]
