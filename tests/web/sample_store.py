"""A store as it looks after half a year: sites in all states, with runs that failed, broke off and were damaged.

`python tests/web/sample_store.py FOLDER` makes it; `dynamo-consistency serve --store FOLDER` shows it. What is in it
depends on the names of the sites alone, and its times on the time at which it is made.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

DAY = 86400
WEEK = 7 * DAY
RUNS = 24
_TIME = pa.timestamp("ms", tz="UTC")
_TEXT = pa.string()


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([("path", pa.binary()), *columns.items()])


FINDING = _schema(
    size=pa.int64(),
    site_size=pa.int64(),
    mtime=pa.int64(),
    **dict.fromkeys(("dataset", "block", "group", "root", "mark"), _TEXT),
)
ACTION = _schema(
    **dict.fromkeys(("kind", "request", "outcome", "reason"), _TEXT), asked_at=_TIME, answered_at=_TIME, gates=_TEXT
)
FOLLOWED = _schema(request=_TEXT, run_id=_TEXT, asked_at=_TIME, became=_TEXT)
HOSTILE = [
    b"/store/mc/Summer20/<img src=x onerror=alert(1)>/AODSIM/v1/\xff\xfe.root",
    b"/store/mc/Summer20/=cmd|' /C calc'!A0/a\n.root",
]
FILES = {"missing": "missing", "orphans": "orphan", "mismatches": "mismatch", "emptyDirectories": "empty_directory"}
GATES = {
    "Inventory": ("0.002", "0.2", "the inventory is steady"),
    "ListingHealth": ("listed 0.999, holes 0", "listed >= 0.9, holes <= 0.05", "every root was listed well enough"),
    "Limits": ("within", "policy.*.maxCount, maxFraction, and for 30 days", "no kind of finding exceeds its limits"),
    "Confirmation": ("", "missing: 2 runs over 518400 s", "only confirmed findings are acted on"),
    "Mode": ("missing Enforce, orphans Enforce", "Enforce", "enforced: missing, orphans"),
    "Approval": ("not approved", "OnlyAboveLimits", "no approval is needed"),
    "Acting": ("file by file", "10000", "every file is looked at once more, at the site and in the inventory"),
}


@dataclass(frozen=True)
class Outcome:
    """What a run finds. closed: gates that are not ready: name → (state, observed, limit, message)."""

    result: str = "Complete"
    reason: str = ""
    found: dict[str, int] = field(default_factory=dict)
    holes: int = 0
    closed: dict[str, tuple[str, str, str, str]] = field(default_factory=dict)
    acts: bool = False


@dataclass(frozen=True)
class Sample:
    """A check: what its run number `n` of `RUNS` is like; when the last one began, in days before now."""

    site: str
    run: Callable[[int, Random], Outcome]
    check: str = ""
    files: int = 1_200_000
    mode: str = "Enforce"
    last: float = 2.0
    runs: int = RUNS

    @property
    def name(self) -> str:
        return self.check or self.site.lower().replace("_", "-")


def steady(
    missing: int = 0, orphans: int = 0, holes: int = 0, *, acts: bool = False
) -> Callable[[int, Random], Outcome]:
    def run(n: int, chance: Random) -> Outcome:
        found = {
            "missing": missing + chance.randrange(missing + 1) // 3,
            "orphans": orphans + chance.randrange(orphans + 1) // 4,
        }
        found |= {"mismatches": chance.randrange(3) if missing else 0, "emptyDirectories": orphans // 9}
        if n % 9 == 4:
            return Outcome("Invalid", "the second snapshot of the inventory is empty")
        return Outcome(found=found, holes=holes, acts=acts)

    return run


def last_one(ends: Outcome, before: Callable[[int, Random], Outcome]) -> Callable[[int, Random], Outcome]:
    return lambda n, chance: ends if n == RUNS - 1 else before(n, chance)


def growing(n: int, chance: Random) -> Outcome:
    orphans = int(300 * 1.178**n)
    over = f"site: {orphans:,} orphans of 2,200,000 files, limit 10,000; nothing is requested, of any kind"
    closed = {
        "Limits": ("Rejected", f"{orphans} orphans", "10000", over),
        "Approval": ("Pending", "not approved", "OnlyAboveLimits", "approve this run to let it act"),
    }
    found = {"missing": 120 + 3 * n, "orphans": orphans, "mismatches": n % 4, "emptyDirectories": 40 + n}
    return Outcome(found=found, holes=2, closed=closed if orphans > 10_000 else {}, acts=orphans <= 10_000)


UNHEALTHY = Outcome(
    found={"missing": 392_5, "orphans": 61, "mismatches": 2, "emptyDirectories": 7},
    holes=214,
    closed={
        "ListingHealth": (
            "Rejected",
            "listed 0.674, holes 0.031",
            "listed >= 0.9, holes <= 0.05",
            "/store/data: only 812,000 of 1,204,511 expected files were listed",
        )
    },
)
REFUSED = "/store/mc could not be listed: root://door01.example.org:1094: connection refused"
SAMPLES = [
    Sample("T1_DE_Example", steady(), files=14_000_000),
    Sample("T2_DE_RWTH", steady(48, 130, 1, acts=True), last=3.2),
    Sample("T2_US_Nebraska", growing, files=2_200_000, last=1.4),
    Sample(
        "T2_CH_CSCS",
        last_one(Outcome("Failed", "the stage listing died: shard 2 of 4 ran out of memory"), steady(9, 20)),
        last=0.4,
    ),
    Sample("T2_IT_Pisa", last_one(Outcome("Invalid", REFUSED), steady(30, 400, 3, acts=True))),
    Sample("T2_FR_IPHC", last_one(UNHEALTHY, steady(22, 60, 4)), last=5.0),
    Sample("T2_ES_IFCA", steady(3, 12), last=23.0),
    Sample("T2_PL_Swierk", steady(5, 74, 2), mode="Report"),
    Sample("T2_UK_London_IC", steady(), check="london-mc"),
    Sample("T2_UK_London_IC", steady(2, 0), check="london-data", last=4.0),
    Sample("T2_BE_UCL", last_one(Outcome("Unfinished"), steady(14, 31)), last=0.05),
    Sample("T2_EE_Estonia", last_one(Outcome("Unreadable"), steady(1, 3)), last=1.0),
    Sample("T2_HU_Budapest", steady(), files=600_000, last=6.0),
    Sample("T3_XX_New", lambda n, chance: Outcome("Unfinished"), runs=1, last=9.0),
]


def make(folder: Path, samples: Iterable[Sample] = SAMPLES, runs: int = RUNS, now: float | None = None) -> RunStore:
    """The store in `folder`; of each check the last `runs` runs."""
    store = RunStore(str(folder))
    for sample in samples:
        _Made(store, sample, time.time() if now is None else now).make(runs)
    return store


class _Made:
    """The runs of one check."""

    def __init__(self, store: RunStore, sample: Sample, now: float) -> None:
        self.store, self.sample, self.now = store, sample, now
        self.chance = Random(f"{sample.site} {sample.name}")
        self.check = _check(sample, now - sample.last * DAY)
        self.asked: list[tuple[bytes, str]] = []
        self.asked_by = ("", 0.0)

    def make(self, runs: int) -> None:
        for n in range(RUNS - min(runs, self.sample.runs), RUNS):
            start = self.now - self.sample.last * DAY - (RUNS - 1 - n) * WEEK
            run_id = f"{datetime.fromtimestamp(start, UTC):%Y%m%dT%H%M%SZ}-{self.sample.name}"
            run = self.store.create(self.check, run_id)
            self.write(run, self.sample.run(n, self.chance), n, start)

    def write(self, run: RunDirectory, outcome: Outcome, n: int, start: float) -> None:
        files = self.sample.files + n * self.sample.files // 200 + self.chance.randrange(self.sample.files // 300)
        times = [start, start + 240, start + 300, start + 9000 + self.chance.randrange(4000)]
        times += [times[-1] + 200, times[-1] + 600 + self.chance.randrange(400)]
        run.write_json(
            "inventory/before.json", {"takenAt": times[0], "rows": files, "description": "SQLite, schema of 2.2"}
        )
        if outcome.result == "Unfinished":
            return
        if outcome.result == "Unreadable":
            run.write_text("summary.json", '{"site": "T2_EE_Estonia", "runId": ')
            return
        complete = outcome.result == "Complete"
        counts = self.counts(outcome, files) if complete else {}
        actions: dict[str, Any] = {}
        if complete:
            found = {kind: _findings(kind, number, n, self.sample, start) for kind, number in outcome.found.items()}
            for kind, rows in found.items():
                _write(run, f"findings/{FILES[kind]}.parquet", FINDING, rows)
            _reports(run, found, files, start)
            run.write_text("reports/unlisted.txt", "".join(f"{path}\tpermission denied\n" for path in _holes(outcome)))
            counts |= self.follow(run)
            if outcome.acts:
                actions = self.act(run, found, times[4])
        summary = self.summary(run, outcome, counts, actions, times)
        run.write_json("summary.json", summary)

    def counts(self, outcome: Outcome, files: int) -> dict[str, int]:
        found = {"missing": 0, "orphans": 0, "mismatches": 0, "emptyDirectories": 0, "twins": 0} | outcome.found
        listed = files - found["missing"] + found["orphans"]
        numbers = {
            "listedFiles": listed,
            "listedDirectories": listed // 300,
            "inventoryFiles": files,
            "expectedFiles": files,
            "holes": outcome.holes,
            "youngFiles": 31,
            **found,
        }
        sizes = {"listed": listed, "inventory": files, "missing": found["missing"], "orphan": found["orphans"],
                 "mismatch": found["mismatches"], "twin": 0}  # fmt: skip
        return numbers | {f"{name}Bytes": number * 1_400_000_000 for name, number in sizes.items()}

    def follow(self, run: RunDirectory) -> dict[str, int]:
        """What became of what the run before asked for."""
        run_id, at = self.asked_by
        rows = [
            {"path": path, "request": request, "run_id": run_id, "asked_at": _time(at),
             "became": "queued" if n % 7 == 3 else "recovered" if request == "transfer" else "removed"}
            for n, (path, request) in enumerate(self.asked)
        ]  # fmt: skip
        self.asked = []
        if not rows:
            return {}
        _write(run, "followed.parquet", FOLLOWED, rows)
        names = {"recovered": "requestsRecovered", "removed": "requestsRemoved", "queued": "requestsQueued"}
        return {name: sum(row["became"] == became for row in rows) for became, name in names.items()}

    def act(self, run: RunDirectory, found: dict[str, list[dict[str, Any]]], at: float) -> dict[str, Any]:
        rows, numbers = [], {}
        for kind, request in (("missing", "transfer"), ("orphans", "delete")):
            confirmed = found[kind][: len(found[kind]) * 4 // 5]
            skipped = confirmed[:3]
            asked = [finding["path"] for finding in confirmed[3:]]
            self.asked += [(path, request) for path in asked]
            rows += [_action(path, (kind, request), "requested", None, at) for path in asked]
            rows += [_action(one["path"], (kind, request), "skipped", "it is there now", None) for one in skipped]
            numbers[kind] = {"request": request, "confirmed": len(confirmed), "requested": len(asked), "waiting": 0,
                             "unanswered": 0, "leftOver": 0, "refused": {}, "heldBack": {},
                             "skipped": {"it is there now": len(skipped)} if skipped else {}}  # fmt: skip
        _write(run, "actions.parquet", ACTION, rows)
        self.asked_by = (run.run_id, at)
        return numbers

    def summary(
        self, run: RunDirectory, outcome: Outcome, counts: dict[str, int], actions: dict[str, Any], times: list[float]
    ) -> dict[str, Any]:
        complete = outcome.result == "Complete"
        holes = [{"path": path, "reason": "permission denied"} for path in _holes(outcome)]
        artifacts = {kind: f"findings/{FILES[kind]}.parquet" for kind in outcome.found}
        return {
            "site": run.site,
            "runId": run.run_id,
            "backend": "default",
            "fingerprint": "0123456789abcdef",
            "startTime": _iso(times[0]),
            "endTime": _iso(times[5] if complete else times[2]),
            "result": outcome.result,
            "reason": outcome.reason,
            "roots": {root.path: {} for root in self.check.spec.listing.roots},
            "snapshots": {"before": {"takenAt": times[0], "rows": self.sample.files}, "after": {"takenAt": times[4]}},
            "counts": counts,
            "gates": list(self.gates(outcome)) if complete else [],
            "actions": actions,
            "holes": holes[:20],
            "notes": ["shard 3 was listed twice: its first pod was evicted"] if outcome.holes > 2 else [],
            "listing": {"source": "xrootd root://door01.example.org", "shards": 4, "firstListedAt": times[2],
                        "lastListedAt": times[3], "elapsedSeconds": 4 * (times[3] - times[2]), "notes": []},
            "artifacts": artifacts,
        }  # fmt: skip

    def gates(self, outcome: Outcome) -> Iterable[dict[str, str]]:
        confirmed = ", ".join(
            f"{kind} {outcome.found[kind] * 4 // 5} of {outcome.found[kind]}" for kind in ("missing", "orphans")
        )
        closed = dict(outcome.closed)
        if self.sample.mode == "Report":
            closed["Mode"] = (
                "Pending",
                "missing Report, orphans Report",
                "Enforce",
                "no kind of finding is enforced; this check only reports",
            )
        for name, (observed, limit, message) in GATES.items():
            told = closed.get(name, ("Ready", observed or confirmed, limit, message))
            yield {"name": name, **dict(zip(("state", "observed", "limit", "message"), told, strict=True))}


def _holes(outcome: Outcome) -> list[str]:
    return [f"/store/data/Run2018{'AB'[n % 2]}/Broken{n // 40:03d}/v{n:03d}" for n in range(outcome.holes)]


def _check(sample: Sample, start: float) -> SiteConsistencyCheck:
    at = datetime.fromtimestamp(start, UTC)
    policy = {kind: {"mode": sample.mode} for kind in ("missing", "orphans")}
    return SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": sample.name},
            "spec": {
                "site": sample.site,
                "schedule": f"{at.minute} {at.hour} * * {(at.weekday() + 1) % 7}",
                "listing": {"roots": [{"path": "/store/data"}, {"path": "/store/mc"}], "shards": 4},
                "policy": policy,
            },
        }
    )


AREAS = [
    ("/store/mc/Summer20", ["TTJets", "DYJets", "WJets", "QCD_Pt"], "AODSIM", 50),
    ("/store/mc/Summer20", ["TTJets", "DYJets", "WJets"], "MINIAODSIM", 22),
    ("/store/mc/Spring19", ["Forgotten", "TTJets"], "AODSIM", 6),
    ("/store/data/Run2018A", ["DoubleMuon", "EGamma", "JetHT"], "NANOAOD", 12),
    ("/store/data/Run2018B", ["DoubleMuon", "EGamma"], "AOD", 10),
]


def _findings(kind: str, number: int, n: int, sample: Sample, start: float) -> list[dict[str, Any]]:
    """Nine of ten stand from run to run; those of a kind are where such things are."""
    rows = []
    for index in range(number):
        area, primaries, tier, _ = AREAS[(2 if index % 4 else 0) if kind == "orphans" else index % len(AREAS)]
        primary = primaries[index % len(primaries)]
        born = n if index % 10 == 9 else 0
        path = f"{area}/{primary}/{tier}/v1/{index // 100:05d}/{kind}-{born:02d}-{index:06d}.root"
        era = area.rsplit("/", 1)[-1]
        rows.append(
            {
                "path": path.encode() if kind != "emptyDirectories" else path.removesuffix(".root").encode(),
                "size": None if kind in ("orphans", "emptyDirectories") else 1_000_000_000 + index * 7919,
                "site_size": None if kind in ("missing", "emptyDirectories") else 900_000_000 + index * 104729,
                "mtime": None if kind == "missing" else int(start - (3 + (index * index) % 900) * DAY),
                "dataset": None if kind in ("orphans", "emptyDirectories") else f"/{primary}/{era}-v1/{tier}",
                "root": "/".join(area.split("/")[:3]),
            }
        )
    if kind == "orphans" and sample.site == "T2_US_Nebraska":
        rows[: len(HOSTILE)] = [
            row | {"path": path, "root": "/store/mc"} for row, path in zip(rows, HOSTILE, strict=False)
        ]
    return rows


def _reports(run: RunDirectory, found: dict[str, list[dict[str, Any]]], files: int, at: float) -> None:
    lost = [finding["path"] for finding in found["missing"][::9]]
    with run.writing("reports/nosource.txt") as path:
        path.write_bytes(b"".join(name + b"\n" for name in lost))
    with run.writing("reports/unrecoverable.txt") as path:
        path.write_bytes(b"".join(name + b"\n" for name in lost[::4]))
    usage: dict[str, int] = {}
    whole = sum(weight * len(primaries) for _, primaries, _, weight in AREAS)
    for area, primaries, _, weight in AREAS:
        for primary in primaries:
            share = files * weight // whole
            parts = f"{area}/{primary}".split("/")
            for depth in range(3, len(parts) + 1):
                usage["/".join(parts[:depth])] = usage.get("/".join(parts[:depth]), 0) + share
    shares = [
        {
            "path": [path],
            "numberoffiles": number,
            "usedsize": number * 1_400_000_000,
            "totalsize": 0,
            "timestamp": int(at),
        }
        for path, number in sorted(usage.items())
    ]
    run.write_json(
        "reports/storage.json", {"storageservice": {"name": run.site, "latestupdate": int(at), "storageshares": shares}}
    )


def _action(path: bytes, of: tuple[str, str], outcome: str, reason: str | None, at: float | None) -> dict[str, Any]:
    when = None if at is None else _time(at)
    return {"path": path, "kind": of[0], "request": of[1], "outcome": outcome, "reason": reason, "asked_at": when,
            "answered_at": when, "gates": json.dumps([])}  # fmt: skip


def _write(run: RunDirectory, name: str, schema: pa.Schema, rows: list[dict[str, Any]]) -> None:
    with run.writing(name) as path:
        pq.write_table(pa.Table.from_pylist(rows, schema), path, compression="zstd")


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _iso(seconds: float) -> str:
    return f"{_time(seconds):%Y-%m-%dT%H:%M:%SZ}"


if __name__ == "__main__":
    make(Path(sys.argv[1]))
