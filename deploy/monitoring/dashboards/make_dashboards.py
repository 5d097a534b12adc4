"""Writes `fleet.json` and `site.json` beside this file: `make dashboards`.

Every query takes the maximum over whatever labels a scrape adds (pod, instance), so that a new pod of the operator does
not show twice what is known of a check.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as shared
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

PREFIX = "site_consistency"
FLEET, SITE = "consistency-fleet", "consistency-site"
DATASOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
WHOSE = ("site", "obj_namespace", "obj_name")
NOT_COMPLETE = 'result!="Complete"'
PROBLEM_GATES = 'gate=~"Inventory|ListingHealth|Limits"'
OF_FLEET, OF_SITE = 'site=~"$site"', 'site="$site", obj_name=~"$check"'


class Query(NamedTuple):
    """A query, and what its series are called."""

    expr: str
    legend: str = ""


class Board(NamedTuple):
    """How the metrics of the checks that a board shows are written."""

    selector: str

    def of(self, metric: str, *labels: str, where: str = "") -> str:
        """A metric of each check, with these labels of its own."""
        selector = f"{self.selector}, {where}" if where else self.selector
        return f"max by ({', '.join((*WHOSE, *labels))}) ({PREFIX}_{metric}{{{selector}}})"

    def last_success(self) -> str:
        """When a check last succeeded, or was made."""
        return f"({self.of('last_success_timestamp_seconds')} or {self.of('created_timestamp_seconds')})"

    def overdue(self) -> str:
        """Checks without a success for two intervals."""
        late = f"time() - {self.last_success()} > 2 * {self.of('expected_interval_seconds')}"
        return f"({late}) and {self.of('suspended')} == 0"

    def failed(self) -> str:
        """Checks whose last run is not complete."""
        return f"{self.of('last_run_result', 'result', 'reason', where=NOT_COMPLETE)} == 1"

    def closed(self) -> str:
        """Gates that mean a problem."""
        return f"{self.of('gate_closed', 'gate', where=PROBLEM_GATES)} == 1"


def own(metric: str) -> str:
    """A metric of the operator itself."""
    return f"max({PREFIX}_operator_{metric})"


def number_of(expr: str) -> str:
    """How many checks, 0 included."""
    return f"count(count by ({', '.join(WHOSE)}) ({expr})) or vector(0)"


def _shown(panel: Any, title: str, description: str, *queries: Query, unit: str, size: tuple[int, int]) -> Any:
    width, height = size
    panel.title(title).description(description).unit(unit).span(width).height(height).datasource(DATASOURCE)
    for name, query in zip("ABCDEFGHIJKLMN", queries, strict=False):
        target = prometheus.Dataquery().ref_id(name).expr(query.expr).legend_format(query.legend)
        if isinstance(panel, stat.Panel):
            target.instant()
        elif isinstance(panel, table.Panel):
            target.instant().format(PromQueryFormat.TABLE)
        else:
            target.range()
        panel.with_target(target)
    return panel


def _steps(*steps: tuple[float | None, str]) -> dashboard.ThresholdsConfig:
    made = [models.Threshold(value=value, color=color) for value, color in steps]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(made)


def tile(title: str, description: str, query: str, *, unit: str = "none", bad: str = "", legend: str = "") -> Any:
    """One number; `bad`: the colour of any above 0. With a `legend` that is shown in its place."""
    panel = stat.Panel().reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"])).no_value("none")
    panel.graph_mode(shared.BigValueGraphMode.NONE)
    panel.text_mode(shared.BigValueTextMode.NAME if legend else shared.BigValueTextMode.VALUE)
    panel.thresholds(_steps((None, "green"), (1, bad)) if bad else _steps((None, "blue")))
    return _shown(panel, title, description, Query(query, legend), unit=unit, size=(4, 4))


def lines(title: str, description: str, *queries: Query, unit: str = "short", width: int = 12) -> Any:
    """Lines over time."""
    panel = timeseries.Panel().min(0).fill_opacity(5).span_nulls(True)
    return _shown(panel, title, description, *queries, unit=unit, size=(width, 8))


def bands(title: str, description: str, query: Query) -> Any:
    """What was so, when."""
    panel = statetimeline.Panel().merge_values(True).show_value(shared.VisibilityMode.NEVER)
    panel.thresholds(_steps((None, "green"), (1, "orange")))
    return _shown(panel, title, description, query, unit="none", size=(24, 6))


COLUMNS: dict[str, tuple[Callable[[Board], str], str]] = {
    "Troubles": (
        lambda b: (
            f"count by ({', '.join(WHOSE)}) (({b.failed()}) or ({b.closed()}) or ({b.of('awaiting_approval')} == 1))"
        ),
        "none",
    ),
    "Since success": (lambda b: f"time() - {b.last_success()}", "s"),
    "Missing": (lambda b: b.of("files", where='kind="missing"'), "short"),
    "Orphans": (lambda b: b.of("files", where='kind="orphans"'), "short"),
    "Orphan bytes": (lambda b: b.of("bytes", where='kind="orphanBytes"'), "bytes"),
    "Mismatches": (lambda b: b.of("files", where='kind="mismatches"'), "short"),
    "Empty directories": (lambda b: b.of("files", where='kind="emptyDirectories"'), "short"),
    "Holes": (lambda b: b.of("holes"), "short"),
    "Next run in": (lambda b: f"{b.of('next_run_timestamp_seconds')} - time()", "s"),
}
"""Of the table of all checks: the query of each, and its unit."""


def sites(board: Board) -> Any:
    """The table of all checks, those first that need a person."""
    names = dict(zip("ABCDEFGHIJKLMN", COLUMNS, strict=False))
    renamed = {f"Value #{letter}": name for letter, name in names.items()}
    renamed |= {"site": "Site", "obj_namespace": "Namespace", "obj_name": "Check"}
    order = {name: place for place, name in enumerate((*WHOSE, *(f"Value #{letter}" for letter in names)))}
    panel = table.Panel().sort_by([common.TableSortByFieldState().display_name("Troubles").desc(True)])
    panel.with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
    organised = {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": renamed}
    panel.with_transformation(models.DataTransformerConfig(id_val="organize", options=organised))
    for name, (_, unit) in COLUMNS.items():
        panel.override_by_name(name, [models.DynamicConfigValue("unit", unit)])
    link = {"title": "The site", "url": f"/d/{SITE}?var-site=${{__data.fields.Site}}&${{datasource:queryparam}}"}
    panel.override_by_name("Site", [models.DynamicConfigValue("links", [link])])
    description = (
        "A row for each check. Troubles: a run that failed, gates that are closed, an approval that is waited for."
    )
    queries = [Query(query(board)) for query, _ in COLUMNS.values()]
    return _shown(panel, "Sites", description, *queries, unit="none", size=(24, 12))


def _board(title: str, uid: str, description: str) -> dashboard.Dashboard:
    board = dashboard.Dashboard(title).uid(uid).description(description).tags(["dynamo-consistency"])
    board.time("now-30d", "now").refresh("5m").timezone("browser").readonly()
    board.with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    return board


def _variable(name: str, label: str, values: str) -> dashboard.QueryVariable:
    variable = dashboard.QueryVariable(name).label(label).query(f"label_values({values})").datasource(DATASOURCE)
    return variable.refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(models.VariableSort.ALPHABETICAL_ASC)


def fleet() -> dashboard.Dashboard:
    """All checks."""
    b, each = Board(OF_FLEET), "{{site}} {{obj_name}}"
    board = _board("Consistency: all sites", FLEET, "All checks of the consistency operator, and the operator itself.")
    board.with_variable(
        _variable("site", "Site", f"{PREFIX}_ready, site").multi(True).include_all(True).all_value(".*")
    )
    waiting = f"sum({b.of('awaiting_approval')})"
    missing, orphans = (Query(b.of("files", where=f'kind="{kind}"'), each) for kind in ("missing", "orphans"))
    duration = Query(b.of("last_run_duration_seconds"), each)
    by_result = Query(f"count by (result) ({b.of('last_run_result', 'result')})", "{{result}}")
    queue = {"places_used": "on", "places": "places", "queue_length": "queued"}
    health = {"problems": "problems", "overdue_seconds": "overdue (s)"}
    told = "What /healthz names, and the seconds for which the most neglected check has been due."
    for panel in (
        tile("Checks", "SiteConsistencyCheck resources.", f"count({b.of('ready')})"),
        tile("Failed", "Their last run is not complete.", number_of(b.failed()), bad="red"),
        tile("Gates closed", "Inventory, ListingHealth or Limits.", number_of(b.closed()), bad="red"),
        tile("Wait for approval", "Runs that wait for a person.", waiting, bad="orange"),
        tile("Overdue", "No success for two intervals.", number_of(b.overdue()), bad="orange"),
        tile("Runs on", "Runs that hold a place.", own("places_used")),
        sites(b),
        lines("Missing files", "Of the last complete run.", missing),
        lines("Orphans", "Of the last complete run.", orphans),
        lines("Duration of runs", "With the time in the queue.", duration, unit="s"),
        lines("Checks by result", "Of their last run.", by_result),
        lines("Places for runs", "And what waits for one.", *(Query(own(name), said) for name, said in queue.items())),
        lines("Operator", told, *(Query(own(name), said) for name, said in health.items())),
    ):  # fmt: skip
        board.with_panel(panel)
    return board


def site() -> dashboard.Dashboard:
    """One site over time."""
    b = Board(OF_SITE)
    board = _board("Consistency: one site", SITE, "The checks of one site over time.")
    board.with_variable(_variable("site", "Site", f"{PREFIX}_ready, site"))
    checks = _variable("check", "Check", f'{PREFIX}_ready{{site="$site"}}, obj_name')
    board.with_variable(checks.multi(True).include_all(True).all_value(".*"))
    back = dashboard.DashboardLink("All sites").type(models.DashboardLinkType.LINK).url(f"/d/{FLEET}")
    board.link(back.include_vars(False).keep_time(True))
    result = b.of("last_run_result", "result", "reason")
    compared = [Query(b.of("files", "kind", where='kind=~"listedFiles|inventoryFiles"'), "{{obj_name}}: {{kind}}")]
    found = Query(
        b.of("files", "kind", where='kind!~"listedFiles|inventoryFiles|unplacedFiles"'), "{{obj_name}}: {{kind}}"
    )
    found_bytes = Query(b.of("bytes", "kind", where='kind!~"listedBytes|inventoryBytes"'), "{{obj_name}}: {{kind}}")
    compared_bytes = Query(b.of("bytes", "kind", where='kind=~"listedBytes|inventoryBytes"'), "{{obj_name}}: {{kind}}")
    requests = Query(
        b.of("last_run_requests", "request", "kind", "outcome"), "{{obj_name}}: {{request}} {{kind}} {{outcome}}"
    )
    became = Query(b.of("followed_requests", "became"), "{{obj_name}}: {{became}}")
    duration = Query(b.of("last_run_duration_seconds"), "{{obj_name}}")
    in_stage = Query(f"time() - {b.of('run_stage_start_timestamp_seconds', 'stage')}", "{{obj_name}}: {{stage}}")
    gates = Query(b.of("gate_closed", "gate"), "{{obj_name}}: {{gate}}")
    for panel in (
        tile("Since success", "Of the last complete run.", f"time() - {b.last_success()}", unit="s"),
        tile("Last run", "Its reason.", result, legend="{{result}}: {{reason}}"),
        tile("Next run in", "With its jitter.", f"{b.of('next_run_timestamp_seconds')} - time()", unit="s"),
        tile("Now", "What the run that is on does.", b.of("run_stage", "stage"), legend="{{stage}}"),
        tile("Waits for", "What the run that is on waits for.", b.of("run_waits", "reason"), legend="{{reason}}"),
        tile("Gates closed", "Inventory, ListingHealth or Limits.", f"count({b.closed()}) or vector(0)", bad="red"),
        lines("Findings", "Of the last complete run, by kind.", found),
        lines("Bytes of findings", "Of the last complete run, by kind.", found_bytes, unit="bytes"),
        lines("Listed and expected files", "At the site, and in the inventory.", *compared),
        lines("Listed and expected bytes", "At the site, and in the inventory.", compared_bytes, unit="bytes"),
        lines("Holes", "Directories that could not be listed.", Query(b.of("holes"), "{{obj_name}}")),
        lines("Requests", "What became of findings that could be acted on.", requests),
        lines("Earlier requests", "What became of them.", became),
        lines("Duration of runs", "With the time in the queue.", duration, unit="s"),
        lines("Time in a stage", "Of the run that is on.", in_stage, unit="s", width=24),
        bands("Closed gates", "All that keep findings from being acted on.", gates),
        bands("Results", "Of the last run.", Query(result, "{{obj_name}}: {{result}}, {{reason}}")),
    ):  # fmt: skip
        board.with_panel(panel)
    return board


def written(board: dashboard.Dashboard) -> str:
    """The board as JSON; its panels are numbered."""
    built = board.build()
    for number, panel in enumerate(built.panels or [], 1):
        panel.id_val = number
    return json.dumps(built, cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


BOARDS = {"fleet.json": fleet, "site.json": site}

if __name__ == "__main__":
    for file, board in BOARDS.items():
        Path(__file__).with_name(file).write_text(written(board()), encoding="utf-8")
