"""LFNs of the paths of a dump, by the rules of its source."""

from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency.path_rules import PathRule, PathRules


def lfns_by_rules(paths: pa.Array, rules: PathRules) -> pa.Array:
    """The one LFN that is at each path; null where there is none."""
    none = pa.nulls(len(paths), paths.type)
    return reduce(lambda found, rule: pc.coalesce(found, _of_rule(paths, rule, rules)), rules.trees(), none)


def _of_rule(paths: pa.Array, rule: PathRule, rules: PathRules) -> pa.Array:
    start, lfn = rule.path.rstrip(b"/"), rule.lfn.rstrip(b"/")
    below = pc.starts_with(paths, start + b"/")
    # where it is below, the first occurrence is the one at the start (binary_slice fails on some arrays: arrow 26)
    rest = pc.replace_substring(paths, start, b"", max_replacements=1) if start else paths
    made = pc.binary_join_element_wise(pa.scalar(lfn, paths.type), rest, pa.scalar(b"", paths.type))
    # What an earlier rule takes elsewhere is not here, whatever lies at the path.
    before = [tree.lfn for tree in rules.trees()[: rules.trees().index(rule)]]
    taken = [pc.or_(pc.equal(made, tree), pc.starts_with(made, tree.rstrip(b"/") + b"/")) for tree in before]
    return pc.if_else(pc.and_(below, pc.invert(reduce(pc.or_, taken, pa.repeat(False, len(paths))))), made, None)
