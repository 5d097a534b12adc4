"""Files as a backend: sites, datasets, blocks, what lists a site, and whole checks."""

import os
from pathlib import Path

import pytest
from real_command import run_command

from dynamo_consistency.backend import configure
from dynamo_consistency.errors import BackendError, ListingError

FOLDER = "/store/mc/Era/Primary/TIER/x-v1"
DATASET = "/Primary/Era-x-v1/TIER"
DUMP = f"{FOLDER}/a\t5\n{FOLDER}/b c\t5\n{FOLDER}/gone\t7\n"


@pytest.fixture
def opened(write, tmp_path):
    """A backend of dump files for T2_TEST with an inventory, and more keys of the site or the backend."""

    def open_with(site="", more="", dump=DUMP):
        write("dump.tsv", dump)
        text = f"""
            backends:
              default:
                type: file
                {more}
                sites:
                  T2_TEST: {{inventory: {{url: {tmp_path}/dump.tsv}}, {site}}}
                  T2_OFF: {{inventory: {{url: /nowhere}}, ready: false}}
        """
        return configure(write("backends.yaml", text))

    return open_with


def test_sites_are_those_of_the_entry(opened):
    backend = opened()
    assert backend.siteinfo.site_list() == ["T2_OFF", "T2_TEST"]
    assert backend.siteinfo.ready_sites() == {"T2_TEST"}
    assert backend.check_site("T2_TEST")
    assert not backend.check_site("T2_OFF")


def test_a_site_that_is_added_makes_no_other_inventory_of_those_that_are_there(opened):
    """What runs have confirmed there would count no more, and a run that waits could not act."""
    before = opened().describe()
    added = "}\n" + 18 * " " + "T2_NEW: {inventory: {url: /nowhere}"
    both = opened(site=added)
    assert both.siteinfo.site_list() == ["T2_NEW", "T2_OFF", "T2_TEST"]
    assert both.describe() == before


@pytest.mark.parametrize(
    "ask",
    [
        lambda backend: backend.check_site("T2_X"),
        lambda backend: backend.deletion_requests("T2_X"),
        lambda backend: backend.inventory.list_files("T2_X"),
        lambda backend: backend.inventory.protected_datasets("T2_X"),
        lambda backend: backend.get_listers("T2_X"),
    ],
)
def test_a_site_that_is_not_there_is_told_with_those_that_are(opened, ask):
    with pytest.raises(BackendError, match="this backend has no site 'T2_X'; it has T2_OFF, T2_TEST"):
        ask(opened())


# ----------------------------------------------------------------------------------------------------------- datasets


def test_all_datasets_of_the_inventory_are_protected_where_no_list_says_else(opened):
    dump = f"{FOLDER}/a\t5\t\n/store/odd\t5\t\n/store/data/E/P/T/v1/b\t5\t/a/b/c\n"
    assert opened(dump=dump).inventory.protected_datasets("T2_TEST") == {DATASET, "/P/E-v1/T", "/a/b/c"}


@pytest.mark.parametrize("written", [f"{DATASET}#1234-abcd", f"cms:{DATASET}", DATASET.lower(), "/a/b/c"])
def test_an_orphan_beside_a_claimed_file_is_of_its_dataset_however_the_dump_writes_that(opened, written):
    backend = opened(dump=f"{FOLDER}/a\t5\t{written}\n")
    protected = backend.inventory.protected_datasets("T2_TEST")
    assert backend.DatasetFilter(protected).protected(f"{FOLDER}/orphan")


def test_lists_of_datasets_have_one_a_line_and_comments(opened, write, tmp_path):
    write("protected", "# by hand\n/a/b/c\n\n  /d/e/f \n")
    write("deletions", "# none\n")
    backend = opened(f"protected: {tmp_path}/protected, deletionRequests: {tmp_path}/deletions")
    assert backend.inventory.protected_datasets("T2_TEST") == {"/a/b/c", "/d/e/f"}
    assert backend.deletion_requests("T2_TEST") == set()
    assert opened().deletion_requests("T2_TEST") == set()


