"""The style of the pages: what is written can be read, by day and at night, and nothing comes from elsewhere."""

import re
from importlib.resources import files

import pytest

from dynamo_consistency.web.pages.static import STATIC, static_file

STYLE = static_file("style.css").decode()
BLOCKS = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
THEMES = {
    name: dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{3,6})", block))
    for name, block in zip(("day", "night", "print"), BLOCKS, strict=True)
}
WORDS = ("ink", "quiet", "link", "good", "attention", "bad", "call", "missing", "orphans")
LINES = ("mismatches", "emptyDirectories", "twins", "unmerged", "holes", "m5", "o5")


def luminance(colour: str) -> float:
    """As WCAG 2 has it."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["day", "night"])
@pytest.mark.parametrize("ground", ["ground", "paper", "shade"])
def test_words_can_be_read_on_every_ground(theme, ground):
    colours = THEMES[theme]
    assert [word for word in WORDS if contrast(colours[word], colours[ground]) < 4.5] == []


@pytest.mark.parametrize("theme", ["day", "night"])
def test_lines_and_areas_can_be_seen_on_paper(theme):
    colours = THEMES[theme]
    assert [line for line in LINES if contrast(colours[line], colours["paper"]) < 3] == []


@pytest.mark.parametrize("theme", ["day", "night"])
def test_names_can_be_read_in_every_directory_of_the_icicle(theme):
    colours = THEMES[theme]
    grounds = {"on-dark": ("m4", "m5", "o4", "o5"), "ink": ("m1", "m2", "m3", "o1", "o2", "o3", "whole")}
    pairs = [(ink, ground) for ink, names in grounds.items() for ground in names]
    assert [pair for pair in pairs if contrast(colours[pair[0]], colours[pair[1]]) < 4.5] == []


def test_steps_of_a_colour_go_one_way():
    for theme, back in (("day", True), ("night", False)):
        for kind in "mo":
            steps = [luminance(THEMES[theme][f"{kind}{step}"]) for step in range(1, 6)]
            assert steps == sorted(steps, reverse=back)


def test_nothing_is_fetched_from_elsewhere():
    templates = files("dynamo_consistency.web").joinpath("templates")
    texts = [static_file(name).decode() for name in STATIC] + [one.read_text() for one in templates.iterdir()]
    for text in texts:
        bare = text.replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not re.search(r"https?://|@import|url\(|<style|style=", bare)
