"""What the S3 lister makes of the keys of real object stores."""

import time

import pytest

from dynamo_consistency import secrets
from dynamo_consistency.errors import ConfigurationError, ListingError
from dynamo_consistency.listers.contract import Failed, Listed
from dynamo_consistency.listers.s3 import S3Lister, pages

only_moto = pytest.mark.parametrize("server", ["moto"], indirect=True)
only_versitygw = pytest.mark.parametrize("server", ["versitygw"], indirect=True)


def names(answer) -> tuple[set[bytes], set[bytes]]:
    """The directories and the files that an answer has."""
    assert isinstance(answer, Listed), answer
    return {each.name for each in answer.directories}, {each.name for each in answer.files}


def test_what_stands_between_slashes_is_a_directory(store):
    before = int(time.time())
    store.put("store/mc/a/f1", "store/mc/f2", "store/mc/b/c/f3", "store/mc2/f4")
    answer = store.lister().answer(b"/store/mc")
    assert names(answer) == ({b"a", b"b"}, {b"f2"})
    assert answer.files.sizes[0] == 3
    assert before <= answer.files.mtimes[0] <= time.time() + 2
    assert answer.directories[0].mtime is None


def test_the_prefix_stands_before_the_lfn(store):
    store.put("site/data/store/f", "store/other")
    for prefix in ("site/data", "site/data/"):
        assert names(store.lister(prefix).answer(b"/store")) == (set(), {b"f"})
    assert names(store.lister("site").answer(b"/")) == ({b"data"}, set())


def test_odd_names_come_through(store):
    odd = [
        "a b",
        "a+b",
        "a%41b",
        "a%20b",
        "q?x#y&z=1",
        "uml\u00e4ut",
        "'\"<&>",
        "back\\slash",
        "\U0001f600",
        ".hidden",
        "...",
    ]
    store.put(*[f"store/{name}" for name in odd], *[f"store/{name}-folder/f" for name in odd])
    lister = store.lister()
    directories, files = names(lister.answer(b"/store"))
    assert files == {name.encode() for name in odd}
    assert directories == {f"{name}-folder".encode() for name in odd}
    lister.verify()
    for name in directories:
        assert names(lister.answer(b"/store/" + name)) == (set(), {b"f"})


def test_a_directory_of_many_pages_is_listed_to_its_end(store, monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 7)
    store.put(*[f"store/f{number:03}" for number in range(40)], *[f"store/d{number:03}/f" for number in range(23)])
    directories, files = names(store.lister().answer(b"/store"))
    assert files == {b"f%03d" % number for number in range(40)}
    assert directories == {b"d%03d" % number for number in range(23)}


def test_a_marker_of_a_directory_is_no_file(store):
    store.put("store/", "store/empty/", "store/full/", content=b"")
    store.put("store/full/f")
    lister = store.lister()
    assert names(lister.answer(b"/store")) == ({b"empty", b"full"}, set())
    assert names(lister.answer(b"/store/empty")) == (set(), set())
    assert names(lister.answer(b"/store/full")) == (set(), {b"f"})


def test_a_directory_without_a_key_is_not_there(store):
    store.put("store/mc/f")
    answer = store.lister().answer(b"/store/m")
    assert isinstance(answer, Failed)
    assert "no key" in answer.reason


@only_moto
def test_keys_that_were_deleted_are_not_listed_though_their_versions_stay(store):
    store.client.put_bucket_versioning(Bucket=store.bucket, VersioningConfiguration={"Status": "Enabled"})
    store.put("store/gone", "store/stays", "store/stays")
    store.client.delete_object(Bucket=store.bucket, Key="store/gone")
    assert names(store.lister().answer(b"/store")) == (set(), {b"stays"})
    assert len(store.lister().answer(b"/store").files) == 1


def test_a_name_that_is_not_utf8_cannot_be_asked_for(store):
    store.put("store/f")
    answer = store.lister().answer(b"/store/\xff")
    assert isinstance(answer, Failed)
    assert "UTF-8" in answer.reason


