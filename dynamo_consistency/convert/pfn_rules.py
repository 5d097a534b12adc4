"""The rules of a volume in storage.json: from LFNs to PFNs, perhaps by way of another protocol of the volume."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dynamo_consistency import paths
from dynamo_consistency.path_rules import PathRule, PathRules, path_rule

_DOOR = re.compile(r"(?P<door>[a-z]+://[^/?]*)(?P<path>/.*)?", re.DOTALL)
_SRM_MANAGER = re.compile(r"^[^?]*\?SFN=")
_BEGINNING = re.compile(r"\^?((?:[^\\.*+?^$()\[\]{}|/]|/\+?|\\[^A-Za-z0-9])*)")


class NoRuleError(Exception):
    """The rules of a protocol cannot be said in a check; with the reason."""


class PfnRule(NamedTuple):
    """A directory tree of LFNs, and door and directory where it is. `door`: empty for a bare path."""

    tree: PathRule
    door: str

    @property
    def lfn(self) -> bytes:
        """Where the tree begins."""
        return self.tree.lfn


class Unread(NamedTuple):
    """A rule that is no tree to a tree, of LFNs that begin with `lfn`."""

    lfn: bytes
    pattern: str


Rule = PfnRule | Unread


def rules_for(volume: Mapping[str, Any], protocol: Mapping[str, Any], trees: Iterable[bytes]) -> list[PfnRule]:
    """The rules of a protocol that say where some of the trees are, or a part of them, in their order.

    Raises NoRuleError where they cannot be read, and ValueError where any two give one path to two LFNs.
    """
    reached: list[PfnRule] = []
    for rule in _of_protocol(volume, protocol):
        if paths.is_in(rule.lfn, [before.lfn for before in reached]):
            continue
        if isinstance(rule, PfnRule):
            reached.append(rule)
        elif any(paths.overlap(rule.lfn, tree) for tree in trees):
            raise NoRuleError(f"the rule {rule.pattern!r} cannot be read backwards")
    PathRules(rule.tree for rule in reached)
    return [rule for rule in reached if any(paths.overlap(rule.lfn, tree) for tree in trees)]


def _of_protocol(volume: Mapping[str, Any], protocol: Mapping[str, Any], depth: int = 0) -> list[Rule]:
    """The rules of a protocol, in their order, with those of which it makes use by `chain`. Raises NoRuleError."""
    if depth > len(volume.get("protocols", ())):
        raise NoRuleError("its chain leads to itself")
    prefix, rules = protocol.get("prefix"), protocol.get("rules")
    if isinstance(prefix, str):
        return [_of_prefix(prefix)]
    found: list[Rule] = []
    for rule in rules if isinstance(rules, list) else []:
        if not (isinstance(rule, Mapping) and isinstance(rule.get("lfn"), str) and isinstance(rule.get("pfn"), str)):
            raise NoRuleError(f"{rule!r} is no rule")
        outer = _of_rule(rule["lfn"], rule["pfn"])
        chain = rule.get("chain")
        found += [outer] if chain is None else _chained(_named(volume, chain, depth), outer)
    return found


def _named(volume: Mapping[str, Any], name: Any, depth: int) -> list[Rule]:
    for each in volume.get("protocols", ()):
        if isinstance(each, Mapping) and each.get("protocol") == name:
            return _of_protocol(volume, each, depth + 1)
    raise NoRuleError(f"its chain names {name!r}, which is no protocol of the volume")


def _of_prefix(prefix: str) -> PfnRule:
    door, path = _split(prefix)
    return PfnRule(PathRule(b"/", paths.normalise(paths.to_bytes(f"/{path}"))), door)


def _of_rule(pattern: str, pfn: str) -> Rule:
    door, path = _split(pfn)
    try:
        return PfnRule(path_rule(pattern, path), door)
    except ValueError:
        beginning = _BEGINNING.match(pattern)
        literal = re.sub(r"\\(.)", r"\1", beginning[1].replace("/+", "/")) if beginning else ""
        directory = literal.rpartition("/")[0] if beginning else ""
        return Unread(paths.normalise(paths.to_bytes(f"/{directory}")), pattern)


def _split(pfn: str) -> tuple[str, str]:
    """(door, path)"""
    match = _DOOR.fullmatch(pfn)
    if match is None:
        return "", pfn
    return match["door"], _SRM_MANAGER.sub("", match["path"] or "") or "/"


def _chained(inner: list[Rule], outer: Rule) -> list[Rule]:
    """What `outer` makes of what the inner rules have made."""
    found: list[Rule] = []
    for number, rule in enumerate(inner):
        if isinstance(rule, Unread):
            found.append(rule)
        elif isinstance(outer, Unread):
            found.append(Unread(rule.tree.lfn, outer.pattern))
        elif paths.is_in(rule.tree.path, [outer.tree.lfn]):
            found.append(PfnRule(PathRule(rule.tree.lfn, outer.tree.place(rule.tree.path)), outer.door))
        else:
            found += _partly_chained(rule, outer, inner[number + 1 :])
    return found


def _partly_chained(rule: PfnRule, outer: PfnRule, later: list[Rule]) -> list[Rule]:
    """What `outer` makes of a part of what `rule` has made; nothing can be said of names that later rules take, too."""
    found: list[Rule] = []
    if paths.is_in(outer.tree.lfn, [rule.tree.path]):
        found.append(PfnRule(PathRule(rule.tree.lfn_of(outer.tree.lfn), outer.tree.path), outer.door))
    taken_too = any(paths.overlap(each.lfn, rule.lfn) for each in later)
    return [*found, Unread(rule.tree.lfn, f"{paths.to_text(outer.tree.lfn)}/(.*)")] if taken_too else found
