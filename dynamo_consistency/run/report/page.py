"""`report.html`: one page that explains a run to a person, complete in itself, so that it can be mailed."""

from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from dynamo_consistency import text
from dynamo_consistency.kinds import COMPARED_KINDS, FINDING_KINDS, KIND_BY_NAME
from dynamo_consistency.run.report import sections
from dynamo_consistency.run.report.tables import Tables, shards
from dynamo_consistency.run.report.trend import trend
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.templates import environment

_OPTIONAL: dict[str, Any] = {"counts": {}, "roots": {}, "gates": [], "actions": {}, "unmerged": {}, "notes": []}


def write_page(run: RunDirectory, tables: Tables, summary: dict[str, Any], artifacts: dict[str, str]) -> dict[str, str]:
    """Write `report.html` from the summary and the tables; names and reasons are shown, never interpreted."""
    content = (
        _environment()
        .get_template("page.html.j2")
        .render(
            css=Markup(files(__package__).joinpath("page.css").read_text(encoding="utf-8")),  # noqa: S704 (our own)
            summary=_OPTIONAL | summary,
            verdict=_verdict(summary),
            trend=trend(run, tables, summary.get("counts", {})),
            actions=list(_actions(summary.get("actions", {}))),
            kinds=FINDING_KINDS,
            where=run.url,
            sections=[*sections.holes(tables), *sections.findings(tables)],
            tops=list(sections.tops(tables)),
            facts=list(_facts(run, summary)),
            shards=shards(run),
            artifacts=artifacts,
        )
    )
    run.write_text("reports/report.html", content)
    return {"report": "reports/report.html"}


def _environment() -> jinja2.Environment:
    made = environment(jinja2.PackageLoader(__package__, "."))
    made.filters |= {"said": text.said, "timestamp": text.timestamp}
    return made


def _verdict(summary: dict[str, Any]) -> tuple[str, str]:
    """(tone, sentence); the tone is good, attention or bad."""
    if summary["result"] != "Complete":
        return "bad", f"This run proves nothing: {text.said(summary['reason'])}"
    counts = summary["counts"]
    numbers = {kind: counts[kind.name] for kind in COMPARED_KINDS if counts.get(kind.name)}
    found = [f"{text.count(number)} {kind.word_for(number)}" for kind, number in numbers.items()]
    if found:
        return "attention", f"The site differs from its inventory: {', '.join(found)}"
    if counts.get("holes"):
        return "attention", "What could be listed of the site agrees with its inventory"
    return "good", "The site agrees with its inventory"


def _actions(actions: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """(kind in words, what was requested and what was not) for each kind that was acted on."""
    for name, action in actions.items():
        kind = KIND_BY_NAME.get(name)
        yield kind.title if kind else text.said(name), [text.said(phrase) for phrase in text.outcomes(action)]


def _facts(run: RunDirectory, summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    start, end = summary["startTime"], summary["endTime"]
    yield "Started", start
    yield "Ended", end
    yield "Took", text.duration((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
    yield "Backend", text.said(summary["backend"])
    for title, name in (("First snapshot", "before"), ("Second snapshot", "after")):
        if run.exists(f"inventory/{name}.json"):
            taken = run.read_json(f"inventory/{name}.json")
            description = text.said(taken.get("description") or "")
            yield title, text.snapshot(taken["takenAt"], taken["rows"], description)
    yield "Roots", ", ".join(text.said(root.path) for root in run.check().spec.listing.roots)
