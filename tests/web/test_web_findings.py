"""The first findings of a kind, sorted and filtered by the service, and all of them as files."""

import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_runs import Made, write_actions, write_findings

from dynamo_consistency.kinds import ORPHAN
from dynamo_consistency.web.view import NotThereError


@pytest.fixture
def run(store) -> Made:
    made = Made()
    rows = [
        {"path": f"/store/f{n:03}".encode(), "site_size": (n * 37) % 101, "mtime": 1.6e9 + n, "dataset": f"/D{n % 3}"}
        for n in range(250)
    ]
    folder = made.write(store)
    write_findings(folder, "orphans", rows)
    skipped = {"kind": "orphans", "request": "delete", "outcome": "skipped", "reason": "it is new"}
    of_another_kind = {"kind": "missing", "request": "transfer", "outcome": "requested", "reason": ""}
    write_actions(folder, [{"path": b"/store/f000", **skipped}, {"path": b"/store/f001", **of_another_kind}])
    return made


def names(page) -> list[str]:
    return [row.path.text for row in page.rows]


def test_the_first_two_hundred_are_shown_with_what_became_of_them(view, run):
    page = view.findings("T2_X", run.run_id, "orphans")
    assert (page.total, page.matching, len(page.rows)) == (250, 250, 200)
    assert names(page)[:2] == ["/store/f000", "/store/f001"]
    assert [(row.outcome, row.reason) for row in page.rows[:2]] == [("skipped", "it is new"), (None, None)]


def test_the_largest_of_all_come_first_when_sorted_by_size(view, run):
    page = view.findings("T2_X", run.run_id, "orphans", sort="site_size", descending=True)
    sizes = sorted(((n * 37) % 101 for n in range(250)), reverse=True)
    assert [row.site_size for row in page.rows] == sizes[:200]


def test_a_filter_looks_at_all_findings(view, run):
    page = view.findings("T2_X", run.run_id, "orphans", text="f24")
    assert (page.matching, names(page)) == (10, [f"/store/f24{n}" for n in range(10)])


def test_signs_of_patterns_are_letters_in_a_filter(view, run):
    for text in ("%", "_", "f.*", "\\", "'", "'; DROP TABLE x; --"):
        assert view.findings("T2_X", run.run_id, "orphans", text=text).matching == 0


def test_a_filter_finds_bytes_that_are_no_text(store, view):
    made = Made()
    write_findings(made.write(store), "missing", [{"path": b"/store/caf\xff"}, {"path": "/store/größe".encode()}])
    found = view.findings("T2_X", made.run_id, "missing", text="\udcff")
    assert names(found) == ["/store/caf\\xff"]
    assert found.rows[0].path.quoted == "/store/caf%FF"
    assert names(view.findings("T2_X", made.run_id, "missing", text="größe")) == ["/store/größe"]


@pytest.mark.parametrize(("kind", "sort"), [("nix", None), ("orphans", "path; DROP"), ("twins", None), ("../x", None)])
def test_what_is_no_kind_and_no_order_is_told(view, run, kind, sort):
    with pytest.raises(NotThereError):
        view.findings("T2_X", run.run_id, kind, sort=sort)


def test_findings_of_former_versions_have_fewer_columns(store, view):
    made = Made()
    file = made.write(store) / ORPHAN.file
    file.parent.mkdir()
    pq.write_table(pa.table({"path": [b"/store/x"], "site_size": [3]}), file)
    [row] = view.findings("T2_X", made.run_id, "orphans").rows
    assert (row.path.text, row.site_size, row.mark, row.dataset) == ("/store/x", 3, None, None)
    lines = b"".join(view.list_pieces("T2_X", made.run_id, "orphans.csv")).splitlines()
    assert lines[1:] == [b'"/store/x",3']


def test_a_text_list_has_a_path_a_line(client, store):
    made = Made()
    write_findings(made.write(store), "missing", [{"path": b"/store/b\nc"}, {"path": b"/store/a\xff"}])
    answer = client.get(f"/api/v1/sites/T2_X/runs/{made.run_id}/lists/missing.txt")
    assert answer.content == b"/store/a\xff\n/store/b\\nc\n"
    assert answer.headers["content-disposition"] == f'attachment; filename="T2_X-{made.run_id}-missing.txt"'


def test_a_csv_has_no_formulas(client, store):
    made = Made()
    formulas = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", '=HYPERLINK("http://x")', "=a\r=b\n=c"]
    rows = [{"path": text.encode(), "dataset": text, "size": -1} for text in formulas]
    write_findings(made.write(store), "missing", rows)
    answer = client.get(f"/api/v1/sites/T2_X/runs/{made.run_id}/lists/missing.csv")
    lines = list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))
    assert {line["path"] for line in lines} == {f"'{text}" for text in formulas}
    assert all(line["dataset"].startswith("'") and line["size"] == "-1" for line in lines)


def test_a_parquet_list_is_the_file_of_the_run(client, store):
    made = Made()
    folder = made.write(store)
    write_findings(folder, "emptyDirectories", [{"path": b"/store/e"}])
    answer = client.get(f"/api/v1/sites/T2_X/runs/{made.run_id}/lists/empty-directories.parquet")
    assert answer.content == (folder / "findings/empty_directory.parquet").read_bytes()


@pytest.mark.parametrize("name", ["missing.txt", "missing.exe", "missing", "summary.json", "..%2fsummary.json", ".csv"])
def test_a_list_that_is_not_there_is_not_found(client, store, name):
    made = Made()
    made.write(store)
    assert client.get(f"/api/v1/sites/T2_X/runs/{made.run_id}/lists/{name}").status_code == 404


def test_an_empty_list_is_an_empty_file(client, store):
    made = Made()
    write_findings(made.write(store), "missing", [])
    answer = client.get(f"/api/v1/sites/T2_X/runs/{made.run_id}/lists/missing.txt")
    assert (answer.status_code, answer.content) == (200, b"")
