"""Pages of keys: asked for one after the other, and believed only when they are what was asked for, and all of it."""

import math
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from dynamo_consistency import paths
from dynamo_consistency.listers.s3.client import is_absent

PAGE = 1000  # keys; no server gives more at a time
_BENT = {"\r", "\n", "\ufffd"}  # what XML makes of other signs, where a server does not encode them


class DoubtError(Exception):
    """An answer that may not be complete, is not the answer to the request, or makes no sense.

    `passing`: the next answer may be a better one.
    """

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing


class Object(NamedTuple):
    """A key, its size in bytes, and when it was written, in seconds since 1970, rounded up."""

    key: bytes
    size: int | None
    mtime: int | None


class Page(NamedTuple):
    """Some keys that begin with the prefix of the request. `folders` are beginnings of keys, up to the next slash."""

    objects: list[Object]
    folders: list[bytes]
    last: bool


class Bucket:
    """Asks for the keys of the bucket `name` (ListObjectsV2, which shows current versions only).

    `client` is botocore's; `timeout` in seconds bounds all pages of one directory together.
    """

    def __init__(self, client: Any, name: str, timeout: float) -> None:
        self._client, self._name, self._timeout = client, name, timeout
        self._blank_is_plus = False

    def observe_encoding(self) -> None:
        """Find out how the server writes a blank and a plus in its answers, where they differ.

        Raises what the library raises, and DoubtError where what comes back cannot be distinguished.
        """
        probe = "+ %/"
        answer = self._client.list_objects_v2(Bucket=self._name, Prefix=probe, MaxKeys=1, EncodingType="url")
        echo = str(answer.get("Prefix", ""))
        if _encoded(answer) and unquote_to_bytes(echo) == probe.encode():
            self._blank_is_plus = False
        elif _encoded(answer) and unquote_to_bytes(echo.replace("+", " ")) == probe.encode():
            self._blank_is_plus = True
        elif _encoded(answer) or echo != probe:
            raise DoubtError(f"the object store does not repeat the prefix {probe!r} that it is asked for: {echo!r}")

    def pages(self, beginning: bytes, *, folders: bool) -> Iterator[Page]:
        """The keys that begin so, to the last; with `folders` only up to the next slash.

        Raises DoubtError where an answer cannot be trusted, UnicodeDecodeError for what no key can begin with, and
        what the library raises.
        """
        asked = {"Bucket": self._name, "Prefix": beginning.decode(), "MaxKeys": PAGE, "EncodingType": "url"}
        if folders:
            asked["Delimiter"] = "/"
        deadline = time.monotonic() + self._timeout
        tokens: set[str] = set()
        while True:
            answer = self._client.list_objects_v2(**asked)
            page = self._page(answer, beginning, folders)
            yield page
            if page.last:
                return
            token = answer.get("NextContinuationToken")
            if not token:
                raise DoubtError("there is more, and it is not said how to ask for it", passing=True)
            if token in tokens:
                raise DoubtError("the same part is offered again and again", passing=True)
            if time.monotonic() > deadline:
                raise DoubtError(f"it has not come to its end in {self._timeout:g} s; give it more time")
            tokens.add(token)
            asked["ContinuationToken"] = token

    def head(self, key: bytes) -> Object | None:
        """The object of that key, asked for by itself; None where it is not there. Raises what the library raises."""
        try:
            answer = self._client.head_object(Bucket=self._name, Key=key.decode())
        except Exception as error:
            if is_absent(error):
                return None
            raise
        return Object(key, answer.get("ContentLength"), _seconds(answer))

    def has(self, key: bytes) -> bool:
        """Is the key in a listing of those that begin with it? Raises as `pages` does."""
        page = next(self.pages(key, folders=False))
        return any(each.key == key for each in page.objects)

    def _page(self, answer: dict[str, Any], beginning: bytes, folders: bool) -> Page:
        if not isinstance(answer.get("IsTruncated"), bool):
            raise DoubtError("it is not said whether that is all", passing=True)
        if self._decoded(answer, answer.get("Prefix", "")) != beginning:
            raise DoubtError("the answer is to another question", passing=True)
        objects = [self._object(answer, each) for each in answer.get("Contents", ())]
        beginnings = [self._decoded(answer, each["Prefix"]) for each in answer.get("CommonPrefixes", ())]
        if int(answer.get("KeyCount", 0)) > len(objects) + len(beginnings):
            raise DoubtError("fewer keys came than were announced", passing=True)
        for key in [each.key for each in objects] + beginnings:
            if not key.startswith(beginning):
                raise DoubtError(f"the answer has a key from elsewhere, {key!r}")
        if folders:
            _cut(beginning, objects, beginnings)
        return Page(objects, beginnings, last=not answer["IsTruncated"])

    def _object(self, answer: dict[str, Any], each: dict[str, Any]) -> Object:
        return Object(self._decoded(answer, each["Key"]), each.get("Size"), _seconds(each))

    def _decoded(self, answer: dict[str, Any], text: str) -> bytes:
        if not _encoded(answer):
            if not _BENT.isdisjoint(text):
                raise DoubtError(f"a key has signs that its answer may have changed: {paths.visible(text)}")
            return text.encode()
        return unquote_to_bytes(text.replace("+", " ") if self._blank_is_plus else text)


def _seconds(said: dict[str, Any]) -> int | None:
    modified = said.get("LastModified")
    return math.ceil(modified.timestamp()) if modified is not None else None


def _encoded(answer: dict[str, Any]) -> bool:
    return answer.get("EncodingType") == "url"


def _cut(beginning: bytes, objects: list[Object], folders: list[bytes]) -> None:
    """Raises DoubtError where the server has not cut the keys at the next slash."""
    start = len(beginning)
    if any(b"/" in each.key[start:] for each in objects) or any(
        folder.find(b"/", start) != len(folder) - 1 for folder in folders
    ):
        raise DoubtError("the answer is not cut at the slashes of the keys")
