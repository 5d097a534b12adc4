"""From keys to directories. A key is a path; what no path of the inventory can be is a hole, or puts all in doubt."""

from collections.abc import Iterable, Iterator

from dynamo_consistency import paths
from dynamo_consistency.listers.contract import Hole, Listed, Subdirectory
from dynamo_consistency.listers.s3.pages import Bucket, DoubtError, Object, Page

EMPTY_COMPONENT = "a key with an empty component (//) looks like it"
NOTHING = "there is no key below it"


def listed(bucket: Bucket, folder: bytes) -> Listed:
    """What is directly in the directory whose keys begin with `folder`. Raises as `Bucket.pages` does.

    Raises DoubtError also where no key begins so, and for a key that no path can be.

    Keys behind an empty component (`folder//name`) have the LFN of those without, and are no files of that name:
    each of these names is a hole.
    """
    result = Listed()
    start = len(folder)
    found = False
    for page in bucket.pages(folder, folders=True):
        found = found or bool(page.objects or page.folders)
        for each in page.objects:
            _add(result, each, each.key[start:])
        for name in _names(page, start):
            if name == b"":
                result.holes += [Hole(hidden, EMPTY_COMPONENT) for hidden in _hidden(bucket, folder + b"/")]
            else:
                result.directories.append(Subdirectory(_possible(name), None))
    if not found:
        raise DoubtError(NOTHING)
    return result


def tree(directory: bytes, folder: bytes, objects: Iterable[Object]) -> dict[bytes, Listed] | None:
    """All directories from `directory` down, by their LFNs, from all keys that begin with `folder`.

    None where one of them is not plainly a path; `listed` can tell what to make of it.
    """
    found = {directory: Listed()}
    for each in objects:
        below = each.key[len(folder) :]
        way, _, name = below.rpartition(b"/")
        components = way.split(b"/") if way else []
        if b"//" in b"/" + below or not {b".", b".."}.isdisjoint([*components, name]):
            return None
        parent = directory
        for component in components:
            path = paths.join(parent, component)
            if path not in found:
                found[path] = Listed()
                found[parent].directories.append(Subdirectory(component, None))
            parent = path
        _add(found[parent], each, name)
    return found


def _add(result: Listed, each: Object, name: bytes) -> None:
    if name:
        result.files.add(_possible(name), each.size, each.mtime)
    elif each.size:
        result.notes.append(f"{paths.visible(each.key)} ends in a slash and holds {each.size} bytes: it is no file")


def _names(page: Page, start: int) -> Iterator[bytes]:
    return (folder[start:-1] for folder in page.folders)


def _possible(name: bytes) -> bytes:
    if name in (b".", b".."):
        raise DoubtError(f"a key has the component {paths.to_text(name)!r}, which no path has: rename it")
    return name


def _hidden(bucket: Bucket, folder: bytes) -> set[bytes]:
    """The names behind an empty component, or behind several in a row."""
    names: set[bytes] = set()
    deeper = True
    while deeper:
        deeper = False
        for page in bucket.pages(folder, folders=True):
            folders = set(_names(page, len(folder)))
            names.update(_possible(name) for name in folders)
            names.update(_possible(each.key[len(folder) :]) for each in page.objects)
            deeper = deeper or b"" in folders
        folder += b"/"
    return names - {b""}
