"""The pages: what each shows, for whatever state of checks and runs, and whatever names there are."""

from urllib.parse import parse_qs, urlsplit

import pytest
import sample_answers as sample
from page_structure import is_lawful

from dynamo_consistency.sizes import UNKNOWN
from dynamo_consistency.web.models import STATES
from dynamo_consistency.web.pages.file import file_page, message_page
from dynamo_consistency.web.pages.links import FileLinks, ServedLinks, file_name
from dynamo_consistency.web.pages.render import ago
from dynamo_consistency.web.pages.run import run_page
from dynamo_consistency.web.pages.site import site_page
from dynamo_consistency.web.pages.sites import sites_page, wall_page

SERVED = ServedLinks("/prefix")
RUN = sample.reference().run_id


def all_pages(links) -> dict[str, str]:
    return {
        "sites": sites_page(sample.sites_answer(), links),
        "no sites": sites_page(sample.sites_answer([]), links),
        "wall": wall_page(sample.sites_answer(), links),
        "site": site_page(sample.site_answer(), links),
        "site in bytes": site_page(sample.site_answer("bytes"), links),
        "site with a run": site_page(sample.site_answer(runs=1), links),
        "site without runs": site_page(sample.site_answer(runs=0), links),
        "run": run_page(sample.run_answer(), [sample.findings_answer()], links),
        **{
            result: run_page(sample.run_answer(result), [], links)
            for result in ("Failed", "Invalid", "Unfinished", "Unreadable")
        },
        "message": message_page("Not there", sample.HOSTILE, links),
    }


@pytest.mark.parametrize("links", [SERVED, ServedLinks(), FileLinks(3, {("T2_XX_Somewhere", RUN)}, set(), set())])
def test_every_page_is_lawful_for_whatever_run_and_name(links):
    for html in all_pages(links).values():
        is_lawful(html)


def test_all_links_of_served_pages_stay_behind_the_prefix():
    for html in all_pages(SERVED).values():
        assert {link for link in is_lawful(html).links if not link.startswith(("/prefix/", "#"))} == set()


def test_hostile_names_are_shown_and_never_interpreted():
    page = is_lawful(sites_page(sample.sites_answer(), SERVED))
    assert any(row[1].startswith("<script>alert(1)</script>\"'&{{ 7*7 }}") for row in page.rows()[1:])
    page = is_lawful(run_page(sample.run_answer(), [sample.findings_answer()], SERVED))
    assert "/store/mc/<img src=x onerror=alert(1)>/\\xff\\n\\x1b[31m" in [row[0] for row in page.rows()]


def test_a_link_to_a_file_keeps_the_bytes_of_its_path():
    page = is_lawful(run_page(sample.run_answer(), [sample.findings_answer()], SERVED))
    asked = [parse_qs(urlsplit(link).query, encoding="latin-1") for link in page.links if "/file?" in link]
    assert sample.HOSTILE_PATH.decode("latin-1") in [query["path"][0] for query in asked]


def test_a_row_says_how_a_check_is_and_what_to_do_next():
    page = is_lawful(sites_page(sample.sites_answer(), SERVED))
    rows = {row[0]: row for row in page.rows()}
    assert rows["overdue"][1] == "T2_XX_Overdue Look at T2_XX_Overdue: overdue."
    assert "running for 7 d" in rows["overdue"][2]
    assert rows["overdue"][-1].startswith("8 h overdue")
    assert rows["waiting for approval"][3].startswith("+1,000 1,000 Missing files in the last 20 runs: 4,000, ")
    assert rows["waiting for approval"][3].endswith(" 9.1 TiB")
    assert rows["gate closed"][-2] == "10,000 , 5,000"
    assert page.with_tag("h1")[0].words == "5 of 9 checks need a person"


@pytest.mark.parametrize(
    ("draw", "words"), [(sites_page, "1 of 9 checks needs a person"), (wall_page, "1 of 9 needs a person")]
)
def test_one_of_several_checks_needs_a_person(draw, words):
    answer = sample.sites_answer()
    numbers = dict.fromkeys(answer.numbers, 0) | {"Failed": 1}
    page = is_lawful(draw(answer.model_copy(update={"numbers": numbers}), SERVED))
    assert page.with_tag("h1")[0].words == words


def test_checks_are_filtered_by_plain_links_and_a_form_without_scripts():
    page = is_lawful(sites_page(sample.sites_answer(text="T2", state="Failed"), SERVED))
    assert {f"/prefix/?text=T2&state={state}" for state in STATES} <= page.links
    [form] = page.with_tag("form")
    assert form.attributes["method"] == "get"
    assert {one.attributes["name"]: one.attributes["value"] for one in form.all("input")} == {
        "state": "Failed",
        "text": "T2",
    }


def test_the_wall_has_only_what_needs_a_person_and_loads_itself_anew():
    page = is_lawful(wall_page(sample.sites_answer(), SERVED))
    assert [heading.words for heading in page.with_tag("h2")][:2] == ["T2_XX_Failed", "T2_XX_GateClosed"]
    assert "T2_XX_Quiet" not in page.words
    assert any(meta.attributes.get("http-equiv") == "refresh" for meta in page.with_tag("meta"))


