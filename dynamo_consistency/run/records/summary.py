"""`summary.json`: the run on one page, for people, for the operator's status and for the runs that follow."""

import hashlib
import json
import time
from datetime import UTC, datetime
from typing import Any, Literal

from dynamo_consistency import secrets
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.kinds import FINDING_KINDS, UNMERGED
from dynamo_consistency.run.listing import failed_shards
from dynamo_consistency.run.records import notes
from dynamo_consistency.run.store.run_directory import SUMMARY, RunDirectory, shard_name

RunResult = Literal["Complete", "Invalid", "Failed"]
Summary = dict[str, Any]

_HOLES_SHOWN = 20


def fingerprint(check: SiteConsistencyCheck) -> str:
    """What is compared with what, as a short text; findings of runs that differ in it confirm nothing together."""
    spec = check.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    listing = spec["listing"]
    compared = {
        "site": spec["site"],
        "backend": spec["backend"],
        "source": compared_source(check),
        "roots": sorted(root["path"] for root in listing["roots"]),
        "exclude": sorted(listing["exclude"]),
        "ignore": sorted(spec["comparison"]["ignore"]),
    }
    if not check.spec.comparison.ignore_names_of_servers:
        compared["ignoreNamesOfServers"] = False
    return hashlib.sha256(json.dumps(compared, sort_keys=True).encode()).hexdigest()[:16]


def compared_source(check: SiteConsistencyCheck) -> dict[str, Any] | None:
    """What lists the site; by whichever client, the same doors show the same files."""
    if check.spec.listing.source is None:
        return None
    source = check.spec.listing.source.model_dump(mode="json", by_alias=True, exclude_none=True)
    if xrootd := source.get("xrootd"):
        del xrootd["client"]
    return source


def summarise(
    run: RunDirectory,
    check: SiteConsistencyCheck,
    result: RunResult,
    *,
    reason: str = "",
    counts: dict[str, Any] | None = None,
    unmerged: dict[str, Any] | None = None,
) -> Summary:
    """The summary of a run from what is in its directory.

    `counts` as `compare` returns them, for a complete run; `unmerged` as `find_unmerged` does, where it has an area.
    """
    numbers = dict(counts or {})
    area = dict(unmerged or {})
    numbers |= {key: area.pop(key) for key in (UNMERGED.name, UNMERGED.bytes_name) if key in area}
    shards = _shards(run, check)
    aliases = numbers.pop("aliases", [])
    return ({"unmerged": area} if area else {}) | {
        "site": run.site,
        "runId": run.run_id,
        "backend": check.spec.backend,
        "fingerprint": fingerprint(check),
        "startTime": _iso(_start(run)),
        "endTime": _iso(time.time()),
        "result": result,
        "reason": secrets.redact(reason),
        "roots": numbers.pop("roots", {}),
        "snapshots": {name: run.read_json(file) for name, file in _snapshots(run).items()},
        "counts": {key: value for key, value in numbers.items() if key != "snapshots"},
        "gates": [],
        "actions": {},
        "holes": [*aliases, *(hole for shard in shards for hole in shard["holes"])][:_HOLES_SHOWN],
        "notes": notes.gathered(run),
        "listing": {
            "source": shards[0]["source"] if shards else None,
            "shards": len(shards),
            "firstListedAt": min((shard["listedAt"] for shard in shards), default=None),
            "lastListedAt": max((shard["listedAt"] for shard in shards), default=None),
            "elapsedSeconds": round(sum(shard["elapsedSeconds"] for shard in shards), 1),
            "notes": [*_absences(shards, check), *(note for shard in shards for note in shard["notes"])][:_HOLES_SHOWN],
        },
        "artifacts": {kind.name: kind.file for kind in FINDING_KINDS if counts is not None and run.exists(kind.file)},
    }


def write_summary(run: RunDirectory, summary: Summary) -> None:
    run.write_json(SUMMARY, summary)


def _snapshots(run: RunDirectory) -> dict[str, str]:
    files = {name: f"inventory/{name}.json" for name in ("before", "after")}
    return {name: file for name, file in files.items() if run.exists(file)}


def _shards(run: RunDirectory, check: SiteConsistencyCheck) -> list[dict[str, Any]]:
    names = [f"{shard_name(shard)}.json" for shard in range(check.spec.listing.shards)]
    return [run.read_json(name) for name in names if run.exists(name)]


def _absences(shards: list[dict[str, Any]], check: SiteConsistencyCheck) -> list[str]:
    """What is to be said of shards that were let fail; nothing before the comparison has allowed for them."""
    present = {shard["shard"] for shard in shards}
    absent = [shard for shard in range(check.spec.listing.shards) if shard not in present]
    return failed_shards.notes(absent) if len(absent) <= check.spec.listing.max_failed_shards else []


def _start(run: RunDirectory) -> float:
    before = _snapshots(run).get("before")
    return float(run.read_json(before)["takenAt"]) if before else time.time()


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
