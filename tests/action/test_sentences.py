"""Every promise on safety has tests that exist: docs/explanation/traceability.md says which."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs/explanation/traceability.md"
ROWS = [
    tuple(cell.strip() for cell in line.strip("| \n").rsplit("|", 1))
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| sentence")
]


@pytest.fixture(scope="module")
def tests() -> set[str]:
    """The names of all tests of the project, wherever they are."""
    return {
        node.name
        for file in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_the_page_has_promises():
    assert len(ROWS) > 40


@pytest.mark.parametrize("page", sorted(PAGE.parents[1].rglob("*.md")), ids=lambda page: page.stem)
def test_every_test_that_a_page_names_exists(tests, page):
    named = re.findall(r"`(test_\w+)`", page.read_text(encoding="utf-8"))
    assert [name for name in named if name not in tests] == []


@pytest.mark.parametrize(("sentence", "named"), ROWS, ids=[row[0][:60] for row in ROWS])
def test_a_sentence_has_tests_that_exist(tests, sentence, named):
    names = re.findall(r"`(\w+)`", named)
    assert names, f"no test names: {sentence}"
    assert [name for name in names if name not in tests] == []