def test_a_site_has_a_chart_for_each_measure_and_tells_gaps_with_their_reason():
    page = is_lawful(site_page(sample.site_answer(), SERVED))
    titles = [heading.words for heading in page.with_tag("h2")]
    assert titles[:5] == [
        "Findings and their limits",
        "Holes: directories that could not be listed",
        "Listed at the site, and in the inventory",
        "Duration by stage",
        "Requests by outcome",
    ]
    assert any("Invalid: <script>" in hint.text for hint in page.with_tag("title"))
    assert len([row for row in page.rows() if row[-1].startswith("<script>")]) == len(sample.RESULTS)


def test_sizes_share_no_axis_with_what_has_none():
    page = is_lawful(site_page(sample.site_answer("files"), SERVED))
    assert "Empty directories 444 limit 10,000" in page.words
    drawn = sample.site_answer("bytes")
    bare = [
        one.model_copy(update={"unit": "directories"}) if one.name == "emptyDirectories" else one
        for one in drawn.series
    ]
    page = is_lawful(site_page(drawn.model_copy(update={"series": bare}), SERVED))
    assert "Empty directories" not in page.words
    assert "Orphans 222 B" in page.words


def test_a_run_shows_how_far_each_kind_came():
    page = is_lawful(run_page(sample.run_answer(), [sample.findings_answer()], SERVED))
    [line] = [row for row in page.rows() if row[0] == "Missing files to be fetched anew"]
    assert [cell.split(" ")[0] for cell in line[1:]] == ["100", "80", "80", "0", *[UNKNOWN] * 3]


def test_a_run_tells_the_command_that_approves_it_line_by_line():
    page = is_lawful(run_page(sample.run_answer(), [sample.findings_answer()], SERVED))
    assert page.with_tag("pre")[0].text == f'spec:\n  approve: {{run: "{RUN}"}}'


def test_a_failed_run_says_why_and_shows_no_findings():
    page = is_lawful(run_page(sample.run_answer("Failed"), [], SERVED))
    assert "a stage died: <script>" in page.words
    assert [heading.words for heading in page.with_tag("h2")] == ["The run", "What cannot be read"]


def test_lists_are_sorted_and_filtered_by_the_server():
    page = is_lawful(run_page(sample.run_answer(), [sample.findings_answer(text="Run2", sort="size")], SERVED))
    address = f"/prefix/sites/T2_XX_Somewhere/runs/{RUN}"
    assert f"{address}?kind=missing&sort=size&order=down&text=Run2#list-missing" in page.links
    assert f"{address}?kind=missing&sort=dataset&text=Run2#list-missing" in page.links
    [sorted_by] = [cell for cell in page.with_tag("th") if "aria-sort" in cell.attributes]
    assert (sorted_by.words, sorted_by.attributes["aria-sort"]) == ("In the inventory", "ascending")
    lists = address.replace("/prefix/", "/prefix/api/v1/") + "/lists"
    assert {f"{lists}/missing.{form}" for form in ("txt", "csv", "parquet")} <= page.links


def test_a_directory_of_the_icicle_leads_to_its_findings():
    page = is_lawful(run_page(sample.run_answer(), [sample.findings_answer()], SERVED))
    asked = [parse_qs(urlsplit(link).query, encoding="latin-1") for link in page.links if "#list-" in link]
    texts = {query["text"][0] for query in asked if "text" in query}
    assert {"/store/mc/", "/store/data/", sample.HOSTILE_PATH.decode("latin-1") + "/"} <= texts


def test_pages_as_files_lead_only_to_files_that_are_there():
    links = FileLinks(2, {("T2_XX_Somewhere", RUN)}, set(), set())
    page = is_lawful(run_page(sample.run_answer(), [sample.findings_answer()], links))
    assert not page.with_tag("form")
    assert f"../../sites/T2_XX_Somewhere/runs/{RUN}/index.html#list-orphans" in page.links
    assert not any("?" in link or link.endswith(".csv") for link in page.links)


def test_names_of_files_are_plain_and_never_the_same_for_two_names():
    names = ["a/b", "a=2Fb", "..", ".", ".x", "é", "\udcff", "%2F", "a\nb", "a b"]
    made = [file_name(name) for name in names]
    assert len(set(made)) == len(names)
    assert all(not name.startswith(".") and name.isascii() and "/" not in name for name in made)


def test_a_found_file_tells_what_was_asked_and_why_not():
    page = is_lawful(
        file_page(
            ["T2_XX_Somewhere", sample.HOSTILE], SERVED, site="T2_XX_Somewhere", asked="/x", page=sample.file_answer()
        )
    )
    assert "transfer: requested 2026-11-22 10:00 UTC" in page.words
    assert "1 path, and more that are not shown, in 50 complete runs" in page.words
    page = is_lawful(file_page([], SERVED, page=sample.file_answer(found=False)))
    assert "No run has found anything about it: 50 complete runs" in page.words


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, UNKNOWN), (59, "59 s"), (3599, "59 min"), (90000, "25 h"), (3 * 86400, "3 d"), (-7200, "in 2 h")],
)
def test_ages_are_told_in_one_unit(seconds, told):
    assert ago(seconds) == told
