"""The list of protected directories: where it is in any doubt, nothing at all is deleted, and the reason is said."""

import http.server
import threading

import pytest

from dynamo_consistency.listers.dump import whole_file
from dynamo_consistency.run.unmerged import ProtectionError, find_unmerged, protected_list
from dynamo_consistency.run.unmerged.area import AREA_FILE
from dynamo_consistency.run.unmerged.findings import comparable

OLD = 1_000_000_000
U = "/store/unmerged"


def test_comments_blank_lines_repeated_slashes_and_windows_line_ends_are_understood(area):
    area.protected_list.write_bytes(b"# who: ops\r\n\r\n  /store//unmerged/a/ \r\n/store/unmerged/b#1\r\n")
    assert protected_list(area.check().spec.unmerged).directories == {b"/store/unmerged/a", b"/store/unmerged/b#1"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("# nothing yet\n\n", "is empty"),
        ("/store/elsewhere\n", f"names no directory in {U}"),
        ("/store/unmerged2/a\n", f"names no directory in {U}"),
        (f"{U}/a\nstore/unmerged/b\n", "line 2 of the list"),
        ("<html>Please log in</html>\n", "no absolute path"),
        (f"{U}/a/../b\n", ". or .."),
        (f"{U}/*/a\n", "is a pattern"),
        (f"{U}/a[0-9]\n", "is a pattern"),
        (f"{U}/a\tsince Monday\n", "has a control character"),
        (f"{U}/a\0{U}/b\n", "has a control character"),
        (f"{U}/a,since Monday\n", "has a comma"),
        (f"{U}/a;5\n", "has a comma"),
        (f"{U}/a|b\n", "has a comma"),
        (f"{U}/a%20b\n", "has a percent sign as in a URL"),
        (f"{U}/a  # ours\n", "a comment needs a line of its own"),
        ("\x1f\x8b\x08\n", "no absolute path"),
        (f"{U}/a\n{U}/b", "was cut short: its last line has no line end"),
        (f"{U}/a", "was cut short"),
    ],
)
def test_a_list_that_is_empty_or_not_understood_is_refused_as_a_whole(area, text, complaint):
    area.protected_list.write_text(text)
    area.files = [(f"{U}/x/f", OLD)]
    area.directories = [(f"{U}/empty", OLD)]
    assert area.found() == []
    assert complaint in area.told["trouble"]
    assert str(area.protected_list) in area.told["trouble"]


def test_a_line_outside_the_area_is_said_and_the_others_protect(area):
    area.protected_list.write_text(f"{U}/a\n/pnfs/site{U}/b\n")
    area.files = [(f"{U}/a/f", OLD), (f"{U}/b/f", OLD)]
    assert area.found() == [f"{U}/b/f"]
    [note] = area.told["notes"]
    assert f"/pnfs/site{U}/b" in note
    assert "1 lines" in note


def test_a_list_that_is_replaced_while_it_is_read_is_refused(area, monkeypatch):
    def replaced(file, size=-1):
        text = read(file, size)
        other = area.protected_list.with_name("other")
        other.write_text(f"{U}/c\n")
        other.replace(area.protected_list)
        return text

    read = whole_file.WholeFile.read
    monkeypatch.setattr(whole_file.WholeFile, "read", replaced)
    area.files = [(f"{U}/x/f", OLD)]
    assert area.found() == []
    assert "has changed while it was read" in area.told["trouble"]


def test_a_list_that_is_not_there_is_said(area):
    area.protected_list.unlink()
    area.files = [(f"{U}/x/f", OLD)]
    assert area.found() == []
    assert "cannot be loaded" in area.told["trouble"]


def test_a_password_or_signature_in_the_address_is_not_shown(area):
    area.unmerged = {"protectedFrom": {"url": "nosuch://user:pa55word@host/list?signature=0123456789"}}
    with pytest.raises(ProtectionError) as refused:
        protected_list(area.check().spec.unmerged)
    assert "pa55word" not in str(refused.value)
    assert "0123456789" not in str(refused.value)


@pytest.fixture
def server():
    """Answers with what `server.answer` holds: (status, declared length or None, body)."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, length, body = self.server.answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_list_is_loaded_from_a_web_server_and_one_that_breaks_off_is_none(area, server):
    pytest.importorskip("aiohttp", reason="pip install aiohttp")
    area.unmerged = {"protectedFrom": {"url": f"http://127.0.0.1:{server.server_port}/list"}}
    area.files = [(f"{U}/x/f", OLD), (f"{U}/a/f", OLD)]
    body = f"{U}/a\n".encode()
    server.answer = (200, None, body)
    assert area.found() == [f"{U}/x/f"]
    for answer in ((200, 1000, body), (404, None, b""), (200, None, b"<html>log in</html>")):
        server.answer = answer
        assert area.found() == []
        assert area.told["trouble"]


@pytest.mark.parametrize("garbage", ["", "null", "[1]", "{}", '{"trouble": '])
def test_a_damaged_earlier_run_is_told_and_passed_over(area, caplog, garbage):
    area.files = [(f"{U}/x/f", OLD)]
    area.protect(*(f"{U}/z{number}" for number in range(10)))
    whole, damaged = area.run(), area.run()
    for run in (whole, damaged):
        find_unmerged(run)
    with damaged.writing(AREA_FILE) as path:
        path.write_text(garbage)
    area.protect(f"{U}/z1")
    last = area.run()
    assert "had 10: is it whole?" in find_unmerged(last, [whole, damaged])["trouble"]
    assert f"run {damaged.run_id} of T2_X counts as not complete" in caplog.text
    assert [run.run_id for run in comparable(last, [whole, damaged])] == [whole.run_id]


def lists(area, *lengths):
    """Runs with lists of so many directories, the last of which it returns; a length of None: a list not to be had."""
    area.files = [(f"{U}/x/f", OLD)]
    earlier = []
    for length in lengths:
        area.protected_list.unlink(missing_ok=True)
        if length is not None:
            area.protect(*(f"{U}/z{number}" for number in range(length)))
        run = area.run()
        told = find_unmerged(run, earlier)
        earlier.append(run)
    return told


@pytest.mark.parametrize(
    ("lengths", "believed"),
    [
        ((10, 9), True),
        ((10, 8), True),
        ((10, 7), False),
        ((9, 4), False),
        ((9, 4, 4), True),  # what has really become less is doubted once
        ((9, None, 4), False),  # the last list that could be read counts
        ((9, None, 9), True),
        ((4, 9), True),
    ],
)
def test_a_list_much_shorter_than_the_last_that_could_be_read_is_not_believed(area, lengths, believed):
    told = lists(area, *lengths)
    assert told["unmerged"] == (1 if believed else 0)
    assert (told["trouble"] == "") == believed


def test_both_lengths_are_told(area):
    assert "has 4 where the last run that could read it had 9" in lists(area, 9, 4)["trouble"]
