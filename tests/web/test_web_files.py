"""The search for a path: as what it was found in which runs, what was asked and answered, why not."""

import pytest
from made_runs import Made, action, ago, write_actions, write_findings, write_followed

from dynamo_consistency.run.records.path_history import history_of_path
from dynamo_consistency.run.store.run_directory import RunStore
from dynamo_consistency.web.view import NotThereError


def found(page) -> list[str]:
    return [file.path.text for file in page.files]


@pytest.fixture
def history(store) -> list[Made]:
    """A file that was missing twice, asked for the second time, and back in the third run, beside an orphan."""
    closed = {"Confirmation": ("Pending", "the first run never acts")}
    asked = {"missing": action("transfer", 1, requested=1)}
    first, second, third = Made(start=ago(3), closed=closed), Made(start=ago(2), actions=asked), Made(start=ago(1))
    row = {"path": b"/store/a/f", "size": 5, "dataset": "/A/B/C"}
    write_findings(first.write(store), "missing", [row])
    folder = second.write(store)
    write_findings(folder, "missing", [row])
    write_actions(
        folder,
        [
            {
                "path": b"/store/a/f",
                "kind": "missing",
                "request": "transfer",
                "outcome": "requested",
                "reason": "",
                "asked_at": ago(2),
            }
        ],
    )
    folder = third.write(store)
    write_findings(folder, "orphans", [{"path": b"/store/a/g", "site_size": 7}])
    write_followed(
        folder, [{"path": b"/store/a/f", "request": "transfer", "run_id": second.run_id, "became": "recovered"}]
    )
    return [first, second, third]


def test_a_path_is_told_run_by_run(view, history):
    page = view.find_file("T2_X", b"/store//a/f")
    [file] = page.files
    told = [(one.run_id, one.kind, one.request, one.outcome, one.became, one.reason) for one in file.occurrences]
    assert told == [
        (history[0].run_id, "missing", None, None, None, "the first run never acts"),
        (history[1].run_id, "missing", "transfer", "requested", "recovered", None),
    ]
    assert (page.is_prefix, page.is_cut, page.runs_searched) == (False, False, 3)


def test_it_tells_the_same_as_the_command_history(store, view, history):
    [file] = view.find_file("T2_X", b"/store/a/f").files
    rows = list(history_of_path(RunStore(str(store)), "T2_X", "/store/a/f"))
    keys = {"runId": "run_id", "kind": "kind", "outcome": "outcome", "became": "became", "siteSize": "site_size"}
    assert [{key: row[key] for key in keys} for row in rows] == [
        {key: getattr(one, name) for key, name in keys.items()} for one in file.occurrences
    ]


@pytest.mark.parametrize(
    ("asked", "paths"),
    [
        (b"/store/a/*", ["/store/a/f", "/store/a/g"]),
        (b"/store/a/", ["/store/a/f", "/store/a/g"]),
        (b"/store/a*", ["/store/a/f", "/store/a/g"]),
        (b"/store/a/g*", ["/store/a/g"]),
        (b"/store/a/f/", []),
        (b"/store/a", []),
        (b"*", ["/store/a/f", "/store/a/g"]),
        (b"/*", ["/store/a/f", "/store/a/g"]),
        (b"", []),
        (b"/", []),
        (b"/store/%", []),
        (b"/store/a/[fg]", []),
        (b"/store/a/' OR 1=1 --*", []),
    ],
)
def test_a_beginning_ends_in_a_star_or_a_slash_and_is_no_pattern(view, history, asked, paths):
    assert found(view.find_file("T2_X", asked)) == paths


def test_bytes_that_are_no_text_are_found_by_their_quoted_form(client, store):
    write_findings(Made().write(store), "orphans", [{"path": b"/store/\xff\n<b>"}])
    [file] = client.get("/api/v1/sites/T2_X/file?path=/store/%FF%0A%3Cb%3E").json()["files"]
    assert file["path"] == {"text": "/store/\\xff\\n<b>", "quoted": "/store/%FF%0A%3Cb%3E"}
    [again] = client.get(f"/api/v1/sites/T2_X/file?path={file['path']['quoted']}").json()["files"]
    assert again == file


def test_names_that_begin_with_high_bytes_are_within_a_beginning(store, view):
    write_findings(Made().write(store), "orphans", [{"path": b"/store/a\xff\xff\xff"}, {"path": b"/store/b"}])
    assert found(view.find_file("T2_X", b"/store/a*")) == ["/store/a\\xff\\xff\\xff"]


def test_the_first_two_hundred_files_are_shown(store, view):
    write_findings(Made().write(store), "missing", [{"path": f"/store/{n:04}".encode()} for n in range(300)])
    page = view.find_file("T2_X", b"/store/*")
    assert (len(page.files), page.files[-1].path.text, page.is_cut) == (200, "/store/0199", True)


def test_a_run_whose_findings_are_damaged_is_named_and_the_others_are_searched(store, view, history):
    run_id = history[0].run_id
    (store / "T2_X" / run_id / "findings/missing.parquet").write_bytes(b"PAR1 nonsense PAR1")
    page = view.find_file("T2_X", b"/store/a/f")
    assert [one.run_id for one in page.files[0].occurrences] == [history[1].run_id]
    assert [problem.run_id for problem in page.problems] == [run_id]


def test_a_path_that_is_too_long_is_none(view, history):
    with pytest.raises(NotThereError):
        view.find_file("T2_X", b"/" * 5000)
