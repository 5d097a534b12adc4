"""What doors say instead of a listing, and what would blow up who reads it."""

import tracemalloc

import pytest
from scripted_dav import FILES, OWN, TIME_SECONDS, WHOLE, Request, document, entry, failed, listing, reply, response

from dynamo_consistency.listers.contract import Listed
from dynamo_consistency.listers.webdav import multistatus
from dynamo_consistency.listers.webdav.errors import seconds_to_wait


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
        assert ask(make_lister(scripted(lambda _: next(answers)).url), b"/d") == Listed(files=FILES)
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
