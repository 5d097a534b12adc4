"""A run's page, put together."""

import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dynamo_consistency import text
from dynamo_consistency.kinds import FINDING_KINDS, FindingKind
from dynamo_consistency.paths import to_bytes
from dynamo_consistency.secrets import redact
from dynamo_consistency.web.answers.condition import after_failure, awaits_approval, condition_of, next_step
from dynamo_consistency.web.answers.run.funnel import funnels
from dynamo_consistency.web.answers.run.numbers import ages, changes, datasets
from dynamo_consistency.web.answers.run.source import RunSource
from dynamo_consistency.web.answers.run.where import roots
from dynamo_consistency.web.answers.sites import reference
from dynamo_consistency.web.index.checks import CheckFacts
from dynamo_consistency.web.index.digest import Digest, read_id, safe
from dynamo_consistency.web.models import Download, Gate, Hole, Name, Problem, RunPage, RunReference

FORMATS = {"text": "txt", "csv": "csv", "parquet": "parquet"}
"""Formats of lists, and how the names of such files end."""
_HOLES_SHOWN = 20
_NOTES_SHOWN = 50


def page_of(source: RunSource, check: CheckFacts | None, store_url: str) -> RunPage:
    """`check`: as the run holds it. What cannot be read is left out and named among the problems."""
    run, summary = source.digest, source.summary
    funnel, trees = funnels(source, summary, check), roots(source)
    by_dataset, number_of_datasets = datasets_of(source)
    return RunPage(
        site=source.site,
        check=source.check,
        run=reference(run),
        took_seconds=run.end - run.start if run.end is not None and run.start is not None else None,
        is_in_force=bool(source.complete) and source.complete[-1] is run,
        before=_neighbour(source, -1),
        after=_neighbour(source, +1),
        compared_with=reference(source.complete_before) if source.complete_before and run.is_complete else None,
        next_step=_next_step(source, check),
        notes=[safe(note) for note in _list(summary, "notes")[:_NOTES_SHOWN]],
        facts=_facts(summary),
        counts=dict(run.counts),
        funnels=funnel,
        gates=_gates(summary),
        roots=trees,
        datasets=by_dataset,
        datasets_total=number_of_datasets,
        ages=_ages(source),
        changes=list(changes(source)) if run.is_complete else [],
        holes=[hole for hole in map(_hole, _list(summary, "holes")[:_HOLES_SHOWN]) if hole],
        holes_total=run.counts.get("holes", 0),
        downloads=[_download(kind, run) for kind in FINDING_KINDS if run.is_complete and kind.name in run.counts],
        approval=_approval(source, check, store_url),
        problems=[Problem(site=source.site, run_id=run.run_id, message=problem) for problem in source.problems],
    )


def datasets_of(source: RunSource) -> tuple[list[Any], int]:
    with source.shown_as_far_as_possible("which datasets have missing files"):
        return datasets(source)
    return [], 0


def _ages(source: RunSource) -> list[Any]:
    with source.shown_as_far_as_possible("how old the orphans are"):
        return ages(source)
    return []


def _neighbour(source: RunSource, step: int) -> RunReference | None:
    place = source.runs.index(source.digest) + step
    return reference(source.runs[place]) if 0 <= place < len(source.runs) else None


def _next_step(source: RunSource, check: CheckFacts | None) -> str:
    run = source.digest
    if source.later:
        return f"Look at run {source.later[-1].run_id}: its findings are in force instead of these."
    up_to_here = [one for one in source.runs if one.order <= run.order]
    condition = condition_of(up_to_here, check, datetime.now(UTC))
    if run.has_ended:
        return next_step(condition, check)
    goes_on = condition.running is not None and run is source.runs[-1]
    return "Nothing to do: this run is under way." if goes_on else after_failure(run)


def _list(summary: Mapping[str, Any], key: str) -> list[Any]:
    value = summary.get(key)
    return value if isinstance(value, list) else []


def _gates(summary: Mapping[str, Any]) -> list[Gate]:
    """Of a summary whose digest could be made, so that they are whole."""
    return [Gate(**{key: safe(gate[key]) for key in Gate.model_fields}) for gate in summary.get("gates", [])]


def _hole(hole: Any) -> Hole | None:
    if not isinstance(hole, dict):
        return None
    try:
        path = to_bytes(str(hole.get("path", "")))
    except UnicodeEncodeError:  # half a character, which no path has but JSON may hold
        return None
    return Hole(path=Name.of(path), reason=safe(hole.get("reason", "")))


def _facts(summary: Mapping[str, Any]) -> dict[str, str]:
    facts = {"Backend": safe(summary.get("backend", ""))}
    snapshots, listing = summary.get("snapshots"), summary.get("listing")
    for title, name in (("First snapshot", "before"), ("Second snapshot", "after")):
        taken = snapshots.get(name) if isinstance(snapshots, dict) else None
        if isinstance(taken, dict) and isinstance(taken.get("rows"), int):
            described = safe(taken.get("description") or "")
            facts[title] = text.snapshot(taken.get("takenAt"), taken["rows"], described)
    if isinstance(listing, dict) and listing.get("source"):
        facts["Listed from"] = safe(listing["source"])
    if isinstance(summary.get("roots"), dict):
        facts["Roots"] = ", ".join(safe(root) for root in summary["roots"])
    return {title: fact for title, fact in facts.items() if fact}


def _download(kind: FindingKind, run: Digest) -> Download:
    return Download(
        kind=kind.name,
        file_name=kind.file_name,
        title=kind.title,
        meaning=kind.meaning,
        total=run.counts[kind.name],
        bytes=run.counts.get(kind.bytes_name) if kind.bytes_name else None,
        names={format_: f"{kind.word}.{ending}" for format_, ending in FORMATS.items()},
    )


def _approval(source: RunSource, check: CheckFacts | None, store_url: str) -> dict[str, str]:
    """The commands by which this run is approved, where it waits for that."""
    run = source.digest
    if not run.is_complete or source.later or not awaits_approval(run):
        return {}
    if check is None or check.namespace is None:
        store = shlex.quote(redact(store_url))
        command = f"dynamo-consistency run -f CHECK.yaml --store {store} --approve {shlex.quote(run.run_id)}"
        return {"With the file of the check": command}
    number = run.run_id.partition("-")[0] if read_id(run.run_id).time is not None else run.run_id
    command = (
        f"kubectl annotate sitecheck -n {shlex.quote(check.namespace)} {shlex.quote(check.name)} --overwrite "
        f"--field-manager=$USER consistency.dynamo.io/approve={shlex.quote(number)}"
    )
    return {"In the cluster": command, "Or in the check, in git": f'spec: {{approve: {{run: "{number}"}}}}'}