def test_a_block_in_a_list_of_datasets_means_its_dataset(opened, write, tmp_path):
    write("list", "/a/b/c#1234-abcd\n")
    backend = opened(f"protected: {tmp_path}/list, deletionRequests: {tmp_path}/list")
    assert backend.inventory.protected_datasets("T2_TEST") == backend.deletion_requests("T2_TEST") == {"/a/b/c"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"", "is empty or was cut short"),
        (b"/a/b/c\n/d/e", "is empty or was cut short"),
        (b"\xff\n", "it is not UTF-8 text"),
        (b"/a/b/c\tsince Monday\n", "has a blank|has a control"),
        (b"/a/b/c since Monday\n", "has a blank"),
        (b"/a/b/c # since Monday\n", "has a blank|has a comment"),
        (b"/a/b/c,since Monday\n", "has a blank|has a comma"),
        (b"/a/b/c;5\n", "has a comma"),
        (b"/a/b/c|5\n", "has a comma"),
        (b"/a/b/c\r/d/e/f\r\n", "has a blank|has a control"),
        (b"'/a/b/c'\n", "has quotes"),
        (b"/a/*/c\n", "is a pattern"),
        (b"/a/b%2Dv1/c\n", "has a percent sign"),
        (b"*\n", "is no dataset|is a pattern"),
        (b"a/b/c\n", "is no dataset"),
        (b"/a/b/c/\n", "is no dataset"),
        (b"//a/b/c\n", "is no dataset"),
        (b"cms:/a/b/c\n", "is no dataset"),
        (b"/store/mc/E/P/T/v1/file\n", "is no dataset"),
    ],
)
def test_a_list_of_datasets_in_doubt_is_refused(opened, write, tmp_path, content, reason):
    if content is not None:
        write("list", content)
    backend = opened(f"protected: {tmp_path}/list, deletionRequests: {tmp_path}/list")
    for ask in (backend.inventory.protected_datasets, backend.deletion_requests):
        with pytest.raises(BackendError, match=reason):
            ask("T2_TEST")


# ------------------------------------------------------------------------------------------------------------- blocks


def blocklist(backend, write, names):
    target = write("out", "")
    backend.filelist_to_blocklist("T2_TEST", str(write("in", names)), str(target))
    return target.read_text()


def test_files_are_summed_by_block_and_group_with_the_worst_dataset_first(opened, write):
    dump = "".join(
        f"/store/{number}\t5\t{dataset}\t{block}\t{group}\n"
        for number, (dataset, block, group) in enumerate(
            [
                ("/few/b/c", "1", "Analysis"),
                ("/many/b/c", "2", "Analysis"),
                ("/many/b/c", "1", "Unsubscribed"),
                ("/many/b/c", "1", "Unsubscribed"),
                ("/many/b/c", "", ""),
            ]
        )
    )
    names = "".join(f"/store/{number}\n" for number in range(5)) + f"{FOLDER}/forgotten\n/store/odd\n"
    assert blocklist(opened(dump=dump), write, names) == (
        "         2    Unsubscribed       /many/b/c#1\n"
        "         1    Analysis           /many/b/c#2\n"
        "         1    Unsubscribed       /many/b/c#unknown\n"
        f"         1    Unsubscribed       {DATASET}#unknown\n"
        "         1    Analysis           /few/b/c#1\n"
        "         1    Unsubscribed       unknown#unknown\n"
    )


def test_a_dump_without_blocks_gives_datasets_by_name(opened, write):
    assert (
        blocklist(opened(), write, f"{FOLDER}/a\n{FOLDER}/a\n")
        == f"         2    Unsubscribed       {DATASET}#unknown\n"
    )


# ------------------------------------------------------------------------------------------------------ what lists it


def test_a_prompt_gets_listers_that_answer(opened, site):
    constructor, arguments = opened(f"listing: {{posix: {{prefix: {site}}}}}").get_listers("T2_TEST")
    ok, directories, files = constructor(*arguments[0]).list("/store/mc")
    assert ok
    assert sorted(name for name, _ in directories) == [b"Era", b"empty"]
    assert files == []


def test_all_doors_of_a_site_belong_to_one_lister(opened):
    listing = "listing: {xrootd: {servers: ['root://a', 'root://b:1095'], prefix: /pnfs}}"
    _, arguments = opened(listing).get_listers("T2_TEST")
    assert arguments == [(("root://a", "root://b:1095"), "/pnfs")]


