"""Rules from LFN to path at a site, as CMS' storage.json and Dynamo's chains have them, and back.

A rule takes a directory tree of LFNs to a directory tree of the site: `/+store/temp/(.*)` to `/scratch/$1`. The first
rule that matches decides. More than that a regular expression could say, but then nobody knows which LFNs a path may
have, and a file that is claimed by another name would look like an orphan. So other patterns are refused, and so are
rules that give one path to two LFNs.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dynamo_consistency.paths import is_below, is_in, join, normalise, to_bytes, to_text

_PLAIN = r"(?:[^\\.*+?^$()\[\]{}|]|/\+|\\[^A-Za-z0-9])*"
_PATTERN = re.compile(rf"\^?(?P<before>{_PLAIN})\((?P<inside>{_PLAIN})\.[*+]\)\$?", re.DOTALL)
_FORMAT = re.compile(r"(?P<before>[^$\\{}]*)(?:\$1|\$\{1\}|\\1|\{0\})")


class PathRule(NamedTuple):
    """A directory of LFNs and where it is at the site, both absolute and normalised; all below goes with it."""

    lfn: bytes
    path: bytes

    def place(self, lfn: bytes) -> bytes:
        """Where `lfn` is, which is the directory or below it."""
        return _moved(lfn, self.lfn, self.path)

    def lfn_of(self, path: bytes) -> bytes:
        """The LFN that the rule would give this path, which is the directory's or below it."""
        return _moved(path, self.path, self.lfn)


def path_rule(pattern: str, form: str) -> PathRule:
    """The rule of a pattern for LFNs and a format for paths. Raises ValueError for what is no tree to a tree."""
    match, result = _PATTERN.fullmatch(pattern), _FORMAT.fullmatch(form)
    if match is None:
        raise ValueError(
            f"the pattern {pattern!r} cannot be read backwards: write a beginning and one (.*) at its end, such as "
            r"/+store/(.*), and \. for a dot"
        )
    if result is None:
        raise ValueError(f"the path {form!r} must end with $1, such as /pnfs/site/store/$1")
    inside = _literal(match["inside"])
    lfn, path = _literal(match["before"]) + inside, result["before"] + inside
    if lfn == "":
        lfn, path = "/", f"{path}/"
    if not (lfn.startswith("/") and lfn.endswith("/") and path.startswith("/") and path.endswith("/")):
        raise ValueError(f"{pattern!r} and {form!r} must begin with / and have a / before (.*) and $1")
    if {".", ".."} & {*lfn.split("/"), *path.split("/")}:
        raise ValueError(f"{pattern!r} and {form!r} must not have . or .. as a component")
    return PathRule(normalise(to_bytes(lfn)), normalise(to_bytes(path)))


class PathRules:
    """Rules in their order."""

    def __init__(self, rules: Iterable[PathRule]) -> None:
        """Raises ValueError for a rule that is never reached, and for two that give one path to two LFNs."""
        self._rules = list(rules)
        for index, rule in enumerate(self._rules):
            if shadow := self._first(rule.lfn, self._rules[:index]):
                raise ValueError(
                    f"the rule for {to_text(rule.lfn)} is never reached: that for {to_text(shadow.lfn)} is first"
                )
        for rule in self._rules:
            for other in self._rules:
                if rule is not other:
                    self._refuse_if_ambiguous(rule, other)

    def as_patterns(self) -> list[dict[str, str]]:
        """The rules as a check writes them; `path_rule` reads them back."""
        return [{"lfn": f"{_escaped(rule.lfn)}/(.*)", "path": f"{_tree(rule.path)}/$1"} for rule in self._rules]

    def path(self, lfn: bytes) -> bytes | None:
        """Where `lfn` is; None where no rule says it."""
        rule = self._first(lfn, self._rules)
        return None if rule is None else rule.place(lfn)

    def lfn(self, path: bytes) -> bytes | None:
        """The one LFN that is at `path`; None where there is none."""
        for rule in self._rules:
            if is_in(path, [rule.path]) and self.path(lfn := rule.lfn_of(path)) == path:
                return lfn
        return None

    def trees(self) -> list[PathRule]:
        """The rules in their order."""
        return list(self._rules)

    def lfns_around(self, path: bytes) -> list[bytes]:
        """Directories of LFNs that hold what is in or below the directory `path`."""
        lfn = self.lfn(path)
        return [rule.lfn for rule in self._rules if is_below(rule.path, path)] + ([] if lfn is None else [lfn])

    def problem(self, tree: bytes, exclude: Sequence[bytes] = ()) -> str | None:
        """Why `tree`, a directory of LFNs, is not listed at one place with all that is below it; None where it is."""
        rule = self._first(tree, self._rules)
        if rule is None:
            return f"no rule says where {to_text(tree)} is"
        for other in self._rules:
            elsewhere = is_below(other.lfn, tree) and rule.place(other.lfn) != other.path
            if elsewhere and not is_in(other.lfn, exclude):
                return (
                    f"{to_text(other.lfn)} lies in {to_text(tree)} but is elsewhere at the site, where it would not be "
                    "seen: exclude it, and choose roots beside it"
                )
        return None

    @staticmethod
    def _first(lfn: bytes, rules: Iterable[PathRule]) -> PathRule | None:
        return next((rule for rule in rules if is_in(lfn, [rule.lfn])), None)

    def _refuse_if_ambiguous(self, outer: PathRule, inner: PathRule) -> None:
        """The names that `outer` would give to the paths of `inner`: does it really give them?"""
        if is_in(inner.path, [outer.path]):
            other = outer.lfn_of(inner.path)
            if self._first(other, self._rules) is outer:
                raise ValueError(
                    f"the rules give {to_text(inner.path)} to {to_text(inner.lfn)} and to {to_text(other)}: which of "
                    "them a file there is, nobody could say"
                )


def _moved(path: bytes, directory: bytes, to: bytes) -> bytes:
    rest = path if directory == b"/" else path[len(directory) :]
    return to if rest in (b"", b"/") else join(to, rest.lstrip(b"/"))


def _literal(pattern: str) -> str:
    return re.sub(r"\\(.)", r"\1", pattern.replace("/+", "/"), flags=re.DOTALL)


def _tree(directory: bytes) -> str:
    return "" if directory == b"/" else to_text(directory)


def _escaped(directory: bytes) -> str:
    return re.sub(r"([\\.*+?^$()\[\]{}|])", r"\\\1", _tree(directory))
