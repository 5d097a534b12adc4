"""Names are bytes: whatever stands in a directory comes back as it is, however the server writes it."""

from collections.abc import Callable, Iterator
from urllib.parse import quote_from_bytes

import pytest
from effort import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted_dav import Request, Scripted, document, entry, listing, reply

from dynamo_consistency import paths
from dynamo_consistency.listers.contract import Failed, Listed
from dynamo_consistency.listers.webdav import WebDavLister
from dynamo_consistency.listers.webdav.names import plain_name, read

Tree = dict[bytes, "Tree | int"]
"""Directories are trees, files are sizes."""
Writing = Callable[[bytes], str]
"""How a server writes a path in an `href`."""


def is_name(name: bytes) -> bool:
    return b"/" not in name and b"\0" not in name and name not in (b"", b".", b"..")


PIECES = st.sampled_from(
    [b"%", b"%20", b"%2F", b"%25", b"+", b" ", b"?", b"#", b";", b"&", b"a", b"\n", b"\xff", b"\\"]
)
NAMES = (st.binary(max_size=8) | st.lists(PIECES, max_size=5).map(b"".join)).filter(is_name)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6).map(str.encode)
BARE_NAMES = (TEXTS | st.lists(PIECES.filter(lambda piece: piece.isascii()), max_size=4).map(b"".join)).filter(is_name)


def trees(names: st.SearchStrategy[bytes]) -> st.SearchStrategy[Tree]:
    return st.recursive(
        st.dictionaries(names, st.integers(0, 2**40), max_size=4),
        lambda inner: st.dictionaries(names, st.integers(0, 2**40) | inner, max_size=4),
        max_leaves=12,
    )


WRITINGS: dict[str, Writing] = {
    "all but letters": lambda path: quote_from_bytes(path, safe="/"),
    "lower case": lambda path: "".join(f"%{byte:02x}" if byte != 0x2F else "/" for byte in path),
    "what must be": lambda path: quote_from_bytes(path, safe="/!$&'()*+,;=:@~"),
    "as a URL": lambda path: "https://internal.example.org:2880" + quote_from_bytes(path, safe="/:@"),
    "with a line end around it": lambda path: f"\n  {quote_from_bytes(path)}\n",
}


def bare(path: bytes) -> str:
    return path.decode()


def look_up(tree: Tree, path: bytes) -> "Tree | int | None":
    found: Tree | int | None = tree
    for name in path.strip(b"/").split(b"/") if path.strip(b"/") else []:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def script(tree: Tree, written: Writing, slashes: bool) -> Callable[[Request], bytes]:
    """A server of `tree`; `slashes`: it ends the paths of directories with one."""

    def one(path: bytes, what: "Tree | int") -> str:
        if isinstance(what, int):
            return entry(written(path), what)
        return entry(written(path + b"/" if slashes and path != b"/" else path), directory=True)

    def answer(request: Request) -> bytes:
        path = paths.normalise(request.path)
        found = look_up(tree, path)
        if found is None:
            return reply(404)
        entries = [one(path, found)]
        if isinstance(found, dict) and request.headers["depth"] == "1":
            entries += [one(paths.join(path, name), what) for name, what in found.items()]
        return reply(207, document(*entries))

    return answer


def shown(tree: Tree, path: bytes) -> tuple[dict[bytes, int], set[bytes]]:
    """The files and the directories directly at `path`."""
    inside = look_up(tree, path)
    files = {name: what for name, what in inside.items() if isinstance(what, int)}
    return files, inside.keys() - files.keys()


@pytest.fixture(scope="module")
def site() -> Iterator[Callable[..., WebDavLister]]:
    """A lister of a server whose script can be changed."""
    with Scripted(lambda _: None) as server:

        def site(answer: Callable[[Request], bytes]) -> WebDavLister:
            server.script = answer
            return WebDavLister([server.url], concurrency=2, timeout=10)

        yield site


class TestAnyTree:
    @settings(
        max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    )
    @given(tree=trees(NAMES), writing=st.sampled_from(sorted(WRITINGS)), slashes=st.booleans())
    def test_comes_back_from_a_server_that_encodes_names(self, site, walk, tree, writing, slashes) -> None:
        lister = site(script(tree, WRITINGS[writing], slashes))
        visits = {visit.directory.path: visit.answer for visit in walk(lister, b"/", retries=0)}
        lister.close()
        assert all(isinstance(answer, Listed) and not answer.holes for answer in visits.values()), visits
        for path, answer in visits.items():
            assert ({file.name: file.size for file in answer.files}, {d.name for d in answer.directories}) == shown(
                tree, path
            )
        wanted = [b"/"]
        for path in wanted:
            wanted += [paths.join(path, name) for name in shown(tree, path)[1]]
        assert set(wanted) == visits.keys()

    @settings(
        max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    )
    @given(tree=trees(BARE_NAMES), slashes=st.booleans())
    def test_is_right_or_a_failure_from_a_server_that_encodes_nothing(self, site, walk, tree, slashes) -> None:
        lister = site(script(tree, bare, slashes))
        for visit in walk(lister, b"/", retries=0):
            answer = visit.answer
            if isinstance(answer, Listed):
                listed = ({file.name: file.size for file in answer.files}, {d.name for d in answer.directories})
                assert listed == shown(tree, visit.directory.path)
        lister.close()


