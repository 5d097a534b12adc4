"""`report.html`: what a person reads of a run, whatever names the site holds."""

from html.parser import HTMLParser

import pytest
from finished_run import LISTED_AT, FinishedRun

from dynamo_consistency import paths, text
from dynamo_consistency.run.report import write_reports
from dynamo_consistency.run.report.sections import ROWS_SHOWN
from dynamo_consistency.sizes import UNKNOWN, human_size


class Page(HTMLParser):
    """The tags, the addresses and the text of a page; the text of each table row for itself."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: set[str] = set()
        self.rows: list[list[str]] = []
        self.text = ""
        self.cell = False
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.addresses |= {value for name, value in attrs if name in ("href", "src", "action")}
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.cell = True

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.cell = False

    def handle_data(self, data):
        self.text += data
        if self.cell:
            self.rows[-1][-1] += data.strip()


@pytest.fixture
def page(finished, backend, summary):
    def make(**changes) -> Page:
        write_reports(finished.directory, backend, summary(**changes))
        return Page(finished.text("report.html"))

    return make


def test_a_site_that_agrees_is_told_so(page):
    assert "The site agrees with its inventory" in page().text


def test_a_site_with_holes_is_not_said_to_agree_as_a_whole(page):
    content = page(counts={"missing": 0, "holes": 2}).text
    assert "What could be listed of the site agrees with its inventory" in content
    assert "2 places could not be listed" in content


def test_findings_make_the_verdict(page):
    content = page(counts={"missing": 1200, "orphans": 3, "mismatches": 0}).text
    assert "The site differs from its inventory: 1,200 missing, 3 orphans" in content


def test_an_invalid_run_says_why_and_that_it_has_no_findings(page):
    content = page(result="Invalid", reason="the snapshot is empty", counts={}).text
    assert "This run proves nothing: the snapshot is empty" in content
    assert "those of the run before stay in force" in content


def test_hostile_names_are_shown_and_never_interpreted(page, finished):
    names = [
        b"/store/mc/<script>alert(1)</script>",
        b"/store/mc/\"onload='x'",
        b"/store/mc/{{ 7*7 }}",
        b"/store/mc/\xff\n",
    ]
    finished.find("missing", [{"path": name, "dataset": "<img src=x>"} for name in names])
    finished.list_site([{"path": names[0], "kind": "hole", "reason": "<iframe>"}])
    gate = {"name": "<i>", "state": "<u>", "observed": "<s>", "limit": "<s>", "message": "<s>"}
    content = page(roots={"<b>": {}}, gates=[gate], actions={"<q>": {"requested": 1, "refused": {"<q>": 2}}})
    assert not content.tags & {"script", "img", "iframe", "i", "u", "s", "q"}
    shown = {row[0] for row in content.rows if row}
    assert {"/store/mc/<script>alert(1)</script>", "/store/mc/{{ 7*7 }}", "/store/mc/\\xff\\n"} <= shown


def test_a_mark_that_turns_the_direction_of_text_is_made_visible():
    assert paths.visible("/store/mc/\N{RIGHT-TO-LEFT OVERRIDE}toor.exe") == "/store/mc/\\u202etoor.exe"
    assert paths.visible("/store/mc/größe") == "/store/mc/größe"


def test_the_page_needs_nothing_from_elsewhere(page, finished):
    finished.find("missing", [{"path": b"/store/mc/f"}])
    assert page().addresses == {"missing.txt"}
    source = finished.text("report.html")
    assert "default-src 'none'" in source
    assert "url(" not in source
    assert "@import" not in source


def test_only_the_first_findings_are_shown_and_the_page_says_where_all_are(page, finished):
    finished.find("orphan", [{"path": f"/store/mc/{n:04d}".encode(), "site_size": n} for n in range(ROWS_SHOWN + 1)])
    content = page()
    files = [row for row in content.rows if row and row[0].startswith("/store/mc/0")]
    assert len(files) == ROWS_SHOWN
    assert "The first 100; all are in orphan.txt" in " ".join(content.text.split())


def test_findings_are_shown_with_sizes_and_datasets(page, finished):
    row = {"path": b"/store/mc/f", "size": 2048, "site_size": 5, "dataset": "/A/B/C"}
    finished.find("mismatch", [row])
    assert ["/store/mc/f", "2.0 KiB", "5 B", "/A/B/C"] in page().rows


def test_the_directories_and_datasets_with_most_findings_come_first(page, finished):
    many = [{"path": f"/store/mc/e/p/t/v/0/{n}".encode(), "size": 1024, "dataset": "/many"} for n in range(3)]
    finished.find("missing", [{"path": b"/store/mc/f", "size": 1, "dataset": "/few"}, *many])
    rows = page().rows
    assert rows.index(["/store/mc/e/p/t", "3", "3.0 KiB"]) < rows.index(["/store/mc", "1", "1 B"])
    assert rows.index(["/many", "3", "3.0 KiB"]) < rows.index(["/few", "1", "1 B"])


def test_roots_gates_actions_snapshots_and_shards_are_told(page, finished):
    finished.list_site([{"path": b"/store/mc/f", "kind": "file"}])
    taken = {"takenAt": 1_790_000_000, "rows": 5, "description": "SQLite, schema of 2.2"}
    finished.directory.write_json("inventory/before.json", taken)
    gate = {"name": "Limits", "state": "Rejected", "observed": 5, "limit": 1, "message": "too many"}
    content = page(gates=[gate], actions={"missing": {"requested": 7}}, roots={"/store/mc": {"listedFiles": 12}})
    assert ["Limits", "Rejected", "5", "1", "too many"] in content.rows
    assert "7 requested" in content.text
    assert "2026-09-21 14:13:20 UTC, 5 files. SQLite, schema of 2.2" in content.text
    assert "3 h 20 min" in content.text
    assert any(row[:2] == ["/store/mc", "12"] for row in content.rows)
    assert any(row[:2] == ["0", "posix /mnt/site"] for row in content.rows)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, UNKNOWN), (0.25, "0.2 s"), (59.96, "60.0 s"), (61, "1 min 1 s"), (90000, "1 d 1 h")],
)
def test_time_spans_are_readable(seconds, shown):
    assert text.duration(seconds) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0 B"), (1023, "1,023 B"), (1024, "1.0 KiB"), (2**40, "1.0 TiB"), (-1, UNKNOWN), (None, UNKNOWN)],
)
def test_sizes_are_readable(number, shown):
    assert human_size(number) == shown


def test_actions_are_told_in_words(page):
    numbers = {
        "waiting": 0,
        "unanswered": 1,
        "leftOver": 4,
        "refused": {},
        "skipped": {"there again": 2},
        "heldBack": {},
    }
    action = {"request": "delete", "confirmed": 10, "requested": 3, **numbers}
    told = page(actions={"emptyDirectories": action}).text
    assert "3 requested (delete) of 10 confirmed" in told
    assert "1 unanswered" in told
    assert "2 skipped: there again" in told
    assert not {"{", "refused", "waiting", "emptyDirectories"} & set(told.partition("\nActions\n")[2].split())


@pytest.fixture
def before(finished, summary):
    """Writes an earlier complete run of the same check: its id, when it began, and what it found missing."""

    def write(run_id: str, began: int, paths_missing: list[bytes]) -> FinishedRun:
        earlier = FinishedRun(finished.directory.store.create(finished.directory.check(), run_id))
        earlier.directory.write_json("inventory/before.json", {"takenAt": began})
        earlier.find("missing", [{"path": path} for path in paths_missing])
        counts = {"inventoryFiles": 9, "missing": len(paths_missing), "holes": 0}
        artifacts = {"report": "reports/report.html"}
        earlier.directory.write_json("summary.json", summary(runId=run_id, counts=counts, artifacts=artifacts))
        return earlier

    finished.directory.write_json("inventory/before.json", {"takenAt": LISTED_AT, "rows": 9})
    return write


def test_the_page_tells_what_is_new_gone_and_standing_since_the_run_before_and_links_to_it(page, finished, before):
    before("a run", LISTED_AT - 200, [])
    before("0", LISTED_AT - 100, [b"/store/mc/gone", b"/store/mc/stands", b"/store/mc/stands too"])
    before("later", LISTED_AT + 100, [b"/store/mc/x"])
    found = [b"/store/mc/new", b"/store/mc/stands", b"/store/mc/stands too"]
    finished.find("missing", [{"path": path} for path in found])
    content = page(counts={"missing": 3})
    assert "1 new, 1 gone, 2 standing" in content.text
    assert {"../../0/reports/report.html", "../../a%20run/reports/report.html"} <= content.addresses
    assert not [address for address in content.addresses if "later" in address]
    rows = [row[0] for row in content.rows if row and row[0] in ("0", "a run")]
    assert rows == ["0", "a run"], "the last one first"
    assert "polyline" in content.tags


def test_a_damaged_run_before_does_not_disturb_the_page(page, finished, before):
    earlier = before("0", LISTED_AT - 100, [b"/store/mc/stands"])
    with earlier.directory.writing("findings/missing.parquet") as path:
        path.write_bytes(b"PAR1 garbled")
    finished.find("missing", [{"path": b"/store/mc/stands"}])
    content = page(counts={"missing": 1})
    assert "standing" not in content.text
    assert "The runs before" in content.text
    garbage = {"inventoryFiles": 9, "missing": "many", "orphans": -5, "holes": [1], "twins": 10**30}
    garbled = {"result": "Complete", "counts": garbage, "artifacts": "none", "startTime": 7}
    earlier.directory.write_json("summary.json", earlier.directory.read_json("summary.json") | garbled)
    assert "The runs before" in page(counts={"missing": 1}).text


def test_directories_with_as_many_findings_as_the_last_that_is_shown_are_told(page, finished):
    finished.find("orphan", [{"path": f"/store/mc/{n:02d}/f".encode(), "site_size": 1} for n in range(13)])
    assert "3 more have 1 as well." in page().text
