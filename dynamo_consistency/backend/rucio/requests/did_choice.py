"""What a file is called that is not registered: the DID by which the dark reaper is to spare it if it ever is."""

from collections.abc import Sequence

from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did
from dynamo_consistency.backend.rucio.catalogue.path_resolution import Candidates
from dynamo_consistency.backend.rucio.catalogue.replica_records import Records

UNCLEAR = "it is not clear under which name Rucio would know it"


class Naming:
    """Chooses among the DIDs that have the same path, by what the catalogue has of them."""

    def __init__(self, records: Records, guesses: Candidates, scope: str | None) -> None:
        """`scope`: the configured one, for a file whose path belongs to no DID at all."""
        dids = {did for some in guesses.values() for did in some}
        self._guesses, self._scope = guesses, scope
        self._known = records.availability(dids).keys()
        self._scopes = records.scopes({did.scope for did in dids})
        several = {did.scope for some in guesses.values() if len(some) > 1 for did in some}
        self._styles = {name: records.styles(name) for name in several & self._scopes}

    def did(self, path: bytes) -> Did | str:
        """The DID, or why none can be chosen."""
        guesses = self._guesses[path]
        if not guesses:
            return self._of_no_did(path)
        existing = [did for did in guesses if did.scope in self._scopes]
        for choice in ([did for did in guesses if did in self._known], self._in_style(existing)):
            if len(choice) == 1:
                return choice[0]
            if choice:
                return f"{UNCLEAR}: {' or '.join(':'.join(did) for did in choice)}"
        # Nothing is in a scope that does not exist, and whoever makes it finds this name taken by a file of ours.
        return guesses[0]

    def _in_style(self, dids: Sequence[Did]) -> Sequence[Did]:
        """Those named as other files of their scope are: with a slash in front, or without. Most have none."""
        if len(dids) < 2:
            return dids
        return [did for did in dids if did.name.startswith("/") in (self._styles[did.scope] or {False})]

    def _of_no_did(self, path: bytes) -> Did | str:
        if self._scope is None:
            return "its path tells no scope and no name; set `scope` of the backend in backends.yaml"
        return Did(self._scope, "/" + path.decode("utf-8").lstrip("/"))
