"""Objects as an API server keeps them: versions, optimistic locking, subresources, selectors, garbage collection.

One thread, no awaiting: every call is atomic.
"""

import asyncio
import copy
import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Body = dict[str, Any]
Key = tuple[str, str, str]  # plural, namespace, name


class Refused(Exception):  # noqa: N818 (as a server says it)
    """What the server answers instead: `causes` are those of a schema violation."""

    def __init__(self, status: int, reason: str, message: str, causes: list[Body] | None = None) -> None:
        super().__init__(message)
        self.status, self.reason, self.message, self.causes = status, reason, message, causes


@dataclass(frozen=True)
class Change:
    """One event of a watch."""

    version: int
    plural: str
    type: str
    body: Body


@dataclass
class Store:
    """`has_status` names the plurals with a status subresource; `tell` is called after every change."""

    has_status: frozenset[str]
    tell: Callable[[], None] = lambda: None
    objects: dict[Key, Body] = field(default_factory=dict)
    log: list[Change] = field(default_factory=list)
    forgotten: int = 0
    _versions: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def get(self, plural: str, namespace: str, name: str) -> Body:
        try:
            return self.objects[plural, namespace, name]
        except KeyError:
            raise Refused(404, "NotFound", f'{plural} "{name}" not found') from None

    def select(self, plural: str, namespace: str | None, labels: str = "", fields: str = "") -> list[Body]:
        """The objects of a namespace, or of all, that match the selectors."""
        found = (
            body for (kind, space, _), body in self.objects.items() if kind == plural and namespace in (None, space)
        )
        return [body for body in found if matches(body, labels, fields)]

    def create(self, plural: str, namespace: str, body: Body) -> Body:
        body = copy.deepcopy(body)
        meta = body.setdefault("metadata", {})
        if "name" not in meta:
            meta["name"] = f"{meta['generateName']}{uuid.uuid4().hex[:6]}"
        key = plural, namespace, meta["name"]
        if key in self.objects:
            raise Refused(409, "AlreadyExists", f'{plural} "{key[2]}" already exists')
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        meta |= {"namespace": namespace, "uid": str(uuid.uuid4()), "creationTimestamp": now, "generation": 1}
        if plural in self.has_status:
            body.pop("status", None)
        return self._put(key, "ADDED", body)

    def patch(self, key: Key, change: Callable[[Body], Body], subresource: str | None = None) -> Body:
        """Apply `change` to a copy; a resourceVersion in the outcome that is not the current one is a conflict."""
        old = self.get(*key)
        new = change(copy.deepcopy(old))
        if new["metadata"].get("resourceVersion") != old["metadata"]["resourceVersion"]:
            raise Refused(
                409, "Conflict", "the object has been modified; please apply your changes to the latest version"
            )
        if subresource == "status":
            new = {**old, "status": new.get("status", {})}
        elif key[0] in self.has_status:
            new = (
                {**new, "status": old["status"]} if "status" in old else {k: v for k, v in new.items() if k != "status"}
            )
        if new == old:
            return old
        if new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] = old["metadata"]["generation"] + 1
        return self._put(key, "MODIFIED", new)

    def delete(self, key: Key, *, cascade: bool = True, uid: str | None = None) -> Body:
        """Remove an object, and what it owns: at once, as there are no finalizers here."""
        body = self.get(*key)
        if uid is not None and body["metadata"]["uid"] != uid:
            raise Refused(409, "Conflict", f"precondition failed: the uid is {body['metadata']['uid']}")
        del self.objects[key]
        self._record("DELETED", key[0], body)
        if cascade:
            for other, owned in list(self.objects.items()):
                owners = owned["metadata"].get("ownerReferences", [])
                if any(owner["uid"] == body["metadata"]["uid"] for owner in owners):
                    self.delete(other)
        return body

    @property
    def version(self) -> int:
        return self.log[-1].version if self.log else 0

    def forget(self) -> None:
        """Compact the log: who watches from an older version gets the answer that it is gone."""
        self.forgotten = self.version

    async def changes(self, since: int) -> list[Change]:
        """What came after `since`: waits until there is something."""
        while self.version <= since:
            await self._changed.wait()
        start = next(i for i in range(len(self.log), 0, -1) if i == 1 or self.log[i - 2].version <= since)
        return self.log[start - 1 :]

    def _put(self, key: Key, kind: str, body: Body) -> Body:
        body = self.objects[key] = {**body, "metadata": dict(body["metadata"])}
        self._record(kind, key[0], body)
        return body

    def _record(self, kind: str, plural: str, body: Body) -> None:
        version = next(self._versions)
        body["metadata"]["resourceVersion"] = str(version)
        self.log.append(Change(version, plural, kind, copy.deepcopy(body)))
        self._changed.set()
        self._changed = asyncio.Event()
        self.tell()


def matches(body: Body, labels: str, fields: str) -> bool:
    """Label selectors of equality and existence; field selectors of equality."""
    having = body["metadata"].get("labels", {})
    for term in filter(None, labels.split(",")):
        name, equals, value = term.partition("=")
        if name not in having or (equals and having[name] != value.removeprefix("=")):
            return False
    for term in filter(None, fields.split(",")):
        path, _, value = term.partition("=")
        if str(_at(body, path.split("."))) != value:
            return False
    return True


def merged(old: Any, change: Any) -> Any:
    """JSON Merge Patch (RFC 7386)."""
    if not isinstance(change, dict):
        return change
    new = dict(old) if isinstance(old, dict) else {}
    for name, value in change.items():
        if value is None:
            new.pop(name, None)
        else:
            new[name] = merged(new.get(name), value)
    return new


def json_patched(old: Body, operations: list[Body]) -> Body:
    """JSON Patch (RFC 6902) of object members; a test that fails is a 422 without causes, as API servers answer."""
    for operation in operations:
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        holder = _at(old, parents)
        match operation["op"]:
            case "test" if not isinstance(holder, dict) or holder.get(last) != operation["value"]:
                raise Refused(422, "Invalid", "the server rejected our request due to an error in our request")
            case "test":
                pass
            case "add" | "replace" if isinstance(holder, dict):
                holder[last] = operation["value"]
            case "remove" if isinstance(holder, dict) and last in holder:
                del holder[last]
            case _:
                raise Refused(422, "Invalid", f"the JSON patch operation {operation} cannot be applied")
    return old


def _at(body: Any, path: list[str]) -> Any:
    for part in path:
        body = body.get(part) if isinstance(body, dict) else None
    return body
