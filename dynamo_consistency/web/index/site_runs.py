"""The runs of one site: which there are, and a digest of each that somebody has asked for."""

import hashlib
import json
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import yaml

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.records.complete_runs import CLOCKS_DIFFER
from dynamo_consistency.run.store.owner import Owner
from dynamo_consistency.run.store.run_directory import CHECK, CLAIM, SUMMARY
from dynamo_consistency.run.store.storage import Storage
from dynamo_consistency.web.index.digest import Digest, digest_of, read_id, safe

RECENT = 21
"""Runs of a check that the first page looks at: 20 for the trends and the one before."""
MOST_RUNS = 2000
"""Runs of a site that are looked at at all: its newest."""
STILL_CHANGING = 3
"""The newest runs of a check. An object store, where each look costs, is asked for older ones less often."""
SELDOM = 600.0
"""So often, in seconds: the summary of an older run changes only when somebody approves it, in vain."""
_A_MOMENT = 2.0
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:-]{0,199}")


@dataclass(frozen=True, slots=True)
class _Known:
    stamp: str | None
    digest: Digest | None
    check: str
    at: float


Reading = Callable[[str, float], tuple[str, _Known]]


class SiteRuns:
    """What is known of the runs of a site. To be used by one thread at a time, which holds `lock`."""

    def __init__(self, storage: Storage, site: str, is_local: bool) -> None:
        self._storage, self._site, self._is_local = storage, site, is_local
        self.lock = threading.Lock()
        self._folder_stamp: str | None = None
        self._ids: list[str] = []
        self._by_check: dict[str, list[str]] = {}
        self._known: dict[str, _Known] = {}
        self._check_by_id: dict[str, str] = {}
        self.problems: dict[str, str] = {}
        """By run id, what of it cannot be read."""

    def refresh(self, now: float, number: int | None, at_once: int = 1) -> bool:
        """Look for what has changed in the last `number` runs of each check (None: in all); was there anything?

        `at_once`: requests to an object store. Raises ConsistencyError when the site cannot be listed.
        """
        changed = self._list_folder(now)
        wanted = self._ids if number is None else self._newest(number)
        changing = set(self._newest(STILL_CHANGING))
        due = [run_id for run_id in wanted if self._is_due(run_id, now, run_id in changing)]
        for run_id, known in _all_of(self._read_again, due, now, 1 if self._is_local else at_once):
            changed |= _is_news(self._known.get(run_id), known)
            self._known[run_id] = known
        return changed

    def runs(self, now: float) -> dict[str, list[Digest]]:
        """The known runs by check, oldest first. Those dated after now are left out, and told as problems."""
        by_check = defaultdict(list)
        for run_id, known in self._known.items():
            if known.digest is None:
                continue
            if _latest_time(known.digest) > now + CLOCKS_DIFFER:
                self.problems[run_id] = "it is dated after now: a clock was wrong, or is; it is not shown"
            else:
                by_check[known.check].append(known.digest)
        return {check: sorted(runs, key=lambda run: run.order) for check, runs in sorted(by_check.items())}

    def forget_old(self) -> None:
        """Keep only what the first page needs."""
        recent = set(self._newest(RECENT))
        self._known = {run_id: known for run_id, known in self._known.items() if run_id in recent}

    def _newest(self, number: int) -> list[str]:
        """The last `number` runs of each check, as far as ids tell checks apart."""
        return [run_id for of_check in self._by_check.values() for run_id in of_check[-number:]]

    def _list_folder(self, now: float) -> bool:
        stamp = self._settled_stamp(now) if self._is_local else None
        if stamp is not None and stamp == self._folder_stamp:
            return False
        found = [name for name in self._storage.entries(self._site, "directory") if _RUN_ID.fullmatch(name)]
        told = {name: read_id(name) for name in found}
        ids = sorted(found, key=lambda name: (told[name].time or 0.0, name))[-MOST_RUNS:]
        gone = set(self._ids) - set(ids)
        changed, self._ids, self._folder_stamp = ids != self._ids, ids, stamp
        self._by_check = defaultdict(list)
        for name in ids:
            self._by_check[told[name].check if told[name].time is not None else ""].append(name)
        for run_id in gone:
            self._known.pop(run_id, None)
            self.problems.pop(run_id, None)
        return changed

    def _settled_stamp(self, now: float) -> str | None:
        """None where the folder has only just changed: what comes in the same moment would not change its stamp."""
        stamp = self._storage.stamp(self._site)
        return stamp if stamp is not None and now - self._storage.modified(self._site) > _A_MOMENT else None

    def _is_due(self, run_id: str, now: float, is_changing: bool) -> bool:
        known = self._known.get(run_id)
        if known is None or self._is_local or is_changing:
            return True
        return known.digest is None or not known.digest.has_ended or now - known.at > SELDOM

    def _read_again(self, run_id: str, now: float) -> tuple[str, _Known]:
        """What is known of a run now; one that cannot be read is a problem, and of an unknown check."""
        known = self._known.get(run_id)
        try:
            new = self._read(run_id, known, now)
        except ConsistencyError as error:
            self.problems[run_id] = safe(error)
            return run_id, known or _Known(None, None, "", now)
        if new.digest is not None and new.digest.result == "Unreadable":
            self.problems[run_id] = new.digest.reason
        else:
            self.problems.pop(run_id, None)
        return run_id, new

    def _read(self, run_id: str, known: _Known | None, now: float) -> _Known:
        folder, before = f"{self._site}/{run_id}", known.stamp if known and known.digest else None
        stamp, contents = self._look_at(f"{folder}/{SUMMARY}", before)
        if known is not None and stamp is not None and stamp == before:
            return _Known(stamp, known.digest, known.check, now)
        if stamp is None and self._storage.stamp(f"{folder}/{CHECK}") is None:
            return _Known(None, None, "", now)
        check = known.check if known is not None and known.digest is not None else self._check_of(folder, run_id)
        return _Known(stamp, digest_of(run_id, contents, self._began(folder, run_id)), check, now)

    def _look_at(self, summary: str, before: str | None) -> tuple[str | None, bytes | None]:
        """Its stamp, and what is in it where that is another one than `before`. An object store is asked only once."""
        if self._is_local:
            stamp = self._storage.stamp(summary)
            return stamp, self._storage.contents(summary) if stamp not in (None, before) else None
        contents = self._storage.contents(summary)
        return None if contents is None else hashlib.sha256(contents).hexdigest(), contents

    def _began(self, folder: str, run_id: str) -> float | None:
        at = read_id(run_id).time
        if at is not None or self._storage.stamp(f"{folder}/{CLAIM}") is None:
            return at
        return self._storage.modified(f"{folder}/{CLAIM}")

    def _check_of(self, folder: str, run_id: str) -> str:
        """`namespace/name` of the check that a run is of. One that an object store has told stands for its like."""
        time, rest = read_id(run_id)
        known = self._check_by_id.get(rest) if time is not None and not self._is_local else None
        if known is None:
            known = self._check_by_id[rest] = self._check_told_by(folder, run_id)
        return known

    def _check_told_by(self, folder: str, run_id: str) -> str:
        """By its claim; by the check in it for one of before there were claims."""
        try:
            claim = self._storage.contents(f"{folder}/{CLAIM}")
            if claim is not None:
                return safe(Owner.from_json(json.loads(claim)), 400)
            check = yaml.load(self._storage.contents(f"{folder}/{CHECK}") or b"", yaml.CSafeLoader)
            return safe(Owner.from_json(check["metadata"]), 400)
        except (ValueError, TypeError, KeyError, RecursionError, yaml.YAMLError):
            self.problems[run_id] = "it does not say whose run it is"
            return read_id(run_id).check or run_id


def _latest_time(digest: Digest) -> float:
    return max(at for at in (digest.start or 0.0, *digest.times) if at is not None)


def _is_news(before: _Known | None, after: _Known) -> bool:
    return before is None or (before.stamp, before.digest, before.check) != (after.stamp, after.digest, after.check)


def _all_of(read: Reading, ids: list[str], now: float, at_once: int) -> Iterator[tuple[str, _Known]]:
    if at_once < 2 or len(ids) < 2:
        yield from (read(run_id, now) for run_id in ids)
        return
    with ThreadPoolExecutor(at_once, "web-store") as pool:
        yield from pool.map(lambda run_id: read(run_id, now), ids)
