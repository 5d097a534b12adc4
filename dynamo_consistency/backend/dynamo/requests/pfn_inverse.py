"""Which LFNs have a given PFN: the rules of a site, read backwards.

Why: a PFN is what Dynamo deletes. An LFN that no one claims may have the PFN of one that somebody claims, by another
rule of the site, or by a rule of another site on the same storage.

Problem: a rule is a regular expression and a format, and has no inverse in general. But the format of a rule that
people write keeps most of the name, and its pattern leaves little else open. So the PFN is split into the texts of the
groups that the format has, the pattern is filled with them (see `pattern_texts`), and every LFN that comes out is
tried: only those that the chain gives just this PFN are kept. One that comes out too often costs a try; none may be
lost. Where there is no end of them, `CannotInvertError` says so, and nobody may say then that no other file has the
PFN.

PFNs are compared by their paths, repeated slashes folded: one storage has several doors and protocols.

Rejected: trying out changes of the LFN, which finds some of the files with the same PFN and misses others; and the PFNs
of all files that a site claims, which takes hours for each call.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from dynamo_consistency import paths
from dynamo_consistency.backend.dynamo.requests.pattern_texts import PatternTexts, TooManyError, fold
from dynamo_consistency.backend.dynamo.requests.pfn import PfnRule, RulePart, through
from dynamo_consistency.backend.dynamo.requests.unsafe_paths import RefusedError

MOST_SPLITS = 500

_HEAD = re.compile(
    rb"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/@?]*@)?(?P<host>\[[^]/]*\]|[^/:?]*)(?::[0-9]*)?(?:[^?]*\?(?:[^?]*&)?SFN=)?"
)
"""What stands before the path in a URL: scheme, door, and the manager of an SRM."""

_QUERY = re.compile(rb"[?#].*", re.DOTALL)
"""What follows the path in a URL; LFNs that are asked for have nothing of the kind."""

_ROUNDABOUT = re.compile(rb"%|/\.{1,2}(?:/|\{|$)")
"""A format that spells its paths in more ways than one."""


class CannotInvertError(Exception):
    """A rule may give the PFN to more names than can be listed."""


class Place(NamedTuple):
    """Where a PFN is: the host of its door, empty where it names none, and its path."""

    host: str
    path: bytes


def place(url: bytes) -> Place:
    """Host and path of a PFN, whatever its protocol."""
    head = _HEAD.match(url)
    host = head["host"].decode("latin-1") if head else ""
    path = url[head.end() if head else 0 :]
    return Place(host, paths.normalise(b"/" + (_QUERY.sub(b"", path) if head else path)))


def host_of(links: Sequence[PfnRule]) -> str:
    """The host of the door that the PFNs of a chain name; empty where they name none."""
    heads = [head for rule in links for literal, _ in rule.parts if (head := _HEAD.match(literal))]
    return heads[-1]["host"].decode("latin-1") if heads else ""


def path_rules(patterns: Sequence[tuple[bytes, bytes]]) -> tuple[tuple[bytes, bytes], ...]:
    """Patterns and formats of a chain without the door: chains that have these in common have one inverse."""
    *first, (pattern, form) = patterns
    return *first, (pattern, _HEAD.sub(b"://", form, count=1))


def are_roundabout(forms: Sequence[bytes]) -> bool:
    """Do the formats of a chain write paths with escapes, or through `.` or `..`, or hand on a query?

    A comparison of bytes proves nothing then.
    """
    handed_on = any(_QUERY.search(_HEAD.sub(b"", form, count=1)) for form in forms[:-1])
    return handed_on or any(map(_ROUNDABOUT.search, forms))


class InverseChain:
    """A chain of rules of one site. Raises RefusedError for a pattern that cannot be read."""

    def __init__(self, links: Sequence[PfnRule]) -> None:
        self._links = links
        self._inverses = [_InverseRule(rule, is_last=rule is links[-1]) for rule in links]
        heads = [head for rule in links for literal, _ in rule.parts if (head := _HEAD.match(literal))]
        self._heads = [] if _HEAD.match(links[-1].parts[0][0]) else [fold(head[0]) for head in heads]

    def lfns(self, path: bytes) -> set[bytes]:
        """Every LFN to which the chain gives a PFN with this path. Raises CannotInvertError."""
        texts = {path, *(head + path for head in self._heads)}
        for rule in reversed(self._inverses):
            texts = {made for text in texts for made in rule.texts(text)}
        return {lfn for lfn in map(fold, texts) if self._gives(lfn, path)}

    def _gives(self, lfn: bytes, path: bytes) -> bool:
        try:
            made = through(self._links, lfn)
        except RefusedError:
            return True  # Dynamo makes something of it all the same
        return made is not None and place(made).path == path


class _InverseRule:
    def __init__(self, rule: PfnRule, is_last: bool) -> None:
        self._pattern = PatternTexts(rule.pattern)
        (first, group), *rest = rule.parts
        head = _HEAD.match(first) if is_last else None
        if head:
            first = b"/" + first[head.end() :]
        parts = [(first, group), *rest]
        self._parts = [(fold(literal), number) for literal, number in (_without_query(parts) if head else parts)]

    def texts(self, output: bytes) -> set[bytes]:
        """Every text of which the rule may make `output`, a path or what another rule takes."""
        found: set[bytes] = set()
        # A format without a head makes a path as well, with or without its first slash.
        outputs = {output, output.removeprefix(b"/")}
        start = self._parts[0][0]
        splits = (split for text in outputs if text.startswith(start) for split in _splits(text, 0, self._parts, {}))
        for number, groups in enumerate(islice(splits, MOST_SPLITS + 1)):
            if number == MOST_SPLITS or not self._pattern.takes_all:
                raise CannotInvertError
            try:
                found |= self._pattern.texts(groups)
            except TooManyError:
                raise CannotInvertError from None
        return found


def _without_query(parts: Sequence[RulePart]) -> list[RulePart]:
    """The parts of a URL's path; in a query, no text of a group says where a file is."""
    kept: list[RulePart] = []
    for literal, number in parts:
        if query := _QUERY.search(literal):
            return [*kept, (literal[: query.start()], None)]
        kept.append((literal, number))
    return kept


def _splits(
    text: bytes, start: int, parts: Sequence[RulePart], groups: Mapping[int, bytes]
) -> Iterator[Mapping[int, bytes]]:
    """All texts of the groups, numbered from 1, with which the parts make `text` from `start` on, slashes folded."""
    if not parts:
        if start == len(text):
            yield groups
        return
    (literal, number), *rest = parts
    if not text.startswith(literal, start):
        return
    start += len(literal)
    if number is None:
        yield from _splits(text, start, rest, groups)
        return
    for end in range(start, len(text) + 1) if rest else [len(text)]:
        for value in _unfolded(text, start, end):
            if groups.get(number + 1, value) == value:
                yield from _splits(text, end, rest, {**groups, number + 1: value})


def _unfolded(text: bytes, start: int, end: int) -> set[bytes]:
    """What may have become text[start:end] when slashes at its ends were folded with those beside it."""
    value = text[start:end]
    befores = {b"", b"/"} if text[:start].endswith(b"/") else {b""}
    afters = {b"", b"/"} if text[end : end + 1] == b"/" else {b""}
    return {fold(before + value + after) for before in befores for after in afters}
