"""LFNs of the paths of a dump, by the rules of its source."""

from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency.path_rules import PathRule, PathRules


def lfns_by_rules(paths: pa.Array, rules: PathRules) -> pa.Array:
    """The one LFN that is at each path; null where there is none."""
    none = pa.nulls(len(paths), paths.type)
    trees = rules.trees()
    each = (_of_rule(paths, rule, [tree.lfn for tree in trees[:place]]) for place, rule in enumerate(trees))
    return reduce(pc.coalesce, each, none)


def _of_rule(paths: pa.Array, rule: PathRule, before: list[bytes]) -> pa.Array:
    """`before`: the trees of LFNs of the rules before this one."""
    start, lfn = rule.path.rstrip(b"/"), rule.lfn.rstrip(b"/")
    below = pc.starts_with(paths, start + b"/")
    # where it is below, the first occurrence is the one at the start (binary_slice fails on some arrays: arrow 26)
    rest = pc.replace_substring(paths, start, b"", max_replacements=1) if start else paths
    made = pc.binary_join_element_wise(pa.scalar(lfn, paths.type), rest, pa.scalar(b"", paths.type))
    # What an earlier rule takes elsewhere is not here, whatever lies at the path.
    taken = [pc.or_(pc.equal(made, tree), pc.starts_with(made, tree.rstrip(b"/") + b"/")) for tree in before]
    return pc.if_else(pc.and_(below, pc.invert(reduce(pc.or_, taken, pa.repeat(False, len(paths))))), made, None)
