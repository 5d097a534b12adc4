"""The page on the run directory names all that is in one: files, columns, and the fields of the JSON."""

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from enforcing import POLICY

PAGE = (Path(__file__).parents[2] / "docs/reference/run-directory.md").read_text()
NAMED = {
    word
    for code in re.findall(r"`([^`]+)`", re.sub(r"(?s)```.*?```", "", PAGE))
    for word in re.findall(r"[\w.]+", code)
}
MUCH_MAY_DIFFER = '    orphans: {maxFraction: "1"}\n    mismatches: {maxFraction: "1"}\n'


@pytest.fixture
def acted(drifted) -> Path:
    """The directory of a run that has asked for something."""
    drifted.check.write_text(drifted.check.read_text() + POLICY + MUCH_MAY_DIFFER)
    drifted.run("run", "-f", "check.yaml")
    summary = json.loads(drifted.run("run", "-f", "check.yaml", "--output", "json"))
    assert summary["actions"]["missing"]["confirmed"] == 3
    return drifted.store / "T2_Test" / summary["runId"]


def test_every_file_is_on_the_page(acted):
    stems = {re.sub(r"\d{4}", "NNNN", file.stem) for file in acted.rglob("*.*") if file.parent.name != "actions"}
    assert {stem for stem in stems if not re.search(rf"\b{stem}\b", PAGE)} == set()


def test_every_field_of_the_json_is_on_the_page(acted):
    summary, listing = (json.loads((acted / file).read_text()) for file in ("summary.json", "listing/shard-0000.json"))
    fields = {*summary, *summary["counts"], *summary["listing"], *summary["snapshots"]["before"]}
    fields |= {*summary["gates"][0], *summary["actions"]["missing"], *listing}
    assert fields - NAMED == set()


def test_every_column_is_on_the_page(acted):
    files = ("actions", "inventory/before", "inventory/after", "listing/shard-0000", "findings/missing")
    columns = {name for file in files for name in pq.read_schema(acted / f"{file}.parquet").names}
    assert columns - NAMED == set()
