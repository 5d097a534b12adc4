"""Where Rucio puts a file on a deterministic RSE: a path below the RSE's prefix, made of scope and name.

Why: the catalogue stores no path for a file on a deterministic RSE. It knows scope and name, a listing knows paths,
and the comparison needs the paths of both.

Problem: forwards (`path`) is a function, backwards (`dids`) is not. The dots of a user's or group's scope become
slashes (`user/a/b` begins the paths of `user.a.b`, and of names `b/…` in `user.a`), `//` is folded, and the CMS
algorithm drops the scope. Backwards is needed all the same: to look up single files by path before a request, and to
hand an unregistered file to the dark reaper under the DID by which it is spared if it is ever registered. So an
algorithm guesses every DID that may have a path, and `Translation.dids` keeps those whose path, computed forwards, is
the path that was asked for. A guess too many costs a look-up; one too few makes a known file look unknown.

Rejected: asking the server for each path, which at 20 names a query is half a million calls for 10⁷ files (a sample is
compared instead, see `lfn2pfn_check`); Rucio's own code, which needs the configuration of a server and only computes
forwards; and an index of all computed paths of an RSE, whose memory grows with the inventory.

An algorithm is an object with `path(scope, name) -> str` and `dids(path)`; a site may plug in its own.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import accumulate
from typing import NamedTuple, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency import paths
from dynamo_consistency.backend.rucio.catalogue.lfn2pfn_columns import hash_paths, identity_paths
from dynamo_consistency.backend.rucio.options import VoScopes
from dynamo_consistency.columns import joined
from dynamo_consistency.errors import BackendError, ConfigurationError

_DOUBLE = re.compile(rb"/[/]")  # in all at once, and a class, are looked for much faster than two signs in each


_AT_ONCE = 2000
"""Files whose names are objects of Python at a time: their memory is used again."""


class Did(NamedTuple):
    """What Rucio calls a file."""

    scope: str
    name: str


def path_of(text: str) -> bytes:
    """A path below the prefix of an RSE, as the engine knows the file: with one `/` in front, and none twice."""
    return paths.normalise(paths.to_bytes(text if text.startswith("/") else f"/{text}"))


def paths_of(texts: pa.StringArray) -> pa.BinaryArray:
    """The same of many paths; null stays null."""
    paths_ = texts.cast(pa.binary())
    absolute = pc.starts_with(paths_, b"/")
    if not pc.all(absolute).as_py():
        paths_ = pc.if_else(absolute, paths_, pc.binary_join_element_wise(b"/", paths_, b""))
    while _DOUBLE.search(joined(paths_)) and pc.any(pc.match_substring(paths_, b"//")).as_py():
        paths_ = pc.replace_substring(paths_, b"//", b"/")
    if pc.any(pc.ends_with(paths_, b"/")).as_py():
        return pa.array([None if path is None else paths.normalise(path) for path in paths_.to_pylist()], pa.binary())
    return paths_


class Algorithm(Protocol):
    """A plug-in: `lfn2pfn: module:attribute` names one, or a class without arguments."""

    def path(self, scope: str, name: str) -> str:
        """The path relative to the prefix of the RSE; a `/` in front makes no difference."""
        ...

    def dids(self, path: str) -> Iterable[tuple[str, str]]:
        """Every (scope, name) that might have this path, which has no `/` in front."""
        ...


def _folder(scope: str) -> str:
    return scope.replace(".", "/") if scope.startswith(("user", "group")) else scope


class HashAlgorithm:
    """Rucio's default: two levels of directories from the MD5 of the DID."""

    def path(self, scope: str, name: str) -> str:
        digest = hashlib.md5(f"{scope}:{name}".encode(), usedforsecurity=False).hexdigest()
        return f"{_folder(scope)}/{digest[:2]}/{digest[2:4]}/{name}"

    def dids(self, path: str) -> Iterator[tuple[str, str]]:
        for scope, rest in _scopes(path):
            *_, name = rest.split("/", 2)
            yield scope, name
            yield scope, f"/{name}"


class IdentityAlgorithm:
    """The scope, then the name."""

    def path(self, scope: str, name: str) -> str:
        return f"{_folder(scope)}/{name}"

    def dids(self, path: str) -> Iterator[tuple[str, str]]:
        """More than one below user and group: `user/a/b/f` may be `user:a/b/f`, `user.a:b/f` or `user.a.b:f`.

        A `/` in front of the name is folded in the path, so that the name may have one.
        """
        for scope, name in _scopes(path):
            yield scope, name
            yield scope, f"/{name}"


class CmsAlgorithm:
    """The name is the LFN. The scope is nowhere in the path: `cms`, but for what people and groups own."""

    _owned = re.compile(r"/store/(?P<kind>user|group)/(?:rucio/)?(?P<owner>[^/]+)/")

    def path(self, scope: str, name: str) -> str:
        return name

    def dids(self, path: str) -> Iterator[tuple[str, str]]:
        owned = self._owned.match(f"/{path}")
        for scope in ["cms", *([f"{owned['kind']}.{owned['owner']}"] if owned else [])]:
            yield scope, f"/{path}"
            yield scope, path


