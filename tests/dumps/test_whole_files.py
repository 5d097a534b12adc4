"""A list on which something rests is read whole and unchanged, or not at all."""

import http.server
import re
import threading

import pytest

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump.opening import opened
from dynamo_consistency.listers.dump.whole_file import whole_file

BLOCK = b"/store/mc/some/file\n" * 50_000
PARTS = 12  # more than the driver asks for at a time


class Answering(http.server.ThreadingHTTPServer):
    """Sends parts of `body`; once `after` parts have been sent, another version, of the same length."""

    body = BLOCK * PARTS
    after: int | None = None
    with_length = True
    partly = False  # what nobody asked for in ranges is answered by its first half, as a part
    shifted = 0  # how far from the asked beginning a range begins
    grows = 0  # bytes that have come since the length was asked for
    alternating = False  # every second part comes from a server with another version
    cut = 0
    sent = 0


class Handler(http.server.BaseHTTPRequestHandler):
    server: Answering
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = not self.server.with_length
        body = self.server.body
        changed = self.server.after is not None and self.server.sent >= self.server.after
        changed = changed or (self.server.alternating and self.command == "GET" and self.server.sent % 2 == 1)
        asked = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        first = int(asked[1]) + self.server.shifted if asked else 0
        part = body[first : int(asked[2] or len(body)) + 1] if asked else body
        if self.server.partly and not asked:
            part = BLOCK[: len(BLOCK) // 2]
        self.send_response(206 if asked or self.server.partly else 200)
        self.send_header("ETag", '"second"' if changed else '"first"')
        if asked or self.server.partly:
            total = len(body) + self.server.grows
            self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{total}")
            self.send_header("Accept-Ranges", "bytes")
        if self.server.with_length:
            self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if self.command == "GET":
            self.server.sent += 1
            self.wfile.write(part[: len(part) - self.server.cut])
            if self.server.cut:
                self.close_connection = True

    do_HEAD = do_GET  # noqa: N815 (the name that the server looks for)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server():
    pytest.importorskip("aiohttp", reason="pip install aiohttp")
    server = Answering(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def all_of(server) -> bytes:
    with opened(f"http://127.0.0.1:{server.server_port}/list") as file:
        parts = []
        while part := file.read(1 << 20):
            parts.append(bytes(part))
        return b"".join(parts)


def test_a_list_that_stays_is_read_in_parts(server):
    assert all_of(server) == server.body
    assert server.sent > 1


def test_a_list_that_is_replaced_between_two_parts_is_refused(server):
    server.after = 1
    with pytest.raises(ListingError, match=r"has changed while it was read \(ETag\)"):
        all_of(server)


def test_a_list_that_is_replaced_while_its_last_part_is_sent_is_refused(server):
    assert all_of(server) == server.body
    server.after, server.sent = server.sent, 0
    with pytest.raises(ListingError, match="has changed while it was read"):
        all_of(server)


def test_a_list_that_came_shorter_than_announced_is_refused(server):
    server.body, server.cut = BLOCK, 20
    with pytest.raises(ListingError, match="cannot be read wholly"):
        all_of(server)


def test_a_part_that_nobody_asked_for_is_not_the_list(server):
    server.partly = True
    with pytest.raises(ListingError, match=r"came a part \(206\) that was not asked for"):
        all_of(server)


def test_a_part_that_nobody_asked_for_is_not_the_list_where_no_length_is_told(server):
    server.partly, server.with_length = True, False
    with pytest.raises(ListingError, match=r"came a part \(206\) that was not asked for"):
        all_of(server)


def test_another_part_than_the_one_asked_for_is_refused(server):
    server.shifted = len(b"/store/mc/some/file\n")
    with pytest.raises(ListingError, match=r"came a part \(206\) that was not asked for"):
        all_of(server)


def test_a_list_that_is_longer_than_its_length_was_is_refused(server):
    server.body, server.grows = BLOCK, len(BLOCK)
    with pytest.raises(ListingError, match=r"has changed while it was read \(length\)"):
        all_of(server)


def test_a_list_of_which_two_servers_have_different_versions_is_refused(server):
    server.alternating = True
    with pytest.raises(ListingError, match="is not the same on all servers"):
        all_of(server)


def test_a_list_of_which_no_length_is_announced_is_read(server):
    server.body, server.with_length = BLOCK, False
    assert all_of(server) == server.body


@pytest.mark.parametrize("how", ["replaced", "longer", "shorter"])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, how):
    (tmp_path / "list").write_bytes(BLOCK)
    with pytest.raises(ListingError, match="has changed while it was read"):
        _read_while_it_changes(tmp_path, how)


def _read_while_it_changes(folder, how):
    with whole_file(str(folder / "list"), "the list") as file:
        assert file.read(10) == BLOCK[:10]
        if how == "replaced":
            (folder / "other").write_bytes(BLOCK)
            (folder / "other").replace(folder / "list")
        else:
            (folder / "list").write_bytes(BLOCK * 2 if how == "longer" else BLOCK[:1000])
        file.read()


def test_what_was_looked_at_first_is_read_all_the_same(tmp_path):
    (tmp_path / "list").write_bytes(b"0123456789")
    with whole_file(str(tmp_path / "list"), "the list") as file:
        assert file.peek(4) == b"0123"
        assert [file.read(3), file.read(3), file.read()] == [b"012", b"3", b"456789"]


def test_a_file_of_which_only_the_beginning_was_wanted_is_no_error(tmp_path):
    (tmp_path / "list").write_bytes(BLOCK)
    with whole_file(str(tmp_path / "list"), "the list") as file:
        assert file.read(10) == BLOCK[:10]
