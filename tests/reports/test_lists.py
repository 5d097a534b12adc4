"""The text lists: whole, in byte order, one path a line; and what the backend adds to them."""

from types import SimpleNamespace

import pytest

from dynamo_consistency.backend import optional_features
from dynamo_consistency.errors import BackendError
from dynamo_consistency.run.report import write_reports
from dynamo_consistency.run.report.tables import BATCH_ROWS
from dynamo_consistency.secrets import remember


def found(*names: str | bytes) -> list[dict]:
    return [{"path": name.encode() if isinstance(name, str) else name} for name in names]


def test_each_kind_of_finding_has_a_list_in_byte_order(finished, backend, summary):
    finished.find("missing", found("/store/mc/b", "/store/mc/B", "/store/mc/a/z", "/store/mc/a.b"))
    finished.find("orphan", found("/store/mc/o"))
    finished.find("mismatch", found("/store/mc/m"))
    artifacts = write_reports(finished.directory, backend, summary())
    assert finished.lines("missing.txt") == ["/store/mc/B", "/store/mc/a.b", "/store/mc/a/z", "/store/mc/b"]
    assert finished.lines("orphan.txt") == ["/store/mc/o"]
    assert finished.lines("mismatch.txt") == ["/store/mc/m"]
    assert artifacts["orphanList"] == "reports/orphan.txt"


def test_empty_directories_stay_in_the_order_in_which_they_were_reported(finished, backend, summary):
    finished.find("empty_directory", found("/store/mc/z/z", "/store/mc/z", "/store/mc/a"))
    write_reports(finished.directory, backend, summary())
    assert finished.lines("empty_directories.txt") == ["/store/mc/z/z", "/store/mc/z", "/store/mc/a"]


def test_names_keep_their_bytes_and_a_newline_does_not_make_two_lines(finished, backend, summary):
    finished.find("orphan", found(b"/store/mc/\xff\t $(x)", b"/store/mc/two\nlines", b"/store/mc/back\\slash"))
    write_reports(finished.directory, backend, summary())
    with finished.directory.reading("reports/orphan.txt") as path:
        lines = path.read_bytes().split(b"\n")
    assert lines == [b"/store/mc/back\\\\slash", b"/store/mc/two\\nlines", b"/store/mc/\xff\t $(x)", b""]


def test_a_list_longer_than_a_batch_is_whole(finished, backend, summary):
    names = [f"/store/mc/{number:06d}" for number in range(2 * BATCH_ROWS + 1)]
    finished.find("missing", found(*reversed(names)))
    write_reports(finished.directory, backend, summary())
    assert finished.lines("missing.txt") == names
    assert finished.text("missing_datasets.txt") == f"T2_X: {len(names)} files\n"


def test_a_run_without_findings_of_a_kind_has_an_empty_list(finished, backend, summary):
    finished.find("missing", [])
    write_reports(finished.directory, backend, summary())
    assert finished.text("missing.txt") == ""


def test_an_invalid_run_has_no_lists_and_loses_those_of_an_earlier_attempt(finished, backend, summary):
    finished.directory.write_text("reports/missing.txt", "/store/mc/of-an-earlier-attempt\n")
    artifacts = write_reports(finished.directory, backend, summary(result="Invalid", reason="no door answers"))
    assert artifacts == {"report": "reports/report.html"}
    assert finished.directory.names("reports") == ["reports/report.html"]


def test_holes_are_listed_with_their_reasons(finished, backend, summary):
    hole = {"path": b"/store/mc/a\tb", "kind": "hole", "reason": "permission\tdenied"}
    finished.list_site([hole, {"path": b"/store/mc/f", "kind": "file", "size": 1}])
    write_reports(finished.directory, backend, summary())
    path, _, reason = finished.lines("unlisted.txt")[0].rpartition("\t")
    assert (path, reason) == ("/store/mc/a\tb", "permission\\tdenied")


