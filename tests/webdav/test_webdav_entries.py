"""What is said about an entry: a file, a directory, or a hole where that is not sure."""

import pytest
from scripted_dav import FILES, OK, OWN, TIME_SECONDS, document, entry, listing, refused, reply, response

from dynamo_consistency.listers.contract import Failed, File, Files, Hole, Listed, Subdirectory
from dynamo_consistency.listers.webdav.times import seconds


class TestEntries:
    """What is said about an entry."""

    def test_an_error_about_an_entry_is_a_hole(self, told) -> None:
        answer = told(listing("/d/", entry("/d/f", 3), refused("/d/g"), refused("/d/h", 424)))
        assert answer.files == FILES
        assert answer.holes == [
            Hole(b"g", "the server says: 403 Forbidden"),
            Hole(b"h", "the server says: 424 Failed Dependency"),
        ]

    def test_an_error_about_an_entry_counts_whatever_else_is_said_of_it(self, told) -> None:
        both = entry("/d/f", 3).replace("<D:propstat>", "<D:status>HTTP/1.1 423 Locked</D:status><D:propstat>")
        assert told(listing("/d/", both)).holes == [Hole(b"f", "the server says: 423 Locked")]

    @pytest.mark.parametrize("status", ["HTTP/1.1 404 Not Found", "HTTP/1.1 403 Forbidden", "nonsense", ""])
    def test_an_entry_whose_kind_is_not_told_is_a_hole(self, told, status: str) -> None:
        answer = told(listing("/d/", response("/d/f", "<D:resourcetype/>", status)))
        assert answer.holes == [Hole(b"f", "the server does not say whether it is a file or a directory")]

    def test_what_stands_beside_the_responses_says_nothing(self, told) -> None:
        beside = "<D:sync><D:href>/d/x</D:href></D:sync>"
        turned = "<D:response><D:href>/d/f</D:href><D:propstat><D:status>HTTP/1.1 200 OK</D:status><D:prop>"
        turned += "<D:resourcetype/></D:prop></D:propstat></D:response>"
        assert told(listing("/d/", beside, turned)) == Listed(files=Files.of([File(b"f", None, None)]))

    def test_what_stands_inside_a_value_does_not_belong_to_it(self, told) -> None:
        size = "<D:resourcetype/><D:getcontentlength>3<D:unit>000</D:unit></D:getcontentlength>"
        assert told(listing("/d/", response("/d/f", size))).files == Files.of([File(b"f", 3, None)])

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
        assert answer.files == Files.of([File(b"f", 3, None)])
        assert answer.directories == [Subdirectory(b"e", None)]
        assert [hole.name for hole in answer.holes] == [b"g"]

    def test_a_size_that_is_not_told_is_unknown(self, told) -> None:
        assert told(listing("/d/", entry("/d/f"))).files == Files.of([File(b"f", None, TIME_SECONDS)])
        absent = "<D:resourcetype/></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat><D:propstat><D:prop>"
        absent += "<D:getcontentlength>7</D:getcontentlength>"
        assert told(listing("/d/", response("/d/f", absent, "HTTP/1.1 404 No"))).files == Files.of(
            [File(b"f", None, None)]
        )

    @pytest.mark.parametrize("size", ["-1", "1e3", "0x10", "9223372036854775808", "3 4", "٣"])
    def test_an_impossible_size_is_a_hole(self, told, size: str) -> None:
        assert [hole.name for hole in told(listing("/d/", entry("/d/f", size))).holes] == [b"f"]

    def test_the_greatest_size_is_taken(self, told) -> None:
        assert told(listing("/d/", entry("/d/f", 2**63 - 1))).files.sizes[0] == 2**63 - 1

    def test_a_property_that_is_told_twice_and_differently_is_a_hole(self, told) -> None:
        size = "<D:resourcetype/><D:getcontentlength>3</D:getcontentlength><D:getcontentlength>4</D:getcontentlength>"
        assert [hole.name for hole in told(listing("/d/", response("/d/f", size))).holes] == [b"f"]
        again = f"</D:prop><D:status>{OK}</D:status></D:propstat><D:propstat><D:prop>"
        size = f"<D:resourcetype/><D:getcontentlength>3</D:getcontentlength>{again}"
        size += "<D:getcontentlength>4</D:getcontentlength>"
        assert [hole.name for hole in told(listing("/d/", response("/d/f", size))).holes] == [b"f"]

    def test_an_entry_that_stands_twice_counts_once(self, told) -> None:
        answer = told(listing("/d/", entry("/d/f", 3), entry("http://x/d/f", 3), entry("/d//f", 3)))
        assert answer.files == FILES
        assert answer.notes == ["2 entries of a directory stood in it more than once"]

    @pytest.mark.parametrize("other", [entry("/d/f", 4), entry("/d/f/", directory=True), refused("/d/f")])
    def test_an_entry_that_stands_twice_and_differently_is_a_hole(self, told, other: str) -> None:
        answer = told(listing("/d/", entry("/d/f", 3), other, entry("/d/g", 3)))
        assert [file.name for file in answer.files] == [b"g"]
        assert answer.holes == [Hole(b"f", "the server names it more than once, and differently")]

    def test_a_file_and_a_directory_of_which_nothing_else_is_known_differ(self, told) -> None:
        answer = told(listing("/d/", entry("/d/f", time=None), entry("/d/f", time=None, directory=True)))
        assert (len(answer.files), answer.directories, [hole.name for hole in answer.holes]) == (0, [], [b"f"])

    @pytest.mark.parametrize("entries", [[entry("/d/f", 3), entry("/d/f", 3)], [entry("/d/" + "n" * 254, 3)]])
    def test_what_xrootd_may_have_cut_or_mixed_up_puts_the_directory_in_doubt(self, told, entries) -> None:
        assert isinstance(told(reply(207, document(OWN, *entries), {"Server": "XrootD/v5.5.3"})), Failed)
        assert isinstance(told(reply(207, document(OWN, *entries))), Listed)

    def test_xrootd_says_nothing_and_1970_of_what_it_knows_nothing_of(self, told) -> None:
        zero = document(OWN, entry("/d/f", 0, "Thu, 01 Jan 1970 00:00:00 GMT"), entry("/d/g", 0))
        answer = told(reply(207, zero, {"Server": "XrootD/v5.5.3"}))
        assert (answer.files, [hole.name for hole in answer.holes]) == (
            Files.of([File(b"g", 0, TIME_SECONDS)]),
            [b"f"],
        )
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
            "Mon, 01 Jan 0001 00:00:00 GMT",
            "Mon, 1 Jan 0001 00:00:00 +0000",
            "Mon, 01 Jan 1 00:00:00 GMT",
            "Mon, 01 Jan 01 00:00:00 GMT",
            "Mon Jan  1 00:00:00 0001",
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
        assert (answer.files, answer.directories) == (
            Files.of([File(b"f", 3, None)]),
            [Subdirectory(b"e", None)],
        )


@pytest.mark.parametrize(
    ("server", "hides"),
    [
        ("Apache/2.4.57", True),
        ("lighttpd/1.4.69", True),
        ("nginx/1.22.1", True),
        ("XrootD/v5.5.3", True),
        ("dCache", False),
    ],
)
def test_what_a_server_is_known_to_leave_out_is_told(told, server: str, hides: bool) -> None:
    assert bool(told(reply(207, document(OWN, entry("/d/f", 3)), {"Server": server})).hidden) is hides
