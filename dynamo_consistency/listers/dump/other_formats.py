"""What a list looks like, where that is not the format that was given for it: a misread list is worse than none."""

import re
from collections.abc import Iterable, Mapping, Sequence

from dynamo_consistency import paths
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump.values import AROUND

SAMPLE = 1000
"""So many entries at the start of a list are looked at."""
_MANY = 0.25
_LEAST_FOR_SEPARATORS = 5
_BLANK_AROUND = re.compile(AROUND.encode())
_ESCAPED = re.compile(rb"%[0-9A-F]{2}|\\(?:[0-3][0-7]{2}|x[0-9a-fA-F]{2})")
_BEGINNINGS = (
    (rb"(?i)<(!doctype html|html|head|body)\b", "an HTML page", "is its url that of the file, or that of a login?"),
    (rb"<[?!a-zA-Z]", "XML", "set format: syncat if it is a Syncat dump"),
    (rb'\{\s*("|$)', "JSON", "set format: jsonl for one object a line"),
    (rb"\[\s*([{\[\"]|$)", "a JSON list", "have it written as one object a line, and set format: jsonl"),
    (rb"PAR1", "Parquet", "set format: parquet"),
    (rb"SQLite format 3", "an SQLite database", "have a list written"),
)
_SEPARATORS = {
    "\t": "tsv",
    "|": "pipe",
    ";": 'csv with delimiter ";"',
    ",": "csv",
    " ": "columns between blanks (describe its lines by `line`)",
}


def refuse_other_format(head: bytes, name: str, *, json: bool = False) -> None:
    """Raises ListingError where the first bytes of a text list are not those of a list of names."""
    start = head.lstrip()
    for beginning, what, remedy in _BEGINNINGS:
        if re.match(beginning, start) and not (json and what == "JSON"):
            raise ListingError(f"the dump {name} looks like {what}; {remedy}")


def refuse_odd_cells(columns: Mapping[str, Sequence[bytes | None]], name: str, *, trimmed: bool, plain: bool) -> None:
    """Raises ListingError where the first entries of a list show that its cells are dressed in something.

    `columns` are the first cells of each meaning. `plain`: the paths stand between separators, not in a pattern.
    """
    found = {meaning: [cell for cell in cells if cell] for meaning, cells in columns.items()}
    for meaning, cells in found.items():
        if not trimmed and _many(bool(_BLANK_AROUND.search(cell)) for cell in cells):
            raise ListingError(
                f"the dump {name} has blanks around its cells ({meaning} {paths.to_text(cells[0])!r}); set trim: true"
            )
        if _many(len(cell) > 1 and cell[:1] == cell[-1:] and cell[:1] in b"\"'" for cell in cells):
            raise ListingError(
                f"the dump {name} has quotes around its cells ({meaning} {paths.to_text(cells[0])!r}); set format: "
                "csv, with the delimiter if it is no comma, or have it written without quotes"
            )
    names = found.get("path", [])
    _refuse_first_line(names, [cells[:1] for meaning, cells in columns.items() if meaning != "path"], name)
    if _many(bool(_ESCAPED.search(path)) for path in names):
        raise ListingError(
            f"the names of the dump {name} look escaped, such as {paths.to_text(names[0])!r}; have them written plainly"
        )
    if plain and len(names) >= _LEAST_FOR_SEPARATORS:
        _refuse_separators(names, name)


def _many(odd: Iterable[bool]) -> bool:
    answers = list(odd)
    return sum(answers) > _MANY * len(answers)


def _refuse_first_line(names: Sequence[bytes], beside: Sequence[Sequence[bytes | None]], name: str) -> None:
    """`beside`: the cells of the first line that are no path."""
    if names and names[0].startswith(b"#"):
        raise ListingError(f'the dump {name} begins with a comment; set comment: "#"')
    if len(names) < 2 or b"/" in names[0] or b"/" not in names[1]:
        return
    words = [cell for cells in beside for cell in cells if cell]
    no_numbers = bool(words) and not any(re.search(rb"[0-9]", word) for word in words)
    if names[1].startswith(b"/") or no_numbers:
        raise ListingError(
            f"the first line of the dump {name} looks like a header ({paths.to_text(names[0])!r}); name the columns in "
            "`columns` as it does, or set skipLines: 1"
        )


def _refuse_separators(names: Sequence[bytes], name: str) -> None:
    """All names have a separator of some other format before the first slash or below the directory of all."""
    common = _length_of_common_directory(names)
    for separator, format_ in _SEPARATORS.items():
        if all(separator.encode() in path.partition(b"/")[0] + path[common:] for path in names):
            raise ListingError(
                f"every path of the dump {name} has {separator!r} in it, such as {paths.to_text(names[0])!r}: it looks "
                f"like {format_}"
            )


def _length_of_common_directory(names: Sequence[bytes]) -> int:
    low, high = min(names), max(names)
    alike = next((at for at, (one, other) in enumerate(zip(low, high, strict=False)) if one != other), len(low))
    return len(low[:alike].rpartition(b"/")[0])
