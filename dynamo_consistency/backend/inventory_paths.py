"""The paths of an inventory: which of them say where a file is, and what they are as identities (rules 1 and 14)."""

import re

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency import paths
from dynamo_consistency.columns import has_odd_names, has_only, joined

_BLANKS = ["\0", *"\t\n\v\f\r\x1c\x1d\x1e\x1f ", "\x85", "\xa0", "\u1680", *map(chr, range(0x2000, 0x200E))]
_BLANKS += ["\u2028", "\u2029", "\u202f", "\u205f", "\u2060", "\u3000", "\ufeff"]
"""Blanks, line ends, and signs without any width: one name with and one without them look alike."""
_BLANK = "|".join("".join(f"\\x{byte:02x}" for byte in blank.encode()) for blank in _BLANKS)
_SUSPICIOUS = {blank.encode()[:2] for blank in _BLANKS}
_USUAL = b"!", b"~"
_HIDDEN = re.compile(rb"/[.]")  # a class is looked for faster than two signs
_LEADS_NOWHERE = rf"^[^/]|^$|/\.\.?(/|$)|/({_BLANK})|({_BLANK})(/|$)"


def are_usual(column: pa.Array) -> bool:
    """Is each path one that `placed` and `normalised` leave as it is, of signs that are seen alone?

    Nearly all batches have no others, and that is seen much faster than what the others have.
    """
    if column.null_count:
        return False
    return (
        has_only(column, *_USUAL)
        and not has_odd_names(column)
        and not pc.any(pc.ends_with(column[-1:], b"/")).as_py()  # of another one it would be double
        and bool(pc.all(pc.starts_with(column, b"/")).as_py())
    )


def identified(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows that say where their file is, each with the identity of the file as its path."""
    return batch if are_usual(batch["path"]) else normalised(placed(batch))


def placed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows that say where their file is: by an absolute path, no `.` or `..`, no blank around a name (rule 14)."""
    if batch["path"].null_count:
        batch = batch.filter(pc.is_valid(batch["path"]))
    column = batch["path"]
    text = joined(column)
    unusual = not has_only(column, *_USUAL)
    suspicious = _HIDDEN.search(text) or (unusual and any(blank in text for blank in _SUSPICIOUS))
    if not suspicious and pc.all(pc.starts_with(column, b"/")).as_py():
        return batch
    return batch.filter(pc.invert(pc.match_substring_regex(column, _LEADS_NOWHERE)))


def normalised(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with the identity of each file as its path."""
    column = batch["path"]
    odd = pc.or_(pc.match_substring(column, b"//"), pc.ends_with(column, b"/"))
    if not pc.any(odd).as_py():
        return batch
    paths_ = pa.array([paths.normalise(path) for path in column.to_pylist()], pa.binary())
    return batch.set_column(batch.schema.get_field_index("path"), batch.schema.field("path"), paths_)
