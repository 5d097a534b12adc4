"""Which registered file a path is: by the path that is stored in the catalogue, or by the one that Rucio computes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from dynamo_consistency.backend.rucio.catalogue import rses
from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did, Translation, path_of
from dynamo_consistency.backend.rucio.catalogue.replica_records import Records, Replica, spellings
from dynamo_consistency.backend.rucio.catalogue.rses import Rse
from dynamo_consistency.backend.rucio.options import Options
from dynamo_consistency.errors import BackendError

Candidates = Mapping[bytes, Sequence[Did]]


def candidates(records: Records, rse: Rse, options: Options, files: Sequence[bytes]) -> Candidates:
    """Every DID that each file may have at the RSE, likeliest first; none where paths are not computed."""
    if not rse.deterministic:
        return {path: [] for path in files}
    translation = rses.translation(rse, options)
    guesses = {path: translation.dids(path) for path in files}
    if _is_blind_to_scopes(translation, next((dids[0] for dids in guesses.values() if dids), Did("scope", "a/name"))):
        named = records.known_in_any_scope(text for path in files for text in spellings(path))
        of_path: defaultdict[bytes, list[Did]] = defaultdict(list)
        for did in named:
            of_path[translation.path(*did)].append(did)
        guesses = {path: list(dict.fromkeys([*dids, *of_path[path]])) for path, dids in guesses.items()}
    return guesses


def _is_blind_to_scopes(translation: Translation, example: Did) -> bool:
    """Has a file the same path in whatever scope it is? That is so at CMS."""
    try:
        return translation.path(*example) == translation.path(f"other.{example.scope}", example.name)
    except BackendError:  # of a plug-in that does not take any scope
        return False


def registered(records: Records, files: Sequence[bytes], guesses: Candidates) -> dict[bytes, list[Replica]]:
    """The replicas at the RSE, in whatever state, that have the path of each of `files`: one, as a rule, or none."""
    computed = {
        replica.did: replica
        for replica in records.replicas(did for path in files for did in guesses[path])
        if replica.path is None
    }
    found: defaultdict[bytes, list[Replica]] = defaultdict(list)
    for replica in records.replicas_at(text for path in files for text in spellings(path)):
        if replica.path is not None:
            found[path_of(replica.path)].append(replica)
    return {path: [*found[path], *(computed[did] for did in guesses[path] if did in computed)] for path in files}
