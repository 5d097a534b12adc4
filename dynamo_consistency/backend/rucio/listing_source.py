"""What lists an RSE, from the protocols that it offers."""

from collections.abc import Iterable

from pydantic import ValidationError

from dynamo_consistency import paths
from dynamo_consistency.backend.rucio.catalogue.rses import Rse, RseProtocol
from dynamo_consistency.check import Source
from dynamo_consistency.errors import BackendError

_KINDS = {
    "root": "xrootd",
    "roots": "xrootd",
    "xroot": "xrootd",
    "davs": "webdav",
    "https": "webdav",
    "dav": "webdav",
    "http": "webdav",
    "file": "posix",
    "srm": "gfal",
    "gsiftp": "gfal",
}
"""How each scheme is listed; gfal only where there is nothing else."""


def source(rse: Rse) -> Source:
    """The doors of the best scheme that we list; several protocols of one scheme and prefix are several doors.

    Raises BackendError where no protocol that is offered for reading from outside can be listed.
    """
    offered = [protocol for protocol in rse.protocols if protocol.read > 0]
    listable = [protocol for protocol in offered if protocol.scheme in _KINDS and not protocol.tfc]
    if not listable:
        raise BackendError(f"{_why_none(rse, offered)}; name what lists it under `sites` of the backend's entry")
    best, *others = sorted(listable, key=lambda protocol: (_KINDS[protocol.scheme] == "gfal", protocol.read))
    doors = [best, *(other for other in others if (other.scheme, _prefix(other)) == (best.scheme, _prefix(best)))]
    try:
        return Source.model_validate({_KINDS[best.scheme]: _settings(doors)})
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        raise BackendError(
            f"the protocol {best.scheme} of {rse.name} cannot be listed: {'.'.join(map(str, problem['loc']))} "
            f"{problem['msg']}; name what lists it under `sites` of the backend's entry"
        ) from None


def _why_none(rse: Rse, offered: Iterable[RseProtocol]) -> str:
    schemes = sorted({protocol.scheme for protocol in offered})
    if not schemes:
        return f"{rse.name} offers no protocol for reading from outside"
    if any(protocol.tfc for protocol in offered):
        return f"the prefixes of {rse.name} are not known, because its protocols follow a TFC"
    return f"{rse.name} offers only {', '.join(schemes)} for reading from outside, which cannot be listed by itself"


def _settings(doors: list[RseProtocol]) -> dict[str, object]:
    best, prefix = doors[0], _prefix(doors[0])
    kind = _KINDS[best.scheme]
    if kind == "posix":
        return {"prefix": prefix or "/"}
    if kind == "gfal":
        return {"url": f"{_server(best)}{prefix}"}
    return {"servers": list(dict.fromkeys(map(_server, doors))), "prefix": prefix}


def _prefix(protocol: RseProtocol) -> str:
    return paths.to_text(paths.normalise(paths.to_bytes(f"/{protocol.prefix}"))).rstrip("/")


def _server(protocol: RseProtocol) -> str:
    host = f"[{protocol.hostname}]" if ":" in protocol.hostname else protocol.hostname
    return f"{protocol.scheme}://{host}{f':{protocol.port}' if protocol.port else ''}"
