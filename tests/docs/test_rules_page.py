"""The numbered rules and gates: whatever number the code or a test cites is on the page."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs/explanation/rules.md"
HEADINGS = re.findall(r"^### (Rule|Gate) (\d+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
CITATION = re.compile(r"\b(rule|gate)s? (\d+(?:(?:, | and |, and | to )\d+)*)", re.IGNORECASE)
SOURCES = [
    file
    for folder in ("dynamo_consistency", "operator", "tests", "benchmarks", "examples")
    for file in (REPOSITORY / folder).rglob("*.*")
    if file.suffix in (".py", ".sql", ".md", ".yaml") and file != Path(__file__)
]


def cited(text: str) -> set[tuple[str, int]]:
    """The rules and gates that a text names by number; `rules 2 to 4` are three."""
    found = set()
    for word, numbers in CITATION.findall(text):
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", numbers):
            found |= {(word.capitalize(), number) for number in range(int(first), int(last or first) + 1)}
    return found


def test_the_numbers_on_the_page_are_complete_and_in_order():
    for word, last in (("Rule", 15), ("Gate", 11)):
        assert [int(number) for name, number in HEADINGS if name == word] == list(range(1, last + 1))


def test_every_rule_and_gate_that_is_cited_is_on_the_page():
    known = {(word, int(number)) for word, number in HEADINGS}
    unknown = {
        f"{file.relative_to(REPOSITORY)}: {word} {number}"
        for file in SOURCES
        for word, number in cited(file.read_text(encoding="utf-8")) - known
    }
    assert unknown == set()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("(rules.md, rule 6)", {("Rule", 6)}),
        ("-- Rules 2 to 4, and gate 7", {("Rule", 2), ("Rule", 3), ("Rule", 4), ("Gate", 7)}),
        ("Rules 3, 7 and 10: every", {("Rule", 3), ("Rule", 7), ("Rule", 10)}),
        ("the rules are many; rule of thumb", set()),
    ],
)
def test_a_citation_is_recognised(text, numbers):
    assert cited(text) == numbers
