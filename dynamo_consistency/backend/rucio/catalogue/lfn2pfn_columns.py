"""Paths of whole columns of files, by the algorithms of `lfn2pfn` that make one of scope and name: the same, faster."""

from array import array

import pyarrow as pa
import pyarrow.compute as pc

try:
    # Python's own, which hashlib has where OpenSSL has none; OpenSSL's takes 0.15 µs longer to begin.
    from _md5 import md5  # type: ignore[import-not-found]
except ImportError:
    from hashlib import md5

_SHOWN = 2
"""Bytes of the MD5 that are in a path, each as a directory."""

_LONGEST = 2**30
"""Characters of a name: Arrow 26 cannot cut what begins at a place without being told where it ends."""


def hash_paths(scopes: pa.StringArray, folders: pa.StringArray, names: pa.StringArray) -> pa.StringArray:
    """As HashAlgorithm has them, but for slashes that are one; `folders` are what the scopes are in a path."""
    dids = pc.binary_join_element_wise(scopes, names, ":").cast(pa.binary()).to_pylist()
    shown = b"".join([md5(did, usedforsecurity=False).digest()[:_SHOWN] for did in dids]).hex("/").encode() + b"/"
    each = len("12/") * _SHOWN
    ends = array("i", range(0, len(dids) * each + 1, each))
    directories = pa.Array.from_buffers(pa.string(), len(dids), [None, pa.py_buffer(ends), pa.py_buffer(shown)])
    return pc.binary_join_element_wise("/", folders, "/", directories, _without_slash(names), "")


def identity_paths(_scopes: pa.StringArray, folders: pa.StringArray, names: pa.StringArray) -> pa.StringArray:
    """As IdentityAlgorithm has them, but for slashes that are one."""
    return pc.binary_join_element_wise("", folders, _without_slash(names), "/")


def _without_slash(names: pa.StringArray) -> pa.StringArray:
    """Where all begin with one, as LFNs do: to leave it away is faster than to fold two later."""
    if not pc.all(pc.starts_with(names, "/")).as_py():
        return names
    return pc.binary_slice(names.cast(pa.binary()), 1, _LONGEST).cast(pa.string())
