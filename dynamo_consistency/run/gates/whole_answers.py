"""What a run was told less of than the last complete run: a short answer may be one that broke off.

The next run compares with this one, so that what has really become less closes a gate once.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.much_shorter import much_shorter
from dynamo_consistency.run.store.run_directory import DATASETS, RunDirectory

_LISTS = {"protected": "protected datasets", "deletionRequests": "datasets with deletion requests"}
_BEHIND = {"servers": "data server", "mounts": "mount point"}

Known = TypeVar("Known")


def short_lists(run: RunDirectory, earlier: Sequence[RunDirectory]) -> tuple[str, ...]:
    """Which lists of the backend are much shorter for `run` than for the last of `earlier` runs, in words."""
    now, last = _read(run, _lengths), _last(earlier, _lengths)
    if now is None or last is None:
        return ()
    return tuple(
        f"{now[name]} {words} where the last complete run had {last[name]}"
        for name, words in _LISTS.items()
        if much_shorter(now[name], last[name])
    )


def gone(run: RunDirectory, earlier: Sequence[RunDirectory]) -> tuple[str, ...]:
    """Data servers and mount points that the last of `earlier` runs found behind the listing, and `run` did not.

    Runs that have not written down what stands behind their listing tell nothing.
    """
    now, last = _read(run, _behind), _last(earlier, _behind)
    return () if last is None else tuple(sorted(last - (now or frozenset())))


def _lengths(run: RunDirectory) -> dict[str, int]:
    lists = run.read_json(DATASETS)
    return {name: len(lists[name]) for name in _LISTS}


def _behind(run: RunDirectory) -> frozenset[str]:
    names = [name for name in run.names("listing") if name.startswith("listing/shard-") and name.endswith(".json")]
    shards = [run.read_json(name) for name in names]
    return frozenset(
        f"{what} {name}" for shard in shards for key, what in _BEHIND.items() for name in shard.get(key) or ()
    )


def _last(earlier: Sequence[RunDirectory], read: Callable[[RunDirectory], Known]) -> Known | None:
    """Of the last run that can be read."""
    known = (_read(run, read) for run in reversed(earlier))
    return next((one for one in known if one is not None), None)


def _read(run: RunDirectory, read: Callable[[RunDirectory], Known]) -> Known | None:
    try:
        return read(run)
    except (ConsistencyError, OSError, ValueError, KeyError, TypeError, AttributeError):  # damaged, or an older form
        return None