def _scopes(path: str) -> Iterator[tuple[str, str]]:
    """Every scope that the first directories of the path may mean, and what is left of the path."""
    first, *others = path.split("/")
    most = len(others) if first.startswith(("user", "group")) else 1
    for scope in accumulate(others[: most - 1], lambda start, part: f"{start}.{part}", initial=first):
        yield scope, path[len(scope) + 1 :]


_OWN: dict[str, type[Algorithm]] = {
    "hash": HashAlgorithm,
    "identity": IdentityAlgorithm,
    "cms": CmsAlgorithm,
    "cmstfc": CmsAlgorithm,
}


_OF_COLUMNS = {HashAlgorithm: hash_paths, IdentityAlgorithm: identity_paths}


def named(name: str) -> Algorithm:
    """The algorithm hash, identity, cms (cmstfc) or module:attribute. Raises ConfigurationError when there is none."""
    if name in _OWN:
        return _OWN[name]()
    module, _, attribute = name.partition(":")
    try:
        found = getattr(import_module(module), attribute)
        plugin = found() if isinstance(found, type) else found
    except Exception as error:  # importing runs foreign code
        raise ConfigurationError(f"lfn2pfn: {name} cannot be imported: {error}") from error
    if not callable(getattr(plugin, "path", None)) or not callable(getattr(plugin, "dids", None)):
        raise ConfigurationError(f"lfn2pfn: {name} lacks path(scope, name) or dids(path)")
    return plugin  # type: ignore[no-any-return]  # foreign code


class Translation:
    """Paths as the engine knows files: `/` + the path below the prefix, in bytes, `//` folded."""

    def __init__(self, algorithm: Algorithm, scope: str | None = None, scopes: VoScopes = VoScopes()) -> None:  # noqa: B008 (it cannot change)
        """`scope`: the configured one, in which a file may be whose path gives no scope. DIDs are the catalogue's."""
        self._algorithm = algorithm
        self._scope = scope
        self._scopes = scopes

    def path(self, scope: str, name: str) -> bytes:
        """Raises BackendError for what a plug-in raises."""
        try:
            return path_of(self._algorithm.path(self._scopes.outside(scope), name))
        except Exception as error:
            raise BackendError(f"lfn2pfn has no path for {scope}:{name}: {error}") from error

    def paths(self, scopes: pa.StringArray, names: pa.StringArray) -> pa.BinaryArray:
        """`path` of many files."""
        if isinstance(self._algorithm, CmsAlgorithm):
            return paths_of(names)
        some = [slice(first, first + _AT_ONCE) for first in range(0, len(names), _AT_ONCE)]
        return pa.concat_arrays([pa.array([], pa.binary()), *(self._few_paths(scopes[at], names[at]) for at in some)])

    def _few_paths(self, scopes: pa.StringArray, names: pa.StringArray) -> pa.BinaryArray:
        if type(self._algorithm) in _OF_COLUMNS and not names.null_count:
            return paths_of(self._of_columns(scopes, names))
        each_scope, each_name = scopes.to_pylist(), names.to_pylist()
        outside = {scope: self._scopes.outside(scope) for scope in set(each_scope)}
        path = self._algorithm.path
        try:
            texts = [path(outside[scope], name) for scope, name in zip(each_scope, each_name, strict=True)]
            return paths_of(pa.array(texts, pa.string()))
        except Exception as error:  # of a plug-in; which file it was is found again
            for did in zip(each_scope, each_name, strict=True):
                self.path(*did)
            raise BackendError(f"lfn2pfn fails: {error}") from error

    def _of_columns(self, scopes: pa.StringArray, names: pa.StringArray) -> pa.StringArray:
        found = scopes.dictionary_encode()
        outside = [self._scopes.outside(scope) for scope in found.dictionary.to_pylist()]
        folders = [_folder(scope) for scope in outside]
        scopes, folders_ = (pa.array(some, pa.string()).take(found.indices) for some in (outside, folders))
        return _OF_COLUMNS[type(self._algorithm)](scopes, folders_, names)

    def dids(self, path: bytes) -> list[Did]:
        """Every DID whose path this is, as far as the algorithm knows, likeliest first; none if it is not UTF-8.

        Raises BackendError for what a plug-in raises.
        """
        try:
            text = path.decode("utf-8").lstrip("/")
            guesses = list(self._algorithm.dids(text))
        except UnicodeDecodeError:
            return []
        except Exception as error:
            raise BackendError(f"lfn2pfn fails on {paths.visible(path)}: {error}") from error
        if self._scope is not None:
            guesses += [(self._scope, name) for _, name in guesses]
        unique = dict.fromkeys(Did(self._scopes.inside(scope), name) for scope, name in guesses if scope and name)
        return [did for did in unique if self.path(*did) == paths.normalise(path)]
