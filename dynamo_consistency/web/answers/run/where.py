"""Where the findings are: a tree of directories with what was listed, what is missing or an orphan, and the holes."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dynamo_consistency.kinds import MISSING, ORPHAN, FindingKind
from dynamo_consistency.paths import is_in, of_one_line, to_bytes
from dynamo_consistency.run.database import byte_sum
from dynamo_consistency.run.finding_queries import directory_of
from dynamo_consistency.web.answers.run.source import RunSource
from dynamo_consistency.web.models import Directory, Name

DEPTH = 4
"""Directories are told apart down to this depth below a root."""
CHILDREN_SHOWN = 12
_MOST_GROUPS = 5000
_MOST_HOLES = 20_000

_GROUPS = f"""
    SELECT root, {directory_of(DEPTH)} AS directory, count(*) AS files, {{used}} AS bytes
    FROM read_parquet(?) WHERE root IS NOT NULL
    GROUP BY 1, 2 ORDER BY 3 DESC LIMIT {_MOST_GROUPS}
"""


@dataclass
class _Node:
    path: bytes
    listed: tuple[int, int] | None = None
    missing: tuple[int, int] = (0, 0)
    orphans: tuple[int, int] = (0, 0)
    holes: int = 0
    children: dict[bytes, "_Node"] = field(default_factory=dict)


def roots(source: RunSource) -> list[Directory]:
    """A tree for each root of the run, in its order."""
    trees = {to_bytes(root): _Node(to_bytes(root)) for root in _roots_of(source)}
    with source.shown_as_far_as_possible("how much is where"):
        _add_listed(source, trees)
    for kind in (MISSING, ORPHAN):
        with source.shown_as_far_as_possible(f"where the {kind.plural} are"):
            _add_findings(source, trees, kind)
    _add_holes(source, trees)
    return [_shown(tree, 0) for tree in trees.values()]


def _roots_of(source: RunSource) -> list[str]:
    found = source.summary.get("roots")
    return [str(root) for root in found] if isinstance(found, dict) else []


def _add_listed(source: RunSource, trees: dict[bytes, _Node]) -> None:
    """From `reports/storage.json`, which has two levels of directories."""
    contents = source.files.contents(source.site, source.run_id, "reports/storage.json")
    try:
        shares = json.loads(contents)["storageservice"]["storageshares"] if contents else []
        listed = {to_bytes(share["path"][0]): (share["numberoffiles"], share["usedsize"]) for share in shares}
    except (ValueError, TypeError, KeyError, RecursionError, IndexError):
        source.problems.append("reports/storage.json is damaged: how much is where is not known")
        return
    for path, (files, size) in listed.items():
        if (node := _node(trees, path)) and type(files) is int and type(size) is int:
            node.listed = files, size


def _add_findings(source: RunSource, trees: dict[bytes, _Node], kind: FindingKind) -> None:
    with source.findings(kind) as file:
        if file is None:
            return
        groups = source.question.rows(_GROUPS.format(used=byte_sum(kind.size_column or "NULL")), [file])
    for group in groups:
        for node in _line(trees, to_bytes(group["root"]), group["directory"]):
            if kind is MISSING:
                node.missing = node.missing[0] + group["files"], node.missing[1] + group["bytes"]
            else:
                node.orphans = node.orphans[0] + group["files"], node.orphans[1] + group["bytes"]


def _add_holes(source: RunSource, trees: dict[bytes, _Node]) -> None:
    contents = source.files.contents(source.site, source.run_id, "reports/unlisted.txt") or b""
    for line in contents.split(b"\n")[:_MOST_HOLES]:
        hole = of_one_line(line.rpartition(b"\t")[0])
        root = next((root for root in trees if is_in(hole, [root])), None)
        for node in _line(trees, root, hole) if root is not None else ():
            node.holes += 1


def _node(trees: dict[bytes, _Node], path: bytes) -> _Node | None:
    root = next((root for root in trees if is_in(path, [root])), None)
    return list(_line(trees, root, path))[-1] if root is not None else None


def _line(trees: dict[bytes, _Node], root: bytes, path: bytes) -> Iterator[_Node]:
    """The nodes from a root to a directory, as far down as directories are told apart."""
    node = trees.get(root)
    if node is None:
        return
    yield node
    below = path[len(root.rstrip(b"/")) :].strip(b"/")
    for name in below.split(b"/")[:DEPTH] if below else ():
        node = node.children.setdefault(name, _Node(node.path.rstrip(b"/") + b"/" + name))
        yield node


def _shown(node: _Node, depth: int) -> Directory:
    children = sorted(node.children.values(), key=lambda child: (-_own_width(child), child.path))
    shown = [_shown(child, depth + 1) for child in children[:CHILDREN_SHOWN]]
    if rest := children[CHILDREN_SHOWN:]:
        shown.append(_directory(_sum(node.path, rest), [], is_rest=True))
    return _directory(node, shown)


def _sum(path: bytes, nodes: Iterable[_Node]) -> _Node:
    together = _Node(path)
    for node in nodes:
        if node.listed is not None:
            together.listed = _added(together.listed or (0, 0), node.listed)
        together.missing = _added(together.missing, node.missing)
        together.orphans = _added(together.orphans, node.orphans)
        together.holes += node.holes
    return together


def _added(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], one[1] + other[1]


def _own_width(node: _Node) -> int:
    return (node.listed[1] if node.listed else node.orphans[1]) + node.missing[1]


def _directory(node: _Node, children: list[Directory], *, is_rest: bool = False) -> Directory:
    return Directory(
        path=Name.of(node.path),
        is_rest=is_rest,
        files=node.listed[0] if node.listed else None,
        bytes=node.listed[1] if node.listed else None,
        missing=node.missing[0],
        missing_bytes=node.missing[1],
        orphans=node.orphans[0],
        orphan_bytes=node.orphans[1],
        holes=node.holes,
        width=max(_own_width(node), sum(child.width for child in children), 1),
        children=children,
    )
