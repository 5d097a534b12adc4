"""Paths of whole columns of files, by the algorithms of `lfn2pfn` that make one of scope and name: the same, faster."""

import hashlib

import pyarrow as pa
import pyarrow.compute as pc

_SHOWN = 4
"""Digits of the MD5 that are in a path, two and two."""


_LONGEST = 2**30
"""Characters of a name: Arrow 26 cannot cut what begins at a place without being told where it ends."""


def hash_paths(scopes: pa.StringArray, folders: pa.StringArray, names: pa.StringArray) -> pa.StringArray:
    """As HashAlgorithm has them, but for slashes that are one; `folders` are what the scopes are in a path."""
    dids = pc.binary_join_element_wise(scopes, names, ":").cast(pa.binary()).to_pylist()
    digests = pa.array([hashlib.md5(did, usedforsecurity=False).hexdigest()[:_SHOWN] for did in dids], pa.string())
    first, second = pc.utf8_slice_codeunits(digests, 0, 2), pc.utf8_slice_codeunits(digests, 2, _SHOWN)
    return pc.binary_join_element_wise("", folders, first, second, _without_slash(names), "/")


def identity_paths(_scopes: pa.StringArray, folders: pa.StringArray, names: pa.StringArray) -> pa.StringArray:
    """As IdentityAlgorithm has them, but for slashes that are one."""
    return pc.binary_join_element_wise("", folders, _without_slash(names), "/")


def _without_slash(names: pa.StringArray) -> pa.StringArray:
    """Where all begin with one, as LFNs do: to leave it away is faster than to fold two later."""
    if not pc.all(pc.starts_with(names, "/")).as_py():
        return names
    return pc.binary_slice(names.cast(pa.binary()), 1, _LONGEST).cast(pa.string())
