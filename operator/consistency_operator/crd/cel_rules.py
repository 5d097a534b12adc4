"""What the API server checks beyond types: CEL rules, each with the sentence that a person gets.

They say what the models of `dynamo_consistency.check` say, so that a mistake is refused when it is made and not when
it is met. What CEL cannot know (what is in the file behind a URL, whether a range of a cron line goes backwards) the
operator says in a condition.
"""

from typing import NamedTuple

from consistency_operator.crd.cron_patterns import CRON, NEVER
from consistency_operator.crd.openapi_schema import Schema
from dynamo_consistency.check import Policy, Source
from dynamo_consistency.check.doors import WEBDAV_DOOR, WEBDAV_FORMS, XROOTD_DOOR, XROOTD_FORMS
from dynamo_consistency.check.list_file import NOT_IN_LINES, WITH_COLUMNS


class CelRule(NamedTuple):
    """A CEL expression that must hold, and what is said when it does not."""

    rule: str
    message: str


_DOTS = "(^|/)[.][.]?(/|$)"


def _folded(path: str) -> str:
    """CEL for: `path` without empty components, one at a place: more would cost an API server too much."""
    return f"{path}.replace('//', '/')"


def _as_directory(path: str) -> str:
    """CEL for: the same with a slash at its end."""
    return _folded(f"({path} + '/')")


def _is_in(path: str, directory: str) -> str:
    """CEL for: `path` is `directory`, or below it."""
    return f"{_as_directory(path)}.startsWith({_as_directory(directory)})"


def _is_below(path: str, directory: str) -> str:
    return f"{_folded(path)}.startsWith({_as_directory(directory)})"


def _overlap(one: str, other: str) -> str:
    return f"({_is_in(one, other)} || {_is_in(other, one)})"


_NO_DOTS = CelRule(f"!self.matches('{_DOTS}')", "must not have . or .. as a component")
_ABSOLUTE = [CelRule("self.startsWith('/')", "must be an absolute path such as /store/mc"), _NO_DOTS]
_PREFIX = [CelRule("self == '' || self.startsWith('/')", "must be an absolute path such as /pnfs/site"), _NO_DOTS]
_RELATIVE = [CelRule("!self.startsWith('/')", "must be relative, such as logs or logs/prod"), _NO_DOTS]
_PATTERN = [
    CelRule("self.matches('[^*/]')", "names no path component: it would match everything, or nothing"),
    CelRule(
        r"!self.matches(r'[?\[{\\|]|, */|%[0-9A-Fa-f]{2}|^[!^]|[$]$|(^|/)[.][.]?(/|$)|(^|/) | (/|$)')",
        "would match nothing that it is meant for: * stands for any signs of one component, and all else for itself",
    ),
]
_CONFIRMED = [
    CelRule(
        # the API server looks at the default, an empty mapping, as well
        "!has(self.mode) || self.mode != 'Enforce' || self.confirmRuns >= 2",
        "confirmRuns must be at least 2 where mode is Enforce: the first run never acts",
    )
]
_DISJOINT_ROOTS = CelRule(
    f"self.all(r, self.exists_one(o, {_is_in('r.path', 'o.path')}))",
    "a root lies inside another, or is there twice; a file must belong to one root",
)
_EXCLUDED_BELOW_ROOTS = CelRule(
    f"self.exclude.all(e, self.roots.exists(r, {_is_below('e', 'r.path')}))",
    "an excluded directory is below none of the roots",
)
_DISJOINT_AREAS = CelRule(
    f"self.logs.additional.all(a, !{_overlap('a', 'self.path')} "
    f"&& self.logs.additional.exists_one(b, {_is_in('a', 'b')}))",
    "directories of logs overlap: every directory must be cleaned by one rule only",
)


def _beside_roots(area: str) -> str:
    return (
        f"(self.listing.roots.all(r, !{_overlap(area, 'r.path')}) "
        f"|| self.listing.exclude.exists(e, {_is_in(area, 'e')}))"
    )


_AREA_BESIDE_ROOTS = CelRule(
    f"!has(self.unmerged) || ({_beside_roots('self.unmerged.path')} "
    f"&& self.unmerged.logs.additional.all(a, {_beside_roots('a')}))",
    "unmerged overlaps with a root of listing.roots; choose other roots, or name the area in listing.exclude",
)


def _door(expression: str, forms: str) -> CelRule:
    return CelRule(f"self.trim().matches(r'^{expression}$')", forms)


_ALIKE = "columns must be all numbers, for a file without a header, or all names, for a file with one"


def _as_path(name: str) -> str:
    return f"(!has(self.{name}) || (type(self.{name}) == string) == (type(self.path) == string))"


