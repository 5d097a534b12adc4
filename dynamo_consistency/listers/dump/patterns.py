"""Lists whose lines fit a pattern: of a program, or given by `line`."""

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump.cells import Cells
from dynamo_consistency.listers.dump.columns import Layout
from dynamo_consistency.listers.dump.lines import entry_batches, trimmed
from dynamo_consistency.listers.dump.ready_made import ReadyMade

_FRAME = r"^(BEGIN|END)([ \t]|$)"
_ROW_COUNT = re.compile(rb"[ \t]*\(([0-9]+) rows?\)[ \t\r]*")


def pattern_lines(layout: Layout) -> Iterator[Cells]:
    """The groups of the pattern as columns; a line that it does not fit from end to end is unread.

    Raises ListingError where what stands around the entries shows that they are not all there.
    """
    look = layout.pattern
    assert look is not None  # noqa: S101 (formats.py sends here what has one)
    pattern = ""
    around = _Around(look, layout.name)
    for batch in entry_batches(layout):
        lines = around.entries(batch)
        if len(lines):
            pattern = pattern or _fitting(look, lines[0].as_py())
            yield _cells(lines, pattern, look, trim=layout.trim)
    around.refuse_if_cut()


def _fitting(look: ReadyMade, line: bytes) -> str:
    """The first of the patterns that fits a line, or the first of all."""
    return next((p for p in look.patterns if re.fullmatch(p.encode(), line)), look.patterns[0])


def _cells(lines: pa.Array, pattern: str, look: ReadyMade, *, trim: bool) -> Cells:
    fields = pc.extract_regex(lines, f"^(?:{pattern})$")
    fits = pc.is_valid(fields)
    if look.once:
        fits = pc.and_(fits, pc.less_equal(pc.count_substring_regex(lines, look.once), 1))
    unread = lines.filter(pc.invert(fits)).to_pylist()
    fields = fields.filter(fits) if unread else fields
    groups = [field.name for field in fields.type]
    columns = {group: pc.struct_field(fields, group) for group in groups}
    return Cells({group: trimmed(column) if trim else column for group, column in columns.items()}, unread)


class _Around:
    """What stands around the entries: BEGIN and END, a header, a number of rows."""

    def __init__(self, look: ReadyMade, name: str) -> None:
        self._look = look
        self._name = name
        self._count = 0
        self._announced: int | None = None
        self._begun = self._ended = False

    def entries(self, lines: pa.Array) -> pa.Array:
        """The lines of a batch that are entries."""
        if self._look.framed is not None:
            lines = self._within_frame(lines)
        if self._look.no_entries is not None:
            odd = pc.match_substring_regex(lines, self._look.no_entries)
            for line in lines.filter(odd).to_pylist():
                if match := _ROW_COUNT.fullmatch(line):
                    self._announced = int(match[1])
            lines = lines.filter(pc.invert(odd))
        self._count += len(lines)
        return lines

    def _within_frame(self, lines: pa.Array) -> pa.Array:
        is_frame = pc.match_substring_regex(lines, _FRAME)
        first_is_frame, last_is_frame = is_frame[0].as_py(), is_frame[-1].as_py()
        frames = [line[:3] for line in lines.filter(is_frame).to_pylist()]
        begins = bool(frames) and first_is_frame and frames[0] == b"BEG" and not self._count and not self._begun
        ends = bool(frames) and last_is_frame and frames[-1] == b"END"
        if self._ended or len(frames) != begins + ends:
            raise ListingError(f"the dump {self._name} has a BEGIN or END line between its entries; give one dump only")
        self._begun, self._ended = self._begun or begins, ends
        return lines.filter(pc.invert(is_frame)) if frames else lines

    def refuse_if_cut(self) -> None:
        wanted = self._look.framed or self._begun
        if wanted and not (self._begun and self._ended):
            lacks = "END" if self._begun else "BEGIN"
            raise ListingError(f"the dump {self._name} has no {lacks} line: it was cut short, or is in another format")
        if self._announced is not None and self._announced != self._count:
            raise ListingError(
                f"the dump {self._name} announces {self._announced} rows and has {self._count}: it was cut short"
            )
