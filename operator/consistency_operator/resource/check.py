"""A `SiteConsistencyCheck` as the API server gives it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from consistency_operator import names
from dynamo_consistency.check import Policy, SiteConsistencyCheck
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.yamlfile import Document

_BODY = ("apiVersion", "kind", "metadata", "spec")


@dataclass(frozen=True)
class Resource:
    """One resource, without its status. `check` is None where the spec is not valid; then `errors` says why.

    `errors`: a line for each problem, `spec.listing.roots: is missing`.
    """

    namespace: str
    name: str
    uid: str
    generation: int
    created: datetime
    check: SiteConsistencyCheck | None
    errors: str = ""
    deleting: bool = False
    annotations: Mapping[str, str] = field(default_factory=dict)
    managed_fields: tuple[Mapping[str, Any], ...] = ()

    @property
    def key(self) -> str:
        """`namespace/name`: what a person calls it."""
        return f"{self.namespace}/{self.name}"

    @property
    def requested_at(self) -> str | None:
        """The token of `kubectl annotate … requestedAt=…`; any new one asks for a run."""
        return self.annotations.get(names.ANNOTATION_REQUESTED_AT) or None


def from_body(body: Mapping[str, Any]) -> Resource:
    """The resource that `body` is. Never raises for a body that an API server can hold."""
    metadata = body["metadata"]
    check, errors = _parsed(body)
    return Resource(
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        generation=metadata.get("generation", 0),
        created=_time(metadata.get("creationTimestamp")),
        check=check,
        errors=errors,
        deleting="deletionTimestamp" in metadata,
        annotations=dict(metadata.get("annotations") or {}),
        managed_fields=tuple(metadata.get("managedFields") or ()),
    )


@lru_cache(maxsize=1024)
def _shared(policy: Policy) -> Policy:
    """One object for all policies that are equal: most checks have the same one, and it is half of a check."""
    return policy


def _sharing(check: SiteConsistencyCheck) -> SiteConsistencyCheck:
    spec = check.spec.model_copy(update={"policy": _shared(check.spec.policy)})
    return check.model_copy(update={"spec": spec})


def _parsed(body: Mapping[str, Any]) -> tuple[SiteConsistencyCheck | None, str]:
    data = {key: body[key] for key in _BODY if key in body}
    document = Document(str(body["metadata"]["name"]), data, lines={})
    try:
        return _sharing(document.parse(SiteConsistencyCheck)), ""
    except ConfigurationError as error:
        prefix = f"{document.where(())}: "
        return None, "\n".join(line.removeprefix(prefix) for line in str(error).splitlines())


def _time(text: str | None) -> datetime:
    return datetime.fromisoformat(text or "1970-01-01T00:00:00Z")
