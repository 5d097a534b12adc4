"""The pages of a store as a server answers them, and as files: all runs in all states, and all links."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit

import pytest
from click.testing import CliRunner
from page_structure import is_lawful
from sample_store import HOSTILE, SAMPLES, make
from starlette.testclient import TestClient

from dynamo_consistency.cli.entry import command
from dynamo_consistency.run.store.run_directory import RunStore
from dynamo_consistency.web.app import application
from dynamo_consistency.web.guard import Access
from dynamo_consistency.web.view import open_view

WANTED = ("T2_US_Nebraska", "T2_CH_CSCS", "T2_FR_IPHC", "T2_UK_London_IC", "T2_BE_UCL", "T2_EE_Estonia", "T3_XX_New")
Ask = Callable[..., str]


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> RunStore:
    folder = tmp_path_factory.mktemp("sample") / "store"
    return make(folder, [sample for sample in SAMPLES if sample.site in WANTED], runs=3)


@pytest.fixture(scope="module")
def client(store):
    with open_view(store) as view:
        yield TestClient(application(view, Access(user_header="X-User")), base_url="http://localhost")


@pytest.fixture
def ask(client) -> Ask:
    def ask(address: str, status: int = 200, **headers: str) -> str:
        answer = client.get(address, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.text

    return ask


def sort_of(address: str) -> str:
    """What is the same for all runs, and for whatever is asked of a run: one of each sort is looked at."""
    alike = re.sub(r"(path|text|sort|order)=[^&]*", r"\1", address)
    return re.sub(r"/sites/[^/]*/runs/[^/?]*(?=[/?])", "/run", alike)


def run_of(store: RunStore, site: str) -> str:
    return store.runs(site)[-1].run_id


def test_every_page_that_a_link_leads_to_is_there_and_lawful(client):
    waiting, seen = ["/"], set()
    while waiting:
        address = waiting.pop()
        answer = client.get(address)
        assert answer.status_code == 200, address
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        for link in is_lawful(answer.text).links:
            target = urljoin(address, link).partition("#")[0]
            if target.startswith("/") and sort_of(target) not in seen:
                seen.add(sort_of(target))
                waiting.append(target)
    assert {"/?wall", "/file", "/sites/T2_EE_Estonia", "/sites/T2_UK_London_IC?check=london-mc&measure=bytes"} <= seen


def test_checks_stand_in_the_order_in_which_they_need_a_person(ask):
    rows = is_lawful(ask("/")).rows()[1:]
    needs = ["gate closed", "waiting for approval", "findings"]
    assert [row[0] for row in rows][:7] == [*["failed or invalid"] * 4, *needs]
    assert [row[0] for row in is_lawful(ask("/?state=GateClosed")).rows()[1:]] == ["gate closed"]
    assert [row[1].split(" ")[0] for row in is_lawful(ask("/?text=london")).rows()[1:]] == ["T2_UK_London_IC"] * 2
    assert "No check matches" in ask("/?text=nowhere")
    ask("/?state=<script>", status=400)


def test_a_damaged_run_takes_no_page_down_and_is_named(ask, store):
    assert "summary.json" in is_lawful(ask("/")).words
    assert "Unreadable" in is_lawful(ask("/sites/T2_EE_Estonia")).words
    is_lawful(ask(f"/sites/T2_EE_Estonia/runs/{run_of(store, 'T2_EE_Estonia')}"))


def test_a_list_that_is_damaged_leaves_the_rest_of_its_page(ask, tmp_path):
    damaged = make(tmp_path / "store", [sample for sample in SAMPLES if sample.site == "T2_PL_Swierk"], runs=1)
    [run] = damaged.runs("T2_PL_Swierk")
    for name in ("missing", "orphan", "mismatch", "empty_directory"):
        (Path(run.url) / f"findings/{name}.parquet").write_bytes(b"PAR1")
    with open_view(damaged) as view:
        client = TestClient(application(view, Access()), base_url="http://localhost")
        answer = client.get(f"/sites/T2_PL_Swierk/runs/{run.run_id}")
        assert answer.status_code == 200
        page = is_lawful(answer.text)
    assert "This list cannot be read" in page.words
    assert "Gates" in page.words


def test_findings_are_filtered_by_bytes_of_their_path(ask, store):
    address = f"/sites/T2_US_Nebraska/runs/{run_of(store, 'T2_US_Nebraska')}?kind=orphans&text={quote(HOSTILE[0][-9:])}"
    page = is_lawful(ask(address))
    paths = [row[0] for row in page.rows() if row and row[0].startswith("/store/mc")]
    assert "/store/mc/Summer20/<img src=x onerror=alert(1)>/AODSIM/v1/\\xff\\xfe.root" in paths
    assert "1 match." in page.words


def test_a_file_is_found_by_the_bytes_of_its_path(ask, store):
    page = is_lawful(ask(f"/file?site=T2_US_Nebraska&path={quote(HOSTILE[0])}"))
    assert "1 path, in 3 complete runs of T2_US_Nebraska" in page.words
    assert run_of(store, "T2_US_Nebraska") in [row[0] for row in page.rows()]
    assert "No run has found anything" in ask("/file?site=T2_US_Nebraska&path=/store/none")
    ask("/file?site=nowhere&path=/store/x", status=404)


def test_who_looks_is_shown_where_a_proxy_tells_it(ask):
    assert is_lawful(ask("/", **{"X-User": "<b>ada"})).with_tag("nav")[0].words.endswith("<b>ada")


def test_style_and_script_are_sent_again_only_when_they_have_changed(client):
    answer = client.get("/static/style.css")
    again = client.get("/static/style.css", headers={"If-None-Match": answer.headers["etag"]})
    assert (answer.status_code, again.status_code, again.content) == (200, 304, b"")
    assert client.get("/static/..%2Fview.py").status_code == 404


@pytest.fixture(scope="module")
def written(store, tmp_path_factory) -> tuple[Path, str]:
    """The folder with the pages as files, and what the command said."""
    folder = tmp_path_factory.mktemp("pages") / "out"
    done = CliRunner().invoke(command, ["page", "--store", store.url, "--out", str(folder)])
    assert done.exit_code == 0, done.output
    return folder, done.output


def test_pages_as_files_are_lawful_and_every_link_leads_to_a_file(written):
    folder, _ = written
    for page in folder.rglob("*.html"):
        for link in is_lawful(page.read_text(encoding="utf-8")).links:
            address = unquote(urlsplit(link).path)
            assert not address.startswith("/")
            assert not address or (page.parent / address).resolve().is_file(), (page, link)


def test_the_lists_of_the_last_complete_run_lie_beside_its_page(written, store):
    folder = written[0] / "sites/T2_US_Nebraska/runs" / run_of(store, "T2_US_Nebraska")
    assert {file.name for file in folder.iterdir()} >= {"index.html", "orphans.txt", "orphans.csv", "orphans.parquet"}
    assert HOSTILE[0] in (folder / "orphans.txt").read_bytes().split(b"\n")


def test_the_command_says_what_it_wrote_in_one_sentence(written):
    folder, output = written
    pages, lists = len(list(folder.rglob("*.html"))), len([*folder.glob("sites/*/runs/*/*.*")])
    of_runs = sum(min(3, sample.runs) for sample in SAMPLES if sample.site in WANTED)
    assert pages == 2 + 2 * 7 + 2 * 2 + of_runs
    told = f"Wrote {pages} pages of 8 checks at 7 sites, and {lists - of_runs} lists to download"
    assert output == f"{told}; the first is {folder}/index.html.\n"


def test_a_run_leads_back_to_its_own_check(ask, store, written):
    for run in store.runs("T2_UK_London_IC"):
        check = run.run_id.partition("-")[2]
        page = is_lawful(ask(f"/sites/T2_UK_London_IC/runs/{run.run_id}"))
        assert f"/sites/T2_UK_London_IC?check={check}" in page.links
        file = written[0] / f"sites/T2_UK_London_IC/runs/{run.run_id}/index.html"
        assert f"../../../../sites/T2_UK_London_IC/check-{check}.html" in is_lawful(file.read_text()).links


def test_a_store_that_is_not_there_is_no_empty_page(tmp_path):
    done = CliRunner().invoke(command, ["page", "--store", str(tmp_path / "none"), "--out", str(tmp_path / "out")])
    assert "there is no folder" in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_pages_are_written_without_the_packages_of_the_service(tmp_path):
    (tmp_path / "store").mkdir()
    lacking = "import sys; sys.modules |= dict.fromkeys(['starlette', 'uvicorn', 'prometheus_client'])"
    program = f"{lacking}; from dynamo_consistency.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", program, "page", "--store", tmp_path / "store", "--out", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Wrote 2 pages of 0 checks at 0 sites; the first is ")
    assert "There is no run in this store yet" in (tmp_path / "out/index.html").read_text()