class TestTwoReadings:
    """Where an `href` may be read in two ways, the server is asked which one holds: once."""

    def test_a_door_is_asked_once_only(self, scripted, make_lister, ask) -> None:
        tree: Tree = {b"d": {b"50%25": 1, b"x": 2}, b"e": {b"50%25": 1}}
        for written, probes in ((bare, 2), (WRITINGS["what must be"], 2)):
            server = scripted(script(tree, written, True))
            lister = make_lister(server.url, concurrency=1)
            for directory in (b"/d", b"/e", b"/d"):
                assert b"50%25" in [file.name for file in ask(lister, directory).files]
            assert sum(request.headers["depth"] == "0" for request in server.seen) == probes

    def test_the_directorys_own_entry_may_tell_already(self, scripted, make_lister, ask) -> None:
        for written in (bare, WRITINGS["what must be"]):
            server = scripted(script({b"a%20b": {b"c%20d": 1}}, written, True))
            assert [file.name for file in ask(make_lister(server.url), b"/a%20b").files] == [b"c%20d"]
            assert {request.headers["depth"] for request in server.seen} == {"1"}

    def test_a_name_that_looks_like_the_directory_itself_tells_nothing(self, scripted, make_lister, ask) -> None:
        tree: Tree = {b"d": {b" ": 1, b"50%25": 2}}
        for written in (bare, WRITINGS["what must be"]):
            answer = ask(make_lister(scripted(script(tree, written, True)).url), b"/d")
            assert sorted(file.name for file in answer.files) == [b" ", b"50%25"]

    def test_an_entry_that_exists_both_ways_does_not_tell_but_another_may(self, scripted, make_lister, ask) -> None:
        encoding = WRITINGS["what must be"]
        server = scripted(script({b"d": {b"a b": 1, b"a%20b": 2}}, encoding, True))
        assert sorted(file.name for file in ask(make_lister(server.url), b"/d").files) == [b"a b", b"a%20b"]
        server = scripted(script({b"d": {b"a b": 1, b"a%20b": 2}}, bare, True))
        answer = ask(make_lister(server.url), b"/d")
        assert isinstance(answer, Failed)
        assert "it cannot be told what is encoded" in answer.reason

    def test_a_server_that_is_in_trouble_when_asked_is_no_judge(self, scripted, make_lister, ask) -> None:
        tree: Tree = {b"d": {b"a%20b": 1}}
        good = script(tree, bare, True)
        lister = make_lister(scripted(lambda r: good(r) if r.headers["depth"] == "1" else reply(503)).url)
        answer = ask(lister, b"/d")
        assert isinstance(answer, Failed)
        assert answer.retry

    def test_an_entry_that_vanishes_meanwhile_is_a_failure_that_may_pass(self, scripted, make_lister, ask) -> None:
        answer = listing("/d/", entry("/d/a%20b", 1))
        lister = make_lister(scripted(lambda r: answer if r.headers["depth"] == "1" else reply(404)).url)
        assert ask(lister, b"/d").retry


@pytest.mark.parametrize(
    ("href", "encoded", "unencoded"),
    [
        ("/d/f", b"/d/f", b"/d/f"),
        ("/d/%66", b"/d/f", b"/d/%66"),
        ("/d/100%", None, b"/d/100%"),
        ("/d/a?b", None, b"/d/a?b"),
        ("/d/a#b", None, b"/d/a#b"),
        ("/d/a%2fb", None, b"/d/a%2fb"),
        ("/d/%00", None, b"/d/%00"),
        (" /d/f ", b"/d/f", None),
        ("/d/f ", b"/d/f", b"/d/f "),
        ("https://host:1/d/%66?x", None, b"/d/%66?x"),
        ("HTTP://host", None, None),
        ("relative", None, None),
        ("/zürich", "/zürich".encode(), "/zürich".encode()),
        ("/%fc", b"/\xfc", b"/%fc"),
    ],
)
def test_an_href_is_read_in_both_ways(href: str, encoded: bytes | None, unencoded: bytes | None) -> None:
    reading = read(href)
    assert (reading.encoded, reading.bare) == (encoded, unencoded)


@pytest.mark.parametrize("name", ["", ".", "..", "a%20b", "a b", "a/b", "ü", "a\n", "a?", "a//"])
def test_only_names_that_are_the_same_in_both_ways_are_read_quickly(name: str) -> None:
    assert plain_name("/d/" + name, "/d/") is None
    assert plain_name("/d/f" + "/", "/d/") == "f"
    assert plain_name("/e/f", "/d/") is None
