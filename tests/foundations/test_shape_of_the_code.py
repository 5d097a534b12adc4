"""The code stays short: files that hold one concept, functions that fit a screen."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    file for folder in ("dynamo_consistency", "operator/consistency_operator") for file in (ROOT / folder).rglob("*.py")
)
LONGEST_FILE, LONGEST_FUNCTION, MEDIAN_FUNCTION = 250, 45, 6


def functions() -> Iterator[tuple[str, int]]:
    """Where each function is, and how many lines it has."""
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{file.relative_to(ROOT)}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1


@pytest.mark.parametrize("file", [file for file in FILES if file.name != "schema.py"], ids=lambda file: file.stem)
def test_a_file_is_short_unless_it_is_a_schema(file):
    assert len(file.read_text().splitlines()) <= LONGEST_FILE


def test_every_function_fits_a_screen_and_most_are_a_few_lines():
    lengths = dict(functions())
    assert [place for place, length in lengths.items() if length > LONGEST_FUNCTION] == []
    assert median(lengths.values()) <= MEDIAN_FUNCTION


def test_every_function_is_annotated():
    bare = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}"
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (
            node.returns is None
            or any(
                argument.annotation is None and argument.arg not in ("self", "cls")
                for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            )
        )
    ]
    assert bare == []
