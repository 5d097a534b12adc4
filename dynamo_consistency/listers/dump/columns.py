"""How a list is laid out: its format, and where its columns are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dynamo_consistency import paths
from dynamo_consistency.check import ListFile
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump.ready_made import READY_MADE, ReadyMade

_DELIMITERS = {"tsv": b"\t", "pipe": b"|", "csv": b","}


@dataclass(frozen=True)
class Layout:
    """How to read a dump: its format, and which of its columns mean what.

    `columns` maps a meaning to a number from 1 or to a name in the header; None means `defaults` in this order, as
    many as there are. `name` is the dump for messages. `pattern` is how a line looks, where it has no columns.
    """

    url: str
    name: str
    format: str
    columns: Mapping[Any, str | int] | None
    defaults: Sequence[str] = ("path", "size", "mtime")
    pattern: ReadyMade | None = None
    delimiter: bytes = b"\t"
    skip_lines: int = 0
    comment: bytes = b""
    trim: bool = False

    @classmethod
    def of(cls, source: ListFile, url: str, name: str, defaults: Sequence[str] = ("path", "size", "mtime")) -> "Layout":
        """The layout of the part of `source` at `url`."""
        pattern = ReadyMade((source.line,)) if source.line is not None else READY_MADE.get(source.format)
        given = source.delimiter
        return cls(
            url=url,
            name=name,
            format=source.format if source.line is None else "line",
            columns=source.columns,
            defaults=defaults,
            pattern=pattern,
            delimiter=paths.to_bytes(given) if given else _DELIMITERS.get(source.format, b"\t"),
            skip_lines=source.skip_lines,
            comment=paths.to_bytes(source.comment or ""),
            trim=source.trim or (pattern is not None and pattern.trim),
        )

    @property
    def has_header(self) -> bool:
        """Is the first line of a text dump its header? So it is where columns are given by name."""
        return self.columns is not None and any(isinstance(place, str) for place in self.columns.values())

    def positions(self, first: Sequence[bytes]) -> dict[str, int]:
        """Meaning → index, for a file whose first line has the cells `first`; ListingError when it does not fit."""
        if not first:
            raise ListingError(
                f"the first line of the dump {self.name} is empty; it must tell how many columns there are"
            )
        if self.columns is None:
            if len(first) > len(self.defaults):
                raise ListingError(
                    f"the dump {self.name} has {len(first)} columns; say in `columns` where the {self.defaults[0]} is"
                )
            return {meaning: index for index, meaning in enumerate(self.defaults[: len(first)])}
        return {meaning: self._position(place, first) for meaning, place in self.columns.items()}

    def _position(self, place: str | int, first: Sequence[bytes]) -> int:
        if isinstance(place, int):
            if place > len(first):
                raise ListingError(f"the dump {self.name} has {len(first)} columns; there is no column {place}")
            return place - 1
        names = [paths.to_text(cell) for cell in first]
        if names.count(place) != 1:
            raise ListingError(
                f"the header of the dump {self.name} must name the column {place} once; it has {', '.join(names)}"
            )
        return names.index(place)
