"""What of an answer cannot be believed, and where the walk does not go. Pure."""

from dynamo_consistency import paths
from dynamo_consistency.listers.contract import Answer, Failed, Listed, Subdirectory
from dynamo_consistency.listers.frontier import Directory
from dynamo_consistency.listers.shards import ancestor

MAX_DEPTH = 64
_NO_NAMES = frozenset({b"", b".", b".."})


def plausible(answer: Listed) -> Answer:
    """`answer`, or a failure if it has a name that no directory can hold: then no part of it is to be trusted."""
    names = answer.files.names
    if answer.directories or answer.holes:
        names = [*names, *[entry[0] for entries in (answer.directories, answer.holes) for entry in entries]]
    if b"/" in b"".join(names) or not _NO_NAMES.isdisjoint(names):
        odd = next(name for name in names if b"/" in name or name in _NO_NAMES)
        return Failed(f"its listing has the entry {paths.to_text(odd)!r}, which cannot be a name")
    return answer


def obstacle(directory: Directory, child: Subdirectory, depth: int, ancestors: tuple[object, ...]) -> str | None:
    """Why `child` must not be descended into, if so."""
    if child.identity is not None and child.identity in ancestors:
        same = ancestor(directory.path, directory.root, ancestors.index(child.identity)) or directory.path
        return f"the same directory as its ancestor {paths.to_text(same)}: a loop of links"
    if depth > MAX_DEPTH:
        return f"too deep: more than {MAX_DEPTH} directories below the root"
    return None
