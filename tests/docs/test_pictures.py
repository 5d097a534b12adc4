"""The pictures on the pages have the words of the code, and load nothing from elsewhere."""

import html
import re
from pathlib import Path
from typing import get_args

import pytest
from consistency_operator.resource.status import Stage

REPOSITORY = Path(__file__).parents[2]
IMAGES = REPOSITORY / "docs/images"
GATES = list(
    dict.fromkeys(re.findall(r'Gate\("(\w+)"', (REPOSITORY / "dynamo_consistency/run/gates/gates.py").read_text()))
)
DRAWN = sorted(IMAGES.glob("*.svg"))


def words(picture: str) -> list[str]:
    texts = re.findall(r"<text[^>]*>([^<]*)", (IMAGES / picture).read_text())
    return [html.unescape(text).replace("\xa0", " ") for text in texts]


def test_there_are_seven_gates_and_they_stand_in_their_order():
    assert [word for word in words("gates.svg") if word in GATES] == GATES
    assert len(GATES) == 7


def test_the_stages_of_a_run_stand_in_their_order():
    stages = list(get_args(Stage))
    assert [word for word in words("run-stages.svg") if word in stages] == stages


def test_the_terminal_shows_what_a_run_says_today():
    shown = "\n".join(words("terminal.svg"))
    assert [gate for gate in GATES if f"gate {gate}: " not in shown] == [], "run docs/images/make_terminal.py"


@pytest.mark.parametrize("picture", DRAWN, ids=lambda picture: picture.name)
def test_a_picture_loads_nothing_and_says_what_it_is(picture):
    text = picture.read_text()
    assert re.findall(r"""<script|@import|@font-face|href=|url\((?!['"]?#)""", text) == []
    assert "<title" in text or picture.name in {"favicon.svg", "terminal.svg"}


def test_every_picture_is_on_a_page_with_words_for_those_who_cannot_see_it():
    pages = [REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")]
    shown = [found for page in pages for found in re.findall(r"!\[([^]]*)\]\(\S*images/([\w.-]+)\)", page.read_text())]
    assert [name for words, name in shown if len(words) < 15] == []
    there = {file.name for file in IMAGES.iterdir() if file.suffix in {".svg", ".png"}} - {"favicon.svg"}
    assert {name for _, name in shown} == there
