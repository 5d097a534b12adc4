"""Single objects: HEAD of the key, and only 404 of a bucket that can be listed says that it is not there."""

import time

import pytest
from object_store import page

from dynamo_consistency.listers.look import FileStat, NotThere, Unsure
from dynamo_consistency.listers.s3 import S3Lister

MODIFIED = {"Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT", "Content-Length": "3"}


class TestOnRealStores:
    @pytest.mark.parametrize("name", ["f", "a b", "a+b", "100%", "q?r#s", "zürich"])
    def test_an_object_has_its_size_and_time_whatever_its_key(self, store, name: str):
        store.put(f"site/store/{name}")
        look = store.lister("site").look(f"/store/{name}".encode())
        assert isinstance(look, FileStat)
        assert look.size == 3
        assert abs(look.mtime - time.time()) < 120

    def test_what_is_not_there_is_clearly_not_there_also_where_longer_keys_are(self, store):
        store.put("store/f/g", "store/ff")
        assert store.lister().look(b"/store/f") == NotThere()
        assert store.lister().look(b"/other") == NotThere()

    def test_a_bucket_that_is_not_there_is_doubt(self, store):
        lister = S3Lister("s3://no-such-bucket-here", store.endpoint, concurrency=1)
        assert isinstance(lister.look(b"/store/f"), Unsure)
        lister.close()

    def test_a_name_that_is_no_key_is_doubt(self, store):
        assert isinstance(store.lister().look(b"/store/\xff"), Unsure)


@pytest.fixture
def look(scripted):
    """What a look at /store/f makes of the answers to HEAD and, after it, to a listing."""

    def look(status: int, headers: dict[str, str] | None = None, keys: tuple[str, ...] = ()):
        scripted.head(status, headers or {})
        return scripted.lister("", flat=page("store/f", list(keys))).look(b"/store/f")

    return look


def test_the_time_is_read_and_the_size(look):
    assert look(200, MODIFIED) == FileStat(3, 1767323045)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 405, 410, 412, 429, 500, 503])
def test_any_status_but_404_is_doubt(look, status):
    assert isinstance(look(status), Unsure)


def test_a_key_that_is_listed_is_there_whatever_head_says(look):
    assert look(404) == NotThere()
    assert look(404, keys=("store/f/g",)) == NotThere()
    assert isinstance(look(404, keys=("store/f",)), Unsure)


def test_a_bucket_that_cannot_be_listed_leaves_a_404_in_doubt(scripted):
    scripted.head(404, {})
    denied = (403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
    assert isinstance(scripted.lister("", flat=denied).look(b"/store/f"), Unsure)


def test_a_store_that_is_gone_is_doubt(credentials):
    lister = S3Lister("s3://bucket", "http://127.0.0.1:9", concurrency=1, timeout=3)
    assert isinstance(lister.look(b"/store/f"), Unsure)
    lister.close()
