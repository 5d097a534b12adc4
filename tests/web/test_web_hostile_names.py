"""File names are hostile: whatever they look like, they stay names."""

import csv
import io
import json
import random

import pytest
from made_runs import Made, write_findings

from dynamo_consistency.paths import of_one_line

NAMES = 10_000
PIECES = (
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "]]>", "<!--", "&lt;", "&#x3c;", '" onload="', "'"),
    *("=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3", "\t=1", "\r\n=1", "\n", "\r", "\0", "\x1b[31m", "\x7f"),
    *("../", "..\\", "%2e%2e%2f", "%00", "%", "?", "#", ";", "'; DROP TABLE x; --", "$(id)", "`id`", "{{7*7}}"),
    *("\u202e", "\u200b", "\ufeff", "\u2028", "\ufb00", "\u00e9", "e\u0301", "\U0001f680", "{% x %}", " ", "a"),
    *("javascript:alert(1)", "data:text/html,x", "http://evil.example/", "\\xff", "\\n", "\\"),
)


def hostile_paths() -> list[bytes]:
    chance = random.Random(7)
    paths: set[bytes] = set()
    while len(paths) < NAMES:
        pieces = [chance.choice(PIECES).encode() for _ in range(chance.randrange(1, 5))]
        pieces.insert(chance.randrange(len(pieces) + 1), chance.randbytes(chance.randrange(0, 4)))
        paths.add(b"/store/" + b"".join(pieces).replace(b"//", b"/"))
    return sorted(paths)


@pytest.fixture(scope="module")
def paths() -> list[bytes]:
    return hostile_paths()


@pytest.fixture
def made(store, paths) -> Made:
    made = Made(counts={"orphans": NAMES})
    rows = [{"path": path, "site_size": 1, "dataset": PIECES[n % len(PIECES)]} for n, path in enumerate(paths)]
    write_findings(made.write(store), "orphans", rows)
    return made


def test_all_of_them_are_in_the_text_list_a_line_each(client, made, paths):
    content = client.get(f"/api/v1/sites/T2_X/runs/{made.run_id}/lists/orphans.txt").content
    lines = content.split(b"\n")[:-1]
    assert list(map(of_one_line, lines)) == paths


def test_all_of_them_are_in_the_csv_and_none_is_a_formula(client, made, paths):
    content = client.get(f"/api/v1/sites/T2_X/runs/{made.run_id}/lists/orphans.csv").content
    text = content.decode("utf-8", "surrogateescape")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert {row[0].encode("utf-8", "surrogateescape") for row in rows[1:]} == set(paths)
    cells = [cell.lstrip(" ") for row in rows[1:] for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_every_one_is_found_by_its_quoted_form(client, made, paths):
    for path in random.Random(3).sample(paths, 40):
        page = client.get(f"/api/v1/sites/T2_X/runs/{made.run_id}/findings/orphans", params={"sort": "path"})
        assert page.status_code == 200
        quoted = "".join(f"%{byte:02X}" for byte in path)
        answer = client.get(f"/api/v1/sites/T2_X/file?path={quoted}").json()
        if not path.endswith((b"*", b"/")):
            assert [len(file["occurrences"]) for file in answer["files"]] == [1], path


def test_in_json_every_character_can_be_seen(client, made):
    for kind in ("findings/orphans", "findings/orphans?descending=1"):
        answer = client.get(f"/api/v1/sites/T2_X/runs/{made.run_id}/{kind}")
        texts = [text for row in answer.json()["rows"] for text in (row["path"]["text"], row["dataset"])]
        assert all(text.isprintable() for text in texts)
        assert all(row["path"]["quoted"].isascii() for row in answer.json()["rows"])


def test_the_tree_holds_names_as_names(client, made):
    page = client.get(f"/api/v1/sites/T2_X/runs/{made.run_id}").json()
    assert sum(root["orphans"] for root in page["roots"]) == NAMES
    assert all(text.isprintable() for text in _texts(page["roots"]))


def _texts(directories: list[dict]) -> list[str]:
    return [text for one in directories for text in (one["path"]["text"], *_texts(one["children"]))]


@pytest.mark.parametrize("site", ["<script>", "../..", "T2_X'--", "a b", "T2_X\n", ".hidden", "x" * 80, "=1+1"])
def test_a_folder_that_no_check_can_be_named_after_is_no_site(client, store, site):
    made = Made(site="T2_X")
    folder = made.write(store)
    (store / site.replace("/", "_")).mkdir(exist_ok=True)
    folder.rename(store / site.replace("/", "_") / made.run_id)
    assert client.get("/api/v1/sites").json()["rows"] == []


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "t2\u202e-x", "=1+1", "a\nb", "x" * 10_000])
def test_the_name_of_a_check_is_a_text(client, store, name):
    (Made().write(store) / "claim.json").write_text(json.dumps({"name": name}))
    [row] = client.get("/api/v1/sites").json()["rows"]
    assert row["check"].isprintable()
    assert len(row["check"]) <= 400
    assert client.get("/metrics").status_code == 200
    assert client.get("/api/v1/sites/T2_X", params={"check": row["check"]}).status_code == 200
