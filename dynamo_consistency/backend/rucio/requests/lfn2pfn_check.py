"""Are the paths that we compute those that Rucio's server computes?"""

from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from dynamo_consistency import paths
from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did, Translation
from dynamo_consistency.backend.rucio.catalogue.rses import Rse, RseProtocol
from dynamo_consistency.errors import BackendError

SAMPLE = 20
"""Files whose paths are compared with the server's, before a run and before each call."""


def require(rse: Rse, translation: Translation, pfns: Mapping[Did, str]) -> None:
    """Raises BackendError when one of the server's PFNs is not prefix + our path, with a prefix of the RSE.

    Where a TFC puts files, its prefixes are not known, and a PFN only has to end with our path.
    """
    for did, pfn in pfns.items():
        ours = translation.path(*did)
        places, theirs = {_below(protocol, ours) for protocol in rse.protocols}, _places_of(pfn)
        if not places & theirs and not (rse.tfc and any(place.endswith(ours) for place in theirs)):
            raise BackendError(
                f"lfn2pfn is not what Rucio's server does at {rse.name}: it puts {did.scope}:{did.name} at {pfn}, "
                f"we at {paths.visible(ours)} below the prefix; correct lfn2pfn (nothing is compared, because "
                "every file would look missing, and every file an orphan)"
            )


def _below(protocol: RseProtocol, path: bytes) -> bytes:
    return paths.normalise(paths.to_bytes(f"/{protocol.prefix}") + path)


def _places_of(pfn: str) -> set[bytes]:
    """The path in a PFN, as it is written there and unquoted; SRM has it in a parameter, and a path may have a `?`."""
    _, _, behind = pfn.partition("://")
    texts = {f"/{behind.partition('/')[2]}"}
    if "?SFN=" in pfn:
        texts = {pfn.partition("?SFN=")[2]}
    texts |= {unquote(text) for text in texts} | {urlsplit(pfn).path}
    return {paths.normalise(paths.to_bytes(text)) for text in texts}
