"""One run that is damaged or unfinished never takes a page down: it is named, and the rest is shown."""

import json
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from made_runs import Made, action, write_actions, write_findings, write_followed

SEEDS = 40


def summary_with(change: Callable[[dict], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        summary = json.loads((folder / "summary.json").read_text())
        change(summary)
        (folder / "summary.json").write_text(json.dumps(summary))

    return damage


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no summary": lambda folder: (folder / "summary.json").unlink(),
    "empty summary": lambda folder: (folder / "summary.json").write_bytes(b""),
    "half a summary": lambda folder: os.truncate(folder / "summary.json", 300),
    "no text": lambda folder: (folder / "summary.json").write_bytes(b"\xff\xfe\0"),
    "deep": lambda folder: (folder / "summary.json").write_text("[" * 100_000),
    "another thing": lambda folder: (folder / "summary.json").write_text("[1, 2]"),
    "a summary that is a folder": lambda folder: (
        (folder / "summary.json").unlink(),
        (folder / "summary.json").mkdir(),
    ),
    "a summary that is a pipe": lambda folder: ((folder / "summary.json").unlink(), os.mkfifo(folder / "summary.json")),
    "findings that are a pipe": lambda folder: (
        (folder / "findings/missing.parquet").unlink(),
        os.mkfifo(folder / "findings/missing.parquet"),
    ),
    "counts of text": summary_with(lambda summary: summary.update(counts={"inventoryFiles": "many"})),
    "gates of numbers": summary_with(lambda summary: summary.update(gates=[1, 2])),
    "a gate without a state": summary_with(lambda summary: summary["gates"][0].pop("state")),
    "actions of text": summary_with(lambda summary: summary.update(actions={"missing": {"requested": "two"}})),
    "a time of nonsense": summary_with(lambda summary: summary.update(startTime="yesterday")),
    "a time beyond calendars": summary_with(lambda summary: summary["snapshots"]["before"].update(takenAt=1e300)),
    "holes of numbers": summary_with(lambda summary: summary.update(holes=[1, {"path": 3}, None, {"path": "\ud800"}])),
    "notes of numbers": summary_with(lambda summary: summary.update(notes=[1, None, {"a": 1}])),
    "roots of text": summary_with(lambda summary: summary.update(roots="everywhere")),
    "snapshots of text": summary_with(lambda summary: summary.update(snapshots="taken", listing="done")),
    "no check": lambda folder: (folder / "check.yaml").unlink(),
    "a check of nonsense": lambda folder: (folder / "check.yaml").write_bytes(b"{\xff: ["),
    "no claim": lambda folder: (folder / "claim.json").unlink(),
    "a claim of nonsense": lambda folder: (folder / "claim.json").write_text("[]"),
    "findings of nonsense": lambda folder: (folder / "findings/missing.parquet").write_bytes(b"PAR1" + bytes(90)),
    "half the findings": lambda folder: os.truncate(folder / "findings/missing.parquet", 400),
    "no findings": lambda folder: (folder / "findings/missing.parquet").unlink(),
    "actions of nonsense": lambda folder: (folder / "actions.parquet").write_bytes(b"no"),
    "followed of nonsense": lambda folder: (folder / "followed.parquet").write_bytes(b"no"),
    "storage of nonsense": lambda folder: (folder / "reports/storage.json").write_text('{"storageservice": []}'),
    "unlisted of nonsense": lambda folder: (folder / "reports/unlisted.txt").write_bytes(b"\xff\0\n\n\t\t\\"),
}


def filled(store: Path, days: float) -> Made:
    made = Made(
        start=datetime.now(UTC) - timedelta(days=days),
        counts={"missing": 2},
        actions={"missing": action("transfer", 1, requested=1)},
        schedule="0 3 * * *",
    )
    folder = made.write(store)
    write_findings(folder, "missing", [{"path": b"/store/a", "size": 1}, {"path": b"/store/b", "size": 2}])
    asked = {"path": b"/store/a", "kind": "missing", "request": "transfer", "outcome": "requested"}
    write_actions(folder, [asked])
    write_followed(folder, [{"path": b"/store/a", "request": "transfer", "run_id": "x", "became": "recovered"}])
    (folder / "reports").mkdir()
    (folder / "reports/storage.json").write_text('{"storageservice": {"storageshares": []}}')
    (folder / "reports/unlisted.txt").write_text("/store/x\tno\n")
    return made


def addresses(runs: list[Made]) -> list[str]:
    """Of everything that is shown of runs."""
    site = "/api/v1/sites/T2_X"
    of_runs = [
        f"{site}/runs/{run.run_id}{rest}"
        for run in runs
        for rest in ("", "/findings/missing", "/lists/missing.csv", "/lists/missing.txt", "/lists/missing.parquet")
    ]
    return ["/api/v1/sites", site, "/metrics", f"{site}/file?path=/store/a", f"{site}/file?path=/store/*", *of_runs]


def answers(client, runs: list[Made]) -> dict[str, int]:
    """Address → status. What a run itself has lost may be not there, or not be read now; it is never unexpected."""
    return {address: client.get(address).status_code for address in addresses(runs)}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_run_leaves_everything_else_as_it_is(client, store, damage):
    whole, damaged = filled(store, 2), filled(store, 1)
    damage(store / "T2_X" / damaged.run_id)
    found = answers(client, [whole, damaged])
    assert {status for address, status in found.items() if damaged.run_id not in address} == {200}
    assert set(found.values()) <= {200, 404, 503}


def test_a_damaged_summary_is_named_on_the_first_page(client, store):
    filled(store, 2)
    last = filled(store, 1)
    (store / "T2_X" / last.run_id / "summary.json").write_text("{")
    page = client.get("/api/v1/sites").json()
    assert [problem["runId"] for problem in page["problems"]] == [last.run_id]
    assert [(row["state"], row["lastRun"]["result"]) for row in page["rows"]] == [("Failed", "Unreadable")]


def test_a_store_that_has_gone_is_told_and_the_service_goes_on(client, store):
    made = filled(store, 1)
    assert client.get("/api/v1/sites").status_code == 200
    moved = store.rename(store.with_name("moved"))
    assert client.get("/healthz").status_code == 200
    store.write_text("no folder")
    assert set(answers(client, [made]).values()) <= {200, 404, 503}
    store.unlink()
    moved.rename(store)
    assert client.get(f"/api/v1/sites/T2_X/runs/{made.run_id}").status_code == 200


@pytest.mark.parametrize("seed", range(SEEDS))
def test_any_bytes_in_any_file_are_survived(client, store, seed):
    """A file of the last run, with a piece of it replaced by chance."""
    chance = random.Random(seed)
    runs = [filled(store, 2), filled(store, 1)]
    file = chance.choice([path for path in (store / "T2_X" / runs[1].run_id).rglob("*") if path.is_file()])
    content = bytearray(file.read_bytes())
    at = chance.randrange(len(content))
    content[at : at + chance.randrange(1, 30)] = chance.randbytes(chance.randrange(0, 30))
    file.write_bytes(content)
    assert set(answers(client, runs).values()) <= {200, 404, 503}
