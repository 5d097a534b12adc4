"""What a web server answers while one file is read: parts that were asked for, and all of one version.

The driver takes a part that nobody asked for (206) for the whole. It asks for a long file in ranges, each of which
another server may answer that has another version of it, when several stand behind one name.
"""

import re
from typing import Any

from dynamo_consistency.errors import ListingError

_OK, _PARTIAL = 200, 206
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class HttpAnswers:
    """An aiohttp middleware for the requests of one reading of a file, which is called `name` in messages.

    The reading ends with a ListingError at a part that was not asked for, at the whole in place of a part, and at an
    answer that tells another length, ETag or time than those before.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._told: dict[str, str] = {}

    async def __call__(self, request: Any, handler: Any) -> Any:
        response = await handler(request)
        if response.status in (_OK, _PARTIAL):
            self._refuse_another_part(request.headers.get("Range"), response)
            self._refuse_another_version(response)
        return response

    def _refuse_another_part(self, asked: str | None, response: Any) -> None:
        """Whoever asks for the beginning can take it from the whole, too."""
        sent = _sent(response)
        wanted = re.match(r"bytes=(\d+)-", asked or "")
        if response.status == _PARTIAL and (wanted is None or sent is None or sent[1] != wanted[1]):
            raise ListingError(f"of {self._name} came a part (206) that was not asked for; look at its server")
        if response.status == _OK and wanted and int(wanted[1]):
            raise ListingError(f"{self._name} came from its beginning where a later part was asked for")

    def _refuse_another_version(self, response: Any) -> None:
        told = {key: response.headers[key] for key in ("ETag", "Last-Modified") if key in response.headers}
        length = _length(response)
        if length is not None:
            told["length"] = length
        for key, value in told.items():
            if self._told.setdefault(key, value) != value:
                raise ListingError(
                    f"{self._name} has changed while it was read ({key}), or is not the same on all servers behind its "
                    "name: what came may be a mixture of two versions; run it again"
                )


def _sent(response: Any) -> re.Match[str] | None:
    """The range of the file that the answer says it has; None for an answer that is no part, or does not say."""
    return _RANGE.match(response.headers.get("Content-Range", "")) if response.status == _PARTIAL else None


def _length(response: Any) -> str | None:
    """Of the whole file; None where the answer does not tell it."""
    if response.status == _PARTIAL:
        sent = _sent(response)
        return sent[2] if sent and sent[2] != "*" else None
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return None
    length: str | None = response.headers.get("Content-Length")
    return length
