"""The listing of all shards of a site on one machine, by as many processes as help."""

from functools import partial

from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.check import Listing
from dynamo_consistency.listers.protocols import processes_for
from dynamo_consistency.run.listing.processes import Send, in_processes
from dynamo_consistency.run.listing.progress import Relay, Sum, Watcher
from dynamo_consistency.run.listing.shard import list_shard
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.run.unmerged import list_unmerged


def shards_here(listing: Listing) -> int:
    """In how many shards this machine should list the site: never more than may be listed at a time.

    One process keeps a file system busy, and reads a dump. Doors are another matter: their answers come quicker than
    one process understands them.
    """
    return processes_for(listing) or 1


def list_site(run: RunDirectory, backend: Backend, watcher: Watcher) -> None:
    """List all shards of the run's site at once. Raises ListingError when one could not be listed.

    A shard that is already complete is not listed again.
    """
    listing = run.check().spec.listing
    if processes_for(listing) is None:
        list_shard(run, backend, 0, watcher)
        return
    tasks = [partial(_list, run.url, shard) for shard in range(listing.shards)]
    with watcher:
        in_processes(f"the listing of {run.site}", tasks, Sum(watcher).receive)


def list_unmerged_area(run: RunDirectory, backend: Backend, watcher: Watcher) -> None:
    """What `list_unmerged` does, where the check has an unmerged area, as safe from crashes as the rest of the site."""
    spec = run.check().spec
    if spec.unmerged is None or processes_for(spec.listing) is None:
        list_unmerged(run, backend, watcher)
        return
    with watcher:
        in_processes(
            f"the listing of {spec.unmerged.path}", [partial(_list_unmerged_area, run.url)], Sum(watcher).receive
        )


def _list(url: str, shard: int, send: Send) -> None:
    """In a process of its own, where the client of an object store that `run` may hold is of no use."""
    list_shard(RunDirectory(url), None, shard, Relay(send))


def _list_unmerged_area(url: str, send: Send) -> None:
    list_unmerged(RunDirectory(url), None, Relay(send))
