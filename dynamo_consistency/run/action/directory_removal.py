"""Who removes a directory: the registry, or the protocol that lists the site (`policy.emptyDirectories.method`)."""

from collections.abc import Sequence
from dataclasses import dataclass

from dynamo_consistency.backend.contract import Outcome
from dynamo_consistency.listers.look import Remover

REMOVED = "removed"
"""The remark on a request that needs no following."""


@dataclass(frozen=True)
class DirectoryRemoval:
    """`by_protocol`: what the check asks for; `remover`: what the protocol has for it, if anything."""

    by_protocol: bool
    remover: Remover | None
    registry_takes_them: bool

    @property
    def objection(self) -> str | None:
        """Why no directory of the site is removed; None when one can be."""
        if self.by_protocol and self.remover is None:
            return "the protocol that lists the site removes no directories"
        if not self.by_protocol and not self.registry_takes_them:
            return "the registry deletes no directories; policy.emptyDirectories.method: protocol would"
        return None

    def remove(self, directories: Sequence[bytes]) -> list[Outcome]:
        """Remove them over the protocol, in their order; it refuses those that are not empty."""
        assert self.remover is not None, "there is an objection otherwise"  # noqa: S101 (for the type checker)
        answers = [(path, self.remover(path)) for path in directories]
        return [Outcome(path, "requested" if why is None else "refused", why or REMOVED) for path, why in answers]
