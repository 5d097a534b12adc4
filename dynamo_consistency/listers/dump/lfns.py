"""Paths of a dump as LFNs."""

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency import paths
from dynamo_consistency.columns import has_odd_names
from dynamo_consistency.listers.dump.values import Values, texts

_NO_NAME = r"/\.\.?(/|$)"  # a component that is no name
_HERE = r"^(\./+)+"


def is_relative(column: pa.Array) -> bool:
    """Are the paths written without the leading slash? The first one decides; all others must be alike."""
    first = texts(column)[:1].to_pylist()
    return bool(first) and not (first[0] or b"/").startswith(b"/")


def lfns(column: pa.Array, prefix: str = "", relative: bool = False) -> Values:
    """The LFNs of the paths that start with `prefix`, which is cut off at a component boundary."""
    written = raw = pc.fill_null(texts(column), b"")
    if relative:
        raw = pc.replace_substring_regex(raw, _HERE, "")  # as `find .` prints
        raw = pc.binary_join_element_wise(b"", raw, b"/")
    odd = has_odd_names(raw)
    while odd and pc.any(pc.match_substring(raw, b"//")).as_py():
        raw = pc.replace_substring(raw, b"//", b"/")
    before = paths.to_bytes(prefix)
    ok = pc.and_(pc.starts_with(raw, before + b"/"), pc.invert(pc.ends_with(raw, b"/")))
    if relative:
        ok = pc.and_(ok, pc.invert(pc.starts_with(written, b"/")))
    if odd:
        ok = pc.and_(ok, pc.invert(pc.match_substring_regex(raw, _NO_NAME)))
    # only where ok, the first occurrence is the one at the start (binary_slice fails on some arrays: arrow 26)
    return Values(pc.replace_substring(raw, before, b"", max_replacements=1) if before else raw, ok)
