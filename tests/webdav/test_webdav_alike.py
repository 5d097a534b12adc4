"""Answers whose responses are alike are read at once: never with another result than that of the XML parser."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_dav import TIME_SECONDS, document, entry, refused, response

from dynamo_consistency.listers.contract import Files, Listed, Subdirectory
from dynamo_consistency.listers.webdav import alike
from dynamo_consistency.listers.webdav.entries import Contents
from dynamo_consistency.listers.webdav.errors import WebDavError
from dynamo_consistency.listers.webdav.multistatus import read_responses
from dynamo_consistency.listers.webdav.pieces import ContentsReader
from dynamo_consistency.listers.webdav.url import WebDavDoor, WebDavUrl

ADDRESS = WebDavUrl.of(WebDavDoor("http", "localhost", 80), b"/d")
OWN = entry("/d/", directory=True)

XROOTD = """<D:response xmlns:lp1="DAV:" xmlns:lp2="http://apache.org/dav/props/">
<D:href>/d/{name}</D:href>
<D:propstat>
<D:prop>
<lp1:getcontentlength>{size}</lp1:getcontentlength>
<lp1:getlastmodified>{time}</lp1:getlastmodified>
<lp1:iscollection>0</lp1:iscollection>
<lp1:executable>F</lp1:executable>
</D:prop>
<D:status>HTTP/1.1 200 OK</D:status>
</D:propstat>
</D:response>
"""


def outcome(body: bytes, at_once: bool, from_xrootd: bool) -> Listed | str:
    """What becomes of an answer that comes in three pieces."""
    contents = Contents(ADDRESS, "xrootd/v5.5.3" if from_xrootd else "")
    cut = len(body) // 3
    pieces = [body[:cut], body[cut : 2 * cut], body[2 * cut :]]
    try:
        if at_once:
            reader = ContentsReader(contents)
            for piece in pieces:
                reader.feed(piece)
            reader.end()
        else:
            read_responses(pieces, contents.take)
        return contents.listed(encodes=True)
    except WebDavError as error:
        return f"{error} {error.failed.retry}"


def same(body: bytes, from_xrootd: bool = False) -> Listed | str:
    alike._known.clear()
    told, again = (outcome(body, True, from_xrootd) for _ in range(2))
    assert told == again  # by the shape that is known now
    theirs = outcome(body, False, from_xrootd)
    if isinstance(told, Listed) and isinstance(theirs, Listed):
        for listed in (told, theirs):
            listed.files = Files.of(sorted(listed.files, key=repr))
            listed.holes.sort()
    assert told == theirs
    return told


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    alike._known.clear()


def files(*names: str) -> list[str]:
    return [entry(f"/d/{name}", size) for size, name in enumerate(names)]


class TestWhatIsReadAtOnce:
    @pytest.mark.parametrize(
        "names", [["a"], ["a", "b"], ["a", "b", "c%20d"], ["é", "b"], ["a" * 300, "b"], [str(n) for n in range(99)]]
    )
    def test_files_that_differ_in_name_and_size(self, names: list[str]) -> None:
        body = document(OWN, *files(*names))
        assert alike.read(body) is not None
        told = same(body)
        assert isinstance(told, Listed)
        assert len(told.files) == len(names)

    def test_directories_alone(self) -> None:
        body = document(OWN, *(entry(f"/d/{name}/", directory=True) for name in "abc"))
        assert alike.read(body) is not None
        assert same(body).directories == [Subdirectory(name, TIME_SECONDS) for name in (b"a", b"b", b"c")]

    def test_entries_that_do_not_say_what_they_are(self) -> None:
        body = document(OWN, *(response(f"/d/{name}", "<D:getcontentlength>5</D:getcontentlength>") for name in "ab"))
        assert alike.read(body) is not None
        told = same(body)
        assert isinstance(told, Listed)
        assert [hole.name for hole in told.holes] == [b"a", b"b"]

    def test_the_answers_of_xrootd(self) -> None:
        times = ["Sun, 29 Nov 2026 10:07:57 GMT", "Sun, 29 Nov 2026 10:07:58 GMT", "never", ""]
        body = document(OWN, *(XROOTD.format(name=f"f{row}", size=row, time=times[row]) for row in range(4)))
        assert alike.read(body) is not None
        assert same(body, from_xrootd=True).files.sizes == [0, 1, 2, 3]


class TestWhatIsLeftToTheParser:
    @pytest.mark.parametrize(
        "entries",
        [
            [],
            [*files("a", "b"), entry("/d/e/", directory=True)],
            [*files("a", "b"), refused("/d/g")],
            files("a&amp;b", "c"),
            files("a", "b>c"),
            files("a", "<![CDATA[b]]>"),
            [*files("a"), entry("/d/b", 2).replace("200 OK", "403 No")],
            [XROOTD.format(name=name, size="", time="") for name in "ab"] + files("c"),
            files("value-of-column-1.", "b"),
        ],
    )
    def test_what_is_not_alike(self, entries: list[str]) -> None:
        body = document(OWN, *entries)
        assert alike.read(body) is None
        same(body)

    @pytest.mark.parametrize(
        "last", [b"", b"</D:multistatus", b"</D:other>", b"</D:multistatus><x/>", b"</D:multistatus>x"]
    )
    def test_an_answer_that_is_not_whole(self, last: bytes) -> None:
        body = document(OWN, *files("a", "b", "c")).removesuffix(b"</D:multistatus>") + last
        assert alike.read(body) is None
        assert isinstance(same(body), str)

    def test_another_encoding(self) -> None:
        body = document(OWN, *files("a", "b")).replace(b'"utf-8"', b'"latin-1"').replace(b"/d/b", b"/d/\xe9")
        assert alike.read(body) is None
        same(body)

    def test_a_long_answer_is_read_as_it_comes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(alike, "MOST_BYTES", 1000)
        monkeypatch.setattr(alike, "read", lambda body: pytest.fail("it was kept"))
        assert len(outcome(document(OWN, *files(*map(str, range(99)))), True, False).files) == 99


class TestShapes:
    """An answer of a known shape is read by it, and so must be one that only seems to have it."""

    @pytest.fixture(autouse=True)
    def known(self) -> None:
        for each in (files("a", "b"), [entry(f"/d/{name}/", directory=True) for name in "ab"]):
            assert alike.read(document(OWN, *each)) is not None

    @pytest.mark.parametrize(
        "entries",
        [
            files("c", "d", "e"),
            files("c"),
            [],
            files("value-of-column-1.", "b"),
            [entry("/d/c/", directory=True)],
            [*files("c"), entry("/d/e/", directory=True)],
            files("a", "b", "c&amp;d"),
            files("a", "b", "c\x01d"),
            files("a", "b", "c\rd"),
            [entry("/d/a", "1</D:getcontentlength><D:getcontentlength>2")],
            [entry("/d/a", 1).replace("</D:href>", "</D:href><D:href>/d/b</D:href>")],
            [entry("/d/a</D:href>\n<D:href>/d/b", 1)],
        ],
    )
    def test_whatever_stands_in_it(self, entries: list[str]) -> None:
        body = document(OWN, *entries)
        told, theirs = outcome(body, True, False), outcome(body, False, False)
        assert told == theirs

    def test_the_directory_itself_may_say_something_else(self) -> None:
        for own in (refused("/d/"), entry("/d/"), entry("/d", directory=True), entry("/e/", directory=True)):
            body = document(own, *files("a", "b"))
            assert outcome(body, True, False) == outcome(body, False, False)

    @given(data=st.data())
    def test_whatever_is_cut_out_of_it(self, data: st.DataObject) -> None:
        body = document(OWN, *files("a", "b", "c"))
        at = data.draw(st.integers(0, len(body)))
        body = body[:at] + body[at + data.draw(st.integers(1, 300)) :]
        assert outcome(body, True, False) == outcome(body, False, False)


NAMES = st.text(st.sampled_from("ab.%2é &;<>\n\t\r\x01'\"]"), max_size=4) | st.sampled_from(
    ["a", "b", "c", ".", "..", ""]
)
SIZES = st.sampled_from(["0", "5", "", " 7 ", "-1", "1e3", "9" * 18, "9" * 19, "9" * 20, "٣"])
TIMES = st.sampled_from(["Sun, 29 Nov 2026 10:07:57 GMT", "Sun, 29 Nov 2026 10:07:58 GMT", "", "never", " "])


@given(rows=st.lists(st.tuples(NAMES, SIZES, TIMES), max_size=5), from_xrootd=st.booleans())
def test_whatever_stands_in_the_values(rows: list[tuple[str, str, str]], from_xrootd: bool) -> None:
    same(document(OWN, *(XROOTD.format(name=name, size=size, time=time) for name, size, time in rows)), from_xrootd)


@given(seed=st.integers(0, 10**9), kinds=st.booleans())
def test_whatever_happens_to_the_bytes(seed: int, kinds: bool) -> None:
    chance = random.Random(seed)
    rows = [XROOTD.format(name=name, size=size, time="never") for size, name in enumerate("abc")]
    body = bytearray(document(OWN, *(rows if kinds else files("a", "b", "c"))))
    for _ in range(chance.randint(1, 3)):
        at, length = chance.randrange(len(body)), chance.choice([0, 1, 1, 20, 200])
        body[at : at + length] = chance.choice(
            [b"", b"<", b">", b"</D:response>", b"<!--", b"x", body[:length], b"\xff"]
        )
    same(bytes(body))


ROOTS = ['<D:multistatus xmlns:D="DAV:">', '<multistatus xmlns="DAV:">', '<D:multistatus xmlns:D="DAV:" xmlns="x:">']
DIALECTS = [
    "<href>{href}</href><propstat><prop>{kind}{size}{time}</prop>{ok}</propstat>",
    "<propstat><prop>{time}{size}{kind}</prop>{ok}</propstat><href>{href}</href>",
    "<href>{href}</href><propstat>{ok}<prop>{kind}{size}</prop></propstat><propstat>{no}<prop>{time}</prop></propstat>",
    "<href>{href}</href><propstat><prop>{kind}{time}</prop>{ok}</propstat><propstat><prop>{size}</prop>{no}</propstat>",
    "<href>{href}</href><propstat><prop>{kind}{size}</prop></propstat>",
    "<href>{href}</href><propstat><prop>{size}{kind}{size}{time}</prop>{ok}</propstat>",
    "<href>{href}</href><status>HTTP/1.1 200 OK</status><propstat><prop>{kind}{size}{time}</prop>{ok}</propstat>",
    "<href>{href}</href><status>HTTP/1.1 423 Locked</status>",
    "<href>{href}</href><href>/d/same</href><propstat><prop>{kind}{size}{time}</prop>{ok}</propstat>",
    "<href>{href}</href><propstat><prop>{kind}{size}{time}<other><size>{size}</size></other></prop>{ok}</propstat>",
    "<href>{href}</href><propstat><prop>{size}{time}<iscollection>0</iscollection></prop>{ok}</propstat>",
    "<href>{href}</href><propstat><prop>{kind}<resourcetype><other/></resourcetype>{size}{time}</prop>{ok}</propstat>",
    "<href>{href}</href><propstat><prop>{size}{time}</prop>{ok}</propstat>",
    "<!-- {href} --><href>{href}</href><propstat><prop>{kind}{size}{time}</prop>{ok}</propstat>",
    "<href><![CDATA[{href}]]></href><propstat><prop>{kind}{size}{time}</prop>{ok}</propstat>",
    "<href>{href}</href><propstat><prop>{kind}{size}{time}<etag value='{href}>'/></prop>{ok}</propstat>",
    "<href>{href}</href><propstat><prop>{kind}<getcontentlength t='>'>7</getcontentlength>{time}</prop>{ok}</propstat>",
    "<x:href xmlns:x='DAV:'>{href}</x:href><propstat><prop>{kind}{size}{time}</prop>{ok}</propstat>",
    "<href xmlns='DAV:x'>{href}</href><propstat><prop>{kind}{size}{time}</prop>{ok}</propstat>",
]
PLACES = ["/d/{}", "/d/{}", "/d/{}/", "http://localhost/d/{}", "/d//{}", "/e/{}", "{}", " /d/{} "]
WORDS = st.sampled_from(["a", "b.root", "c-d"] * 8 + ["c%20d", "é", "e&amp;f", "g&#104;", "", ".."])
KINDS = ["", "<collection/>", " ", "<collection/><other/>", "x"]


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """An answer of a dialect, in which a row may be of another one, and that about the directory anywhere."""
    dialects = st.sampled_from(DIALECTS)
    dialect, place, kind = draw(dialects), draw(st.sampled_from(PLACES)), draw(st.sampled_from(KINDS[:2]))
    rows = []
    for word in draw(st.lists(WORDS, max_size=4)):
        usual = draw(st.integers(0, 19)) > 0
        shown = kind if usual else draw(st.sampled_from(KINDS))
        rows.append(_row(dialect if usual else draw(dialects), place.format(word), shown, draw(SIZES), draw(TIMES)))
    own = _row(draw(st.sampled_from([dialect, DIALECTS[0], DIALECTS[0]])), "/d/", KINDS[1], "", draw(TIMES))
    rows.insert(draw(st.sampled_from([0, 0, 0, len(rows)])), own)
    root = draw(st.sampled_from(ROOTS))
    text = root + "".join(f"<response>{row}</response>" for row in rows) + "</multistatus>"
    if root.startswith("<D:"):
        text = text.replace("</", "</D:").replace("<", "<D:").replace("<D:/D:", "</D:")
        text = text.replace("<D:D:", "<D:").replace("<D:!", "<!").replace("D:x:", "x:")
    return ('<?xml version="1.0"?>\n' + text).encode()


def _row(dialect: str, href: str, kind: str, size: str, time: str) -> str:
    return dialect.format(
        href=href,
        kind=f"<resourcetype>{kind}</resourcetype>",
        size=f"<getcontentlength>{size}</getcontentlength>",
        time=f"<getlastmodified>{time}</getlastmodified>",
        ok="<status>HTTP/1.1 200 OK</status>",
        no="<status>HTTP/1.1 404 Not Found</status>",
    )


@given(bodies=st.lists(answers(), min_size=1, max_size=3))
def test_whatever_the_dialect_and_whatever_was_read_before(bodies: list[bytes]) -> None:
    for body in bodies:
        same(body)
    for body in bodies:  # by all shapes that are known now
        assert outcome(body, True, False) == outcome(body, False, False)
