"""Rucio's daemons, once each, in the process of the server (`server.py`)."""

import traceback
from collections.abc import Callable

from rucio.daemons.common import HeartbeatHandler


def run(name: str, *arguments: str) -> str | None:
    """Run the daemon once; None, or the traceback of what went wrong."""
    try:
        DAEMONS[name](*arguments)
    except Exception:  # noqa: BLE001 (whatever it is, the test that asked shall see it)
        return traceback.format_exc()
    return None


def _once(name: str, daemon: Callable, **options) -> None:
    with HeartbeatHandler(executable=name, renewal_interval=60) as heartbeat:
        daemon(heartbeat_handler=heartbeat, **options)


def _necromancer() -> None:
    """What is declared bad becomes a transfer, or is given up as lost."""
    from rucio.daemons.badreplicas import necromancer

    _once("necromancer", necromancer.run_once, bulk=1000)


def _dark_reaper(*rses: str) -> None:
    """What is in quarantine is removed from the storage."""
    from rucio.daemons.reaper import dark_reaper

    ids = [rse["id"] for rse in _rses(rses)]
    _once("dark-reaper", dark_reaper.run_once, rses=ids, chunk_size=1000, scheme="file")


def _reaper(*rses: str) -> None:
    """What has a tombstone is removed from the storage and the catalogue."""
    from rucio.daemons.reaper import reaper

    _once(
        "reaper",
        reaper.run_once,
        rses=[],
        include_rses="|".join(rses) or None,
        exclude_rses=None,
        vos=None,
        chunk_size=100,
        greedy=True,
        scheme="file",
        delay_seconds=0,
        auto_exclude_threshold=100,
        auto_exclude_timeout=600,
    )


def _abacus() -> None:
    """The numbers of files and bytes of each RSE are counted anew."""
    from rucio.daemons.abacus import collection_replica, rse

    _once("abacus-rse", rse.run_once)
    _once("abacus-collection-replica", collection_replica.run_once, limit=1000)


def _judge_cleaner() -> None:
    """Rules that have expired are undone."""
    from rucio.daemons.judge import cleaner

    _once("judge-cleaner", cleaner.run_once, max_rows=100, paused_rules={})


def _conveyor() -> None:
    """Requests become transfers that have succeeded; no bytes are moved."""
    from rucio.daemons.conveyor.finisher import finisher
    from rucio.daemons.conveyor.poller import poller
    from rucio.daemons.conveyor.submitter import submitter

    submitter(
        once=True,
        rses=_rses(()),
        partition_wait_time=0,
        transfertools=["mock"],
        group_bulk=100,
        filter_transfertool=None,
        ignore_availability=True,
    )
    poller(once=True, older_than=0, partition_wait_time=0, transfertool="mock")
    finisher(once=True, partition_wait_time=0)


def _rses(names: tuple[str, ...]) -> list[dict]:
    """The RSEs of these names; without any, all."""
    from rucio.core.rse import list_rses

    return [rse for rse in list_rses() if not names or rse["rse"] in names]


DAEMONS = {
    "necromancer": _necromancer,
    "dark-reaper": _dark_reaper,
    "reaper": _reaper,
    "abacus": _abacus,
    "judge-cleaner": _judge_cleaner,
    "conveyor": _conveyor,
}