def test_a_dump_answers_directory_by_directory_at_a_prompt(opened, write, tmp_path):
    write("storage", "/pnfs/store/mc/x/f\n")
    listing = f"listing: {{dump: {{url: {tmp_path}/storage, format: paths, prefix: /pnfs}}}}"
    constructor, arguments = opened(listing).get_listers("T2_TEST")
    lister = constructor(*arguments[0])
    assert lister.list("/store/mc") == (True, [(b"x", None)], [])
    assert [name for name, _, _ in lister.list("/store/mc/x")[2]] == [b"f"]


def test_a_site_that_nothing_lists_is_told(opened):
    with pytest.raises(BackendError, match="nothing says how T2_TEST is listed"):
        opened().get_listers("T2_TEST")


def test_a_backend_of_files_carries_a_whole_check(opened, write, site, run_whole, found):
    protected = write("protected", "# none\n")
    backend = opened(f"listing: {{posix: {{prefix: {site}}}}}, protected: {protected}")
    run, summary = run_whole(backend)
    assert summary["result"] == "Complete", summary["reason"]
    assert summary["listing"]["source"] == f"posix {site}"
    assert found(run, "missing") == [f"{FOLDER}/gone"]
    assert found(run, "orphan") == [f"{FOLDER}/orphan"]
    assert found(run, "empty_directory") == ["/store/mc/empty"]
    assert DATASET in (Path(run.url) / "reports/missing_datasets.txt").read_text()


def test_an_orphan_in_a_dataset_that_is_at_the_site_is_left_alone(opened, site, run_whole, found):
    run, _ = run_whole(opened(f"listing: {{posix: {{prefix: {site}}}}}"))
    assert found(run, "orphan") == []


def test_two_dumps_are_a_whole_check(opened, write, tmp_path, run_whole, found):
    """What the backend names is read in one stream, in as many shards as the check wants."""
    names = ["a", "b c", "orphan"]
    write("storage.tsv", "".join(f"/pnfs{FOLDER}/{name}\t5\t1600000000\n" for name in names))
    write("protected", "# none\n")
    listing = f"listing: {{dump: {{url: {tmp_path}/storage.tsv, prefix: /pnfs}}}}, protected: {tmp_path}/protected"
    run, summary = run_whole(opened(listing))
    assert summary["result"] == "Complete", summary["reason"]
    assert summary["listing"]["source"] == f"dump {tmp_path}/storage.tsv"
    assert found(run, "missing") == [f"{FOLDER}/gone"]
    assert found(run, "orphan") == [f"{FOLDER}/orphan"]


def test_nothing_is_looked_at_again_in_a_dump(opened, write, tmp_path, check_of):
    from dynamo_consistency.run.listing.source import open_lister

    write("storage.tsv", "/store/mc/a\t5\t1600000000\n")
    backend = opened(f"listing: {{dump: {{url: {tmp_path}/storage.tsv}}}}")
    with pytest.raises(ListingError, match="T2_TEST is listed from a dump"):
        open_lister(check_of().spec.listing, backend, "T2_TEST")


def test_an_inventory_that_is_cut_short_makes_the_run_invalid(opened, site, run_whole):
    run, summary = run_whole(opened(f"listing: {{posix: {{prefix: {site}}}}}", dump=DUMP[:-3]))
    assert summary["result"] == "Invalid"
    assert "cut short" in summary["reason"]
    assert run.names("findings") == []


def test_an_inventory_of_last_week_makes_the_run_invalid(opened, site, run_whole, tmp_path):
    backend = opened(f"listing: {{posix: {{prefix: {site}}}}}")
    os.utime(tmp_path / "dump.tsv", (1_700_000_000, 1_700_000_000))
    _, summary = run_whole(backend)
    assert summary["result"] == "Invalid"
    assert "raise maxAgeSeconds" in summary["reason"]


def test_the_command_line_runs_it(opened, write, site, tmp_path):
    opened(f"listing: {{posix: {{prefix: {site}}}}}")
    write(
        "check.yaml",
        """
        apiVersion: consistency.dynamo.io/v1alpha1
        kind: SiteConsistencyCheck
        metadata: {name: t2-test}
        spec: {site: T2_TEST, listing: {roots: [{path: /store/mc}]}}
        """,
    )
    arguments = ["run", "-f", "check.yaml", "--backends", "backends.yaml", "--store", "store", "--output", "json"]
    done = run_command(arguments, tmp_path)
    assert done.returncode == 0, done.stderr
    assert '"result": "Complete"' in done.stdout
