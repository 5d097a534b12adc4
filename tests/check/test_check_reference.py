"""The page on the check is made from the model, and is up to date."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

GENERATOR = Path(__file__).parents[2] / "docs" / "generate_check_reference.py"


@pytest.fixture
def generator():
    return SimpleNamespace(**runpy.run_path(str(GENERATOR)))


def test_the_page_on_the_check_is_what_the_model_says(generator):
    told = "run `python docs/generate_check_reference.py` and commit the page"
    assert generator.PAGE.read_text(encoding="utf-8") == generator.page(), told


def test_every_field_says_what_it_is(generator):
    rows = [line.split(" | ") for line in generator.page().splitlines() if line.startswith("| `")]
    assert len(rows) > 60
    assert [row[0] for row in rows if row[-1].strip(" |") == "" and row[0] not in ("| `apiVersion`", "| `kind`")] == []
