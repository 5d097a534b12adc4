"""How a list of files is written, and where it is: a site's own dump, or the dump of an inventory."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from dynamo_consistency.check.fields import Date, Positive, Prefix, TimeZone
from dynamo_consistency.yamlfile import ClosedModel

ListFormat = Literal[
    "tsv",
    "csv",
    "pipe",
    "ral",
    "paths",
    "parquet",
    "jsonl",
    "syncat",
    "eos",
    "eos-find",
    "find",
    "hdfs",
    "xrdfs",
    "hadoop",
    "spacemon",
    "chimera",
    "dirac",
    "rce",
]
WITH_COLUMNS = ("tsv", "csv", "pipe", "parquet", "jsonl")
"""Formats in which `columns` say where the columns are; all others say it themselves."""
NOT_IN_LINES = ("parquet", "syncat", "jsonl", "list")
GROUPS = ("path", "size", "mtime", "checksum", "rse", "kind")
"""What a group of a `line` pattern can be called."""
TIME_UNITS = ("s", "ms", "us", "days")
_LONGEST_URL, _MOST_PARTS = 2048, 1000
_NOT_IN_RE2 = re.compile(r"\(\?(<?[=!]|P=|>|\()|\\[1-9]|[*+?}]\+")


def columns_of_a_file(columns: dict[Any, str | int]) -> dict[Any, str | int]:
    """`columns` (meaning → number from 1, or name) of a file, if they name the paths and do not contradict each other.

    Raises ValueError otherwise.
    """
    places = list(columns.values())
    if "path" not in columns:
        raise ValueError("must say where the path is")
    if len({type(place) for place in places}) > 1:
        raise ValueError("must be all numbers, for a file without a header, or all names, for a file with one")
    if any(place in ("", 0) or (isinstance(place, int) and place < 0) for place in places):
        raise ValueError("must be numbers from 1, or names")
    if len(set(places)) < len(places):
        raise ValueError("must not give one column two meanings")
    return columns


def _pattern(line: str) -> str:
    try:
        names = re.compile(line).groupindex
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    if _NOT_IN_RE2.search(line):
        raise ValueError("must do without look-around, back references and possessive repeats (RE2 has none)")
    if "path" not in names:
        raise ValueError("must have a group (?P<path>…)")
    if unknown := [name for name in names if name not in GROUPS]:
        raise ValueError(f"has the group {unknown[0]}; known are {', '.join(GROUPS)}")
    return line


def _urls(urls: Any) -> Any:
    parts = urls if isinstance(urls, list) else [urls]
    if not parts or not all(isinstance(url, str) and 0 < len(url) <= _LONGEST_URL for url in parts):
        raise ValueError("must be a path or URL, or a list of them")
    if len(parts) > _MOST_PARTS or len(set(parts)) < len(parts):
        raise ValueError(f"must not name a part twice, nor more than {_MOST_PARTS}")
    return urls


def _time_format(text: str) -> str:
    if text not in TIME_UNITS and not re.search("%[a-zA-Z]", text):
        raise ValueError(f"must be {', '.join(TIME_UNITS)}, or places such as %Y-%m-%d %H:%M; it is {text!r}")
    return text


Urls = Annotated[
    str | list[str],
    BeforeValidator(_urls),
    WithJsonSchema({"x-kubernetes-preserve-unknown-fields": True}),  # a structural schema has no unions
]
LinePattern = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_pattern)]
TimeFormat = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_time_format)]


class ListFile(ClosedModel):
    """A list of files: one file, or several that are parts of it."""

    url: Urls = Field(
        description="Path or fsspec URL; may be packed (gz, bz2, zst, xz, zip or tar with one file). With %Y%m%d or * "
        "it is the newest of dated files; a list of URLs, or numbered files of one date, are parts of one list.",
    )
    format: str = "tsv"
    columns: Mapping[Any, str | int] | None = None
    newest_within_days: Positive = Field(
        30, description="Where url has %Y%m%d or *: an older file is not looked for.", le=3660
    )
    max_age_seconds: Positive | None = Field(None, description="A list that is older than this is refused.")
    line: LinePattern | None = Field(
        None,
        description="In place of format: a pattern (RE2) that a whole line must fit, with groups called path, size, "
        "mtime, checksum, rse, kind, such as ^(?P<size>[0-9]+) (?P<path>/.*)$.",
    )
    delimiter: Annotated[str, Field(min_length=1, max_length=8)] | None = Field(
        None, description='What separates columns, with tsv and csv, such as ";".'
    )
    skip_lines: int = Field(0, ge=0, le=10_000, description="So many lines at the start are no entries, nor a header.")
    comment: Annotated[str, Field(min_length=1, max_length=8)] | None = Field(
        None, description='Lines that begin with this are no entries, such as "#".'
    )
    trim: bool = Field(False, description="Take blanks, and the CR of Windows, away from around each cell.")
    time_format: TimeFormat | None = Field(
        None,
        description="How times are written: s, ms, us or days since 1970, or places such as %d/%m/%Y %H:%M. Default: "
        "seconds or ISO 8601.",
    )
    time_zone: TimeZone = Field("UTC", description="Of times that do not say their zone, and of dates in names.")
    prefix: Prefix = Field("", description="What stands before the LFN in the paths of the list.")
    date: Date | None = Field(
        None, description="When the list was made (ISO 8601). Default: a date in its name, else its modification time."
    )

    @property
    def urls(self) -> list[str]:
        """What `url` names, one or several."""
        return [self.url] if isinstance(self.url, str) else list(self.url)

    @model_validator(mode="after")
    def _options_suit_the_format(self) -> Self:
        kind = self.format
        if self.line is not None and (kind != "tsv" or self.columns is not None or self.delimiter is not None):
            raise ValueError("line stands in place of format, columns and delimiter; give one of them")
        if self.columns is not None:
            _columns_suit_the_format(kind, self.columns)
        if self.delimiter is not None and (kind not in ("tsv", "csv") or (kind == "csv" and len(self.delimiter) > 1)):
            raise ValueError("delimiter goes with format tsv, or one character of it with csv")
        if kind in NOT_IN_LINES and (self.skip_lines or self.comment):
            raise ValueError(f"skipLines and comment are for lists in lines, not for format {kind}")
        return self


def _columns_suit_the_format(format_: str, columns: Mapping[Any, str | int]) -> None:
    """Raises ValueError for columns that a list of this format cannot have."""
    if format_ not in WITH_COLUMNS:
        raise ValueError(f"columns must not be given where format is {format_}: it says where the columns are")
    if format_ in ("parquet", "jsonl") and any(isinstance(place, int) for place in columns.values()):
        raise ValueError(f"columns must be names where format is {format_}")