def test_a_small_tree_comes_in_one_answer_and_is_given_once(store):
    store.put("store/a/f", "store/a/b/g", "store/c/h")
    lister = store.lister()
    lister.prepare()
    assert names(lister.answer(b"/store")) == ({b"a", b"c"}, set())
    known = lister.answer(b"/store/a")
    assert known.from_memory
    assert names(known) == ({b"b"}, {b"f"})
    store.put("store/a/new")
    again = lister.answer(b"/store/a")
    assert not again.from_memory
    assert names(again) == ({b"b"}, {b"f", b"new"})


def test_nothing_is_answered_from_memory_after_verify(store):
    store.put("store/a/f")
    lister = store.lister()
    lister.answer(b"/store")
    lister.verify()
    store.put("store/a/new")
    assert names(lister.answer(b"/store/a")) == (set(), {b"f", b"new"})


def test_the_public_form_says_not_ok_where_anything_is_in_doubt(store):
    store.put("store/f", "store/d/g")
    ok, directories, files = store.lister().list("/store/")
    assert (ok, directories) == (True, [(b"d", None)])
    assert [(name, size) for name, size, _ in files] == [(b"f", 3)]
    assert store.lister().list("/nowhere") == (False, [], [])


def test_a_bucket_that_is_not_there_ends_the_listing_with_a_sentence(store):
    lister = S3Lister("s3://no-such-bucket", store.endpoint)
    with pytest.raises(ListingError, match=r"no-such-bucket at http://127.* cannot be listed: .*NoSuchBucket.*name"):
        lister.prepare()


@only_versitygw  # moto believes every key
def test_a_wrong_key_ends_the_listing_and_is_not_shown(store, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret-key")
    with pytest.raises(ListingError, match="cannot be listed") as raised:
        store.lister().prepare()
    assert "another-secret-key" not in str(raised.value)


def test_without_credentials_it_is_said_how_to_give_them(store, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ListingError, match="AWS_ACCESS_KEY_ID"):
        store.lister()


def test_the_secret_key_is_known_as_a_secret(store):
    store.lister()
    assert secrets.redact("a-secret-of-these-tests") == secrets.MASK


@pytest.mark.parametrize("url", ["s3://", "http://bucket/x", "s3://bucket/a//b", "s3://bucket/../x", "s3://b\n/x"])
def test_a_url_that_names_no_place_is_refused(url, credentials):
    with pytest.raises(ConfigurationError, match="write s3://bucket/prefix"):
        S3Lister(url)


def test_a_store_that_does_not_answer_ends_the_listing(credentials):
    with pytest.raises(ListingError, match="cannot be listed: Could not connect"):
        S3Lister("s3://bucket", "http://127.0.0.1:1", timeout=2).prepare()


@only_moto  # versitygw makes paths of such keys
class TestKeysThatAreNoPaths:
    def test_what_is_behind_an_empty_component_is_a_hole_by_the_name_that_it_would_have(self, store):
        store.put("store/mc/f", "store/mc//g", "store/mc//d/h", "store/mc///i", "store/mc/e/k")
        answer = store.lister().answer(b"/store/mc")
        assert names(answer) == ({b"e"}, {b"f"})
        assert {hole.name for hole in answer.holes} == {b"g", b"d", b"i"}

    def test_an_empty_component_at_the_end_hides_nothing(self, store):
        store.put("store/mc/f", "store/mc//", content=b"x")
        answer = store.lister().answer(b"/store/mc")
        assert names(answer) == (set(), {b"f"})
        assert answer.holes == []

    @pytest.mark.parametrize("key", ["store/mc/./f", "store/mc/../f", "store/mc/.", "store/mc/.."])
    def test_a_dot_as_a_component_puts_its_directory_in_doubt_and_no_other(self, store, key):
        store.put(key, "store/mc/g", "store/data/h")
        lister = store.lister()
        answer = lister.answer(b"/store/mc")
        assert isinstance(answer, Failed)
        assert "rename it" in answer.reason
        assert names(lister.answer(b"/store")) == ({b"mc", b"data"}, set())
        assert names(lister.answer(b"/store/data")) == (set(), {b"h"})

    def test_a_marker_that_holds_something_is_noted(self, store):
        store.put("store/mc/", "store/mc/f")
        assert store.lister().answer(b"/store/mc").notes == [
            "store/mc/ ends in a slash and holds 3 bytes: it is no file"
        ]
