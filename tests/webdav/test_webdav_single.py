"""Single files at WebDAV doors: PROPFIND of the file itself, and only 404 and 410 say that it is not there."""

import os
import time

import pytest
from scripted_dav import TIME_SECONDS, document, entry, reply, response

from dynamo_consistency.listers.look import FileStat, NotThere, Unsure

OLD = 1_600_000_000


def about(*paths: str) -> bytes:
    """An answer about files of 3 bytes."""
    return reply(207, document(*(entry(path, 3) for path in paths)))


class TestOnRealServers:
    @pytest.fixture
    def look(self, site, make_lister):
        lister = make_lister(site.server.url)
        return lambda name: lister.look(site.lfn + b"/" + name)

    @pytest.mark.parametrize("name", ["f", "a b", "100%", "a%20b", "q#r", "x&y", "zürich"])
    def test_a_file_has_its_size_and_time_whatever_its_name(self, site, look, name: str) -> None:
        (site.path / name).write_bytes(b"abc")
        os.utime(site.path / name, (OLD, OLD))
        assert look(name.encode()) == FileStat(3, OLD)

    def test_what_is_not_there_is_clearly_not_there(self, look) -> None:
        assert look(b"none") == NotThere()
        assert look(b"no/directory") == NotThere()

    def test_a_directory_is_not_the_file(self, site, look) -> None:
        (site.path / "d").mkdir()
        assert isinstance(look(b"d"), Unsure)


def doors(scripted, *statuses: int) -> list[str]:
    return [scripted(reply(status)).url for status in statuses]


@pytest.fixture
def look_at(scripted, make_lister):
    """What a look at /d/f makes of an answer."""
    return lambda script: make_lister(scripted(script).url, timeout=3).look(b"/d/f")


@pytest.mark.parametrize("status", [404, 410])
def test_a_door_that_says_there_is_nothing_is_believed(look_at, status: int) -> None:
    assert look_at(reply(status)) == NotThere()


@pytest.mark.parametrize("status", [200, 204, 300, 303, 400, 401, 403, 405, 409, 423, 429, 500, 501, 502, 503, 507])
def test_any_other_status_is_doubt(look_at, status: int) -> None:
    assert isinstance(look_at(reply(status)), Unsure)


def test_the_question_is_about_the_file_alone(scripted, make_lister) -> None:
    door = scripted(about("/x/d/f%20g"))
    assert make_lister(door.url, prefix="/x").look(b"/d/f g") == FileStat(3, TIME_SECONDS)
    [request] = door.seen
    assert (request.method, request.target, request.headers["depth"]) == ("PROPFIND", "/x/d/f%20g", "0")


@pytest.mark.parametrize(
    "answer",
    [
        about(),
        about("/d/other"),
        about("/d/f", "/d/g"),
        reply(207, document(entry("/d/f", directory=True))),
        reply(207, document(response("/d/f", ""))),
        about("/d/f")[:-20],
        b"HTTP/1.1 207 Multi-Status\r\nContent-Length: 5\r\n\r\nhello",
        None,
    ],
)
def test_an_answer_that_is_not_about_a_file_of_that_name_is_doubt(look_at, answer) -> None:
    assert isinstance(look_at(lambda _: answer), Unsure)


def test_a_server_to_which_a_door_redirects_may_show_the_file_and_not_deny_it(scripted, make_lister) -> None:
    there, gone = scripted(about("/d/f")), scripted(reply(404))
    for data, expected in ((there, FileStat), (gone, Unsure)):
        door = scripted(lambda request, data=data: reply(307, headers={"Location": data.url + request.target}))
        assert isinstance(make_lister(door.url).look(b"/d/f"), expected)


def test_two_doors_must_agree_that_there_is_nothing(scripted, make_lister) -> None:
    assert make_lister(*doors(scripted, 404, 404)).look(b"/d/f") == NotThere()
    assert isinstance(make_lister(*doors(scripted, 404, 403)).look(b"/d/f"), Unsure)
    other = scripted(about("/d/f")).url
    lister = make_lister(*doors(scripted, 404), other)
    assert {type(lister.look(b"/d/f")) for _ in range(4)} == {FileStat, Unsure}


def test_a_door_that_is_closed_is_left_out(scripted, make_lister, closed_door) -> None:
    lister = make_lister(closed_door, *doors(scripted, 404))
    assert {type(lister.look(b"/d/f")) for _ in range(4)} == {NotThere}


def test_silence_is_doubt_and_takes_no_longer_than_a_directory_may(make_lister, black_hole) -> None:
    began = time.monotonic()
    assert isinstance(make_lister(black_hole, timeout=1).look(b"/d/f"), Unsure)
    assert time.monotonic() - began < 60
