"""Whose the rows of an inventory dump are."""

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency.errors import BackendError

_AROUND = " \t\r\n\"'\u00a0\u200b\ufeff"
"""What may stand around the name of an RSE without being part of it."""


def refuse_if_unclear(others: pa.Array, rse: str, dump: str) -> None:
    """Raises BackendError where one of `others`, the RSEs of rows that are not `rse`'s, may be `rse` all the same.

    That is none at all, or one that is equal but for blanks, quotes and case. Its files would look like orphans.
    """
    bare = pc.utf8_lower(pc.utf8_trim(others, characters=_AROUND))
    unclear = pc.or_(pc.is_null(others), pc.is_in(bare, pa.array(["", rse.strip(_AROUND).lower()])))
    if pc.any(unclear).as_py():
        name = others.filter(unclear)[0].as_py()
        raise BackendError(
            f"a line of the inventory dump {dump} has the RSE {name or ''!r}, which may be {rse} or not: write the "
            "dump with the name of each RSE as it is"
        )
