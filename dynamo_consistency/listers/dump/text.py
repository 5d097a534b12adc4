"""A text list as bytes: without a byte order mark, with an end of its last line, and without what no text has."""

from typing import Any

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump.other_formats import refuse_other_format

_HEAD = 4096
_MARK = b"\xef\xbb\xbf"
_GLUED = b"\n" + _MARK
_MARKS_OF_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class TextStream:
    """Hands a stream through, `read(n)` at a time.

    `name` is the list for messages; `json`: its lines are JSON. `read` raises ListingError for UTF-16 and other text
    with NUL bytes, for what begins as another format does, and when the last byte is no line end, as in a file that was
    cut short.
    """

    def __init__(self, stream: Any, name: str, *, json: bool = False) -> None:
        self._json = json
        self._stream = stream
        self._name = name
        self._ahead: bytes | None = None
        self._last = b"\n"

    def read(self, size: int) -> bytes:
        ahead = self._beginning() if self._ahead is None else self._ahead
        data, self._ahead = (ahead[:size], ahead[size:]) if ahead else (bytes(self._stream.read(size)), b"")
        if b"\0" in data:
            raise ListingError(
                f"the dump {self._name} has NUL bytes: it is UTF-16, the output of find -print0, or damaged; have it "
                "written anew, in lines and in UTF-8"
            )
        if (_MARK[:1] in data and _GLUED in data) or (self._last == b"\n" and data.startswith(_MARK)):
            raise ListingError(
                f"the dump {self._name} has a byte order mark within it: it is glued together; take the mark away"
            )
        if not data and self._last != b"\n":
            raise ListingError(
                f"the last line of the dump {self._name} has no line end: the dump was cut short; "
                "fetch it again (and if it is whole, have its writer end the last line)"
            )
        self._last = data[-1:] or self._last
        return data

    def _beginning(self) -> bytes:
        head = b""
        while len(head) < _HEAD and (data := bytes(self._stream.read(_HEAD))):
            head += data
        if head.startswith(_MARKS_OF_UTF16):
            raise ListingError(f"the dump {self._name} is in UTF-16; have it written anew in UTF-8")
        head = head.removeprefix(_MARK)
        refuse_other_format(head, self._name, json=self._json)
        return head
