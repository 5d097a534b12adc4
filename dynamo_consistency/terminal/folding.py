"""Tables that fit: what has no room in a line follows in lines below it. Nothing is cut off."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

_GAP = "  "
_INDENT = "    "
_NARROWEST = 20
_NOTHING = ("", "0")

Row = Mapping[str, Text | str]
Texts = Mapping[str, Text]


class Column(NamedTuple):
    """A column. `folds`: its turn to be folded, the highest first; 0: never, it stays in the line."""

    heading: str
    folds: int = 0
    right: bool = False
    sentence: bool = False
    """Folded, its heading and a colon stand before it, and where it is that of the line above it is not repeated."""


def show_table(console: Console, columns: Mapping[str, Column], rows: Sequence[Row]) -> None:
    """On a terminal without the columns in which there is nothing, and with what does not fit below its line.

    Elsewhere each row is one line with all columns.
    """
    texts = [{key: _text(row[key]) for key in columns} for row in rows]
    shown, folded = _that_fit(console.width, columns, texts) if console.is_terminal else (list(columns), [])
    headings = {key: Text(columns[key].heading, style="bold") for key in shown}
    widths = {key: _width(key, columns, texts) for key in shown}
    before: Texts = {}
    for row in (headings, *texts):
        _print(console, Text(_GAP).join(_cell(row[key], widths[key], columns[key].right) for key in shown))
        if row is not headings and (below := _below(columns, folded, row, before)):
            _print(console, Text(wrapped(below, console.width, _INDENT, _INDENT), style="dim"))
        before = row


def _that_fit(width: int, columns: Mapping[str, Column], rows: Sequence[Texts]) -> tuple[list[str], list[str]]:
    """Keys of the columns that stay in the line, and of those that are folded."""
    shown = [key for key in columns if not columns[key].folds or any(row[key].plain not in _NOTHING for row in rows)]
    widths = {key: _width(key, columns, rows) for key in shown}
    folded: set[str] = set()
    while shown and sum(widths[key] + len(_GAP) for key in shown) - len(_GAP) > width:
        widest = max(shown, key=lambda key: columns[key].folds)
        if not columns[widest].folds:
            break
        folded.add(widest)
        shown.remove(widest)
    return shown, [key for key in columns if key in folded]


def _below(columns: Mapping[str, Column], folded: Sequence[str], row: Texts, before: Texts) -> str:
    parts = []
    for key in (key for key in folded if row[key].plain not in _NOTHING):
        column, said = columns[key], row[key].plain
        if column.sentence:
            again = key in before and before[key].plain == said
            parts.append(f"{column.heading}: {'as above' if again else said}")
        else:
            parts.append(f"{column.heading} {said}")
    return "; ".join(parts)


def wrapped(text: str, width: int, first: str = "", further: str = "") -> str:
    """`text` in lines of `width`, broken between words; a word that is longer, such as a path, stays whole."""
    return textwrap.fill(
        text,
        max(width, _NARROWEST),
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _text(cell: Text | str) -> Text:
    return cell if isinstance(cell, Text) else Text(cell)


def _width(key: str, columns: Mapping[str, Column], rows: Sequence[Texts]) -> int:
    return max([len(columns[key].heading), *(row[key].cell_len for row in rows)])


def _cell(text: Text, width: int, right: bool) -> Text:
    blanks = Text(" " * (width - text.cell_len))
    return blanks + text if right else text + blanks


def _print(console: Console, line: Text) -> None:
    line.rstrip()
    console.print(line, soft_wrap=True)
