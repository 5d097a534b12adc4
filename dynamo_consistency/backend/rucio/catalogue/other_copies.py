"""Where else a file is: whether it can be had again when it is given up at one RSE."""

from collections.abc import Iterable, Mapping, Sequence

from dynamo_consistency import paths
from dynamo_consistency.backend.rucio.catalogue import rses
from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue
from dynamo_consistency.backend.rucio.catalogue.path_resolution import candidates, registered
from dynamo_consistency.backend.rucio.catalogue.replica_records import Copy, Records, Replica
from dynamo_consistency.backend.rucio.options import Options


def usable(replica: Replica, copies: Iterable[Copy]) -> dict[str, str]:
    """The RSEs elsewhere that have the same file, available and to stay, and their kinds (DISK, TAPE)."""
    return {copy.rse: copy.type for copy in copies if copy.usable and copy.size == replica.size}


def sources(usable: Mapping[str, str], recall_from_tape: bool) -> set[str]:
    """Those of the RSEs from which the file may be fetched."""
    return {rse for rse, kind in usable.items() if kind == "DISK" or (kind == "TAPE" and recall_from_tape)}


def objection(usable: Mapping[str, str]) -> str:
    """Why a file without sources is not given up."""
    if "TAPE" in usable.values():
        return "no disk source elsewhere, only tape has it; `recallFromTape` has such files recalled"
    return "no disk source elsewhere, and none on tape: it is a last copy, and that is never declared bad"


def without_source(
    catalogue: Catalogue, options: Options, site: str, names: Sequence[str]
) -> tuple[list[str], list[str]]:
    """(files that no disk elsewhere has, of those: the files that no tape has either), in the order given.

    A file that Rucio does not know at the site has none.
    """
    files = [paths.to_bytes(name) for name in names]
    with catalogue.reading() as connection:
        rse = rses.find(connection, catalogue, site)
        records = Records(connection, catalogue.tables, rse)
        found = registered(records, files, candidates(records, rse, options, files))
        copies = records.copies(replica.did for replicas in found.values() for replica in replicas)
    kinds = {
        path: {kind for replica in replicas for kind in usable(replica, copies.get(replica.did, ())).values()}
        for path, replicas in found.items()
    }
    no_disk = [name for name, path in zip(names, files, strict=True) if "DISK" not in kinds[path]]
    return no_disk, [name for name in no_disk if "TAPE" not in kinds[paths.to_bytes(name)]]