def test_a_directory_that_every_shard_left_to_another_is_a_hole(finished, backend, summary):
    seen, listed = {"path": b"/store/mc/a", "kind": "seen"}, {"path": b"/store/mc/b", "kind": "seen"}
    finished.list_site([seen, listed], [{"path": b"/store/mc/b", "kind": "directory"}])
    write_reports(finished.directory, backend, summary())
    assert finished.lines("unlisted.txt") == ["/store/mc/a\tno shard has listed it"]


def test_a_listing_that_lacks_a_shard_is_not_reported_as_if_it_were_whole(finished, backend, summary):
    finished.list_site([{"path": b"/store/mc/f", "kind": "file", "size": 1}], of=2)
    artifacts = write_reports(finished.directory, backend, summary(result="Failed", reason="shard 1 died"))
    assert artifacts == {"report": "reports/report.html"}


def test_the_backend_is_given_the_names_as_they_are(finished, backend, summary):
    asked = []
    backend.filelist_to_blocklist = lambda site, infile, outfile: asked.append(open(infile, "rb").read())  # noqa: PTH123, SIM115
    finished.find("missing", found(b"/store/mc/back\\slash", b"/store/mc/\xff"))
    write_reports(finished.directory, backend, summary())
    assert asked == [b"/store/mc/back\\slash\n/store/mc/\xff\n"]
    assert finished.text("missing_datasets.txt") == ""


def test_the_backend_is_not_asked_for_the_blocks_of_no_files(finished, backend, summary):
    asked = []
    backend.filelist_to_blocklist = lambda *arguments: asked.append(arguments)
    finished.find("missing", found())
    artifacts = write_reports(finished.directory, backend, summary())
    assert asked == []
    assert finished.text(artifacts["missingDatasets"].removeprefix("reports/")) == ""


@pytest.mark.parametrize("error", [BackendError("the database\nis gone: pa55word"), KeyError("pa55word")])
def test_a_backend_that_fails_is_told_in_place_of_the_list_without_its_password(finished, backend, summary, error):
    remember("pa55word")

    def fail(site: str, infile: str, outfile: str) -> None:
        with open(outfile, "w") as file:  # noqa: PTH123 (as a module backend would)
            file.write("half a list")
        raise error

    backend.filelist_to_blocklist = fail
    finished.find("missing", found("/store/mc/f"))
    artifacts = write_reports(finished.directory, backend, summary())
    [line] = finished.lines("missing_datasets.txt")
    assert line.startswith("# not known: ")
    assert "pa55word" not in line
    assert finished.lines("missing.txt") == ["/store/mc/f"]
    assert "report" in artifacts


def test_files_without_another_copy_are_listed(finished, backend, summary, monkeypatch):
    monkeypatch.setattr(optional_features, "sources", lambda _backend, _site, files: (list(files), [list(files)[-1]]))
    finished.find("missing", found("/store/mc/b", "/store/mc/a"))
    write_reports(finished.directory, backend, summary())
    assert finished.lines("nosource.txt") == ["/store/mc/a", "/store/mc/b"]
    assert finished.lines("unrecoverable.txt") == ["/store/mc/b"]


def test_a_backend_that_breaks_off_in_the_middle_leaves_no_short_list(finished, backend, summary, monkeypatch):
    answers = iter([(["/store/mc/000000"], [])])
    monkeypatch.setattr(optional_features, "sources", lambda *_: next(answers))
    finished.find("missing", found(*(f"/store/mc/{number:06d}" for number in range(BATCH_ROWS + 1))))
    write_reports(finished.directory, backend, summary())
    for name in ("nosource.txt", "unrecoverable.txt"):
        [line] = finished.lines(name)
        assert line.startswith("# not known")


def test_a_backend_that_cannot_tell_of_other_copies_is_no_empty_list(finished, backend, summary):
    backend.registry = SimpleNamespace()
    finished.find("missing", found("/store/mc/f"))
    write_reports(finished.directory, backend, summary())
    for name in ("nosource.txt", "unrecoverable.txt"):
        assert finished.lines(name) == ["# not known: the backend cannot say which files have no other copy"]