RULES: dict[str, list[CelRule]] = {
    "": [
        CelRule(
            "self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",
            "metadata.name must be at most 40 lower case letters, digits and hyphens: names of Jobs derive from it",
        )
    ],
    "spec": [
        CelRule("!has(self.timeZone) || has(self.schedule)", "timeZone has a meaning only together with schedule"),
        _AREA_BESIDE_ROOTS,
    ],
    "spec.site": [CelRule("self == oldSelf", "site is immutable: make a check of its own for another site")],
    "spec.schedule": [
        CelRule(f"self.matches('{CRON}')", 'is no cron line; five fields such as "0 3 * * 0" are expected'),
        CelRule(f"!self.matches('{NEVER}')", "never fires: there is no such day"),
    ],
    "spec.timeZone": [
        CelRule(
            # offsets and the zone of the API server's own machine are no names
            "self.matches('^[A-Za-z]') && self != 'Local' && timestamp(0).getFullYear(self) > 0",
            "there is no such time zone; write a name such as Europe/Zurich or UTC",
        )
    ],
    "spec.listing": [_EXCLUDED_BELOW_ROOTS],
    "spec.listing.roots": [_DISJOINT_ROOTS],
    "spec.listing.roots[].path": _ABSOLUTE,
    "spec.listing.exclude[]": [
        *_ABSOLUTE,
        CelRule("!self.matches('[*?[{]')", "must not have a wildcard; patterns go into spec.comparison.ignore"),
    ],
    "spec.listing.source": [
        CelRule(
            f"[{', '.join(f'has(self.{name})' for name in Source.model_fields)}].filter(given, given).size() == 1",
            "must name exactly one protocol, such as xrootd",
        )
    ],
    "spec.listing.source.xrootd.servers[]": [_door(XROOTD_DOOR, XROOTD_FORMS)],
    "spec.listing.source.webdav.servers[]": [_door(WEBDAV_DOOR, WEBDAV_FORMS)],
    "spec.listing.source.xrootd.prefix": _PREFIX,
    "spec.listing.source.webdav.prefix": _PREFIX,
    "spec.listing.source.posix.prefix": _ABSOLUTE,
    "spec.listing.source.dump": [
        CelRule(
            f"!has(self.columns) || self.format in {list(WITH_COLUMNS)}",
            f"columns go only with the formats {', '.join(WITH_COLUMNS)}: all others say where the columns are",
        ),
        CelRule(
            "!has(self.columns) || !(self.format in ['parquet', 'jsonl']) || type(self.columns.path) == string",
            "columns must be names where format is parquet or jsonl",
        ),
        CelRule(
            "!has(self.line) || (self.format == 'tsv' && !has(self.columns) && !has(self.delimiter))",
            "line stands in place of format, columns and delimiter; give one of them",
        ),
        CelRule(
            "!has(self.delimiter) || self.format == 'tsv' || (self.format == 'csv' && self.delimiter.size() == 1)",
            "delimiter goes with format tsv, or one character of it with csv",
        ),
        CelRule(
            f"!(self.format in {list(NOT_IN_LINES)}) || (self.skipLines == 0 && !has(self.comment))",
            "skipLines and comment are for lists in lines",
        ),
    ],
    "spec.listing.source.dump.prefix": _PREFIX,
    "spec.listing.source.dump.columns": [CelRule(" && ".join(map(_as_path, ("size", "mtime", "kind"))), _ALIKE)],
    "spec.comparison.ignore[]": _PATTERN,
    **{f"spec.policy.{kind}": _CONFIRMED for kind in Policy().of_kinds},
    "spec.unmerged": [*_CONFIRMED, _DISJOINT_AREAS],
    "spec.unmerged.path": _ABSOLUTE,
    "spec.unmerged.exclude[]": _PATTERN,
    "spec.unmerged.logs.path": _RELATIVE,
    "spec.unmerged.logs.additional[]": _ABSOLUTE,
    "spec.podTemplate.spec": [
        CelRule(
            "!has(self.containers) || self.containers.all(c, has(c.name) && c.name == 'worker')",
            "the only container is worker; what runs before it, or beside it with restartPolicy: Always, belongs in "
            "initContainers",
        )
    ],
    "spec.store": [CelRule("has(self.claimName) != has(self.url)", "must have exactly one of claimName, url")],
}
"""The rules by the field that has them; `[]` is an item of a list."""


def add_rules(schema: Schema) -> None:
    """Put the rules into the schema of the resource. Raises KeyError for a field that it does not have."""
    for field, rules in RULES.items():
        _at(schema, field)["x-kubernetes-validations"] = [rule._asdict() for rule in rules]


def _at(schema: Schema, field: str) -> Schema:
    for part in field.replace("[]", ".[]").split(".") if field else []:
        schema = schema["items"] if part == "[]" else schema["properties"][part]
    return schema
