"""The laws of paths: identity, containment at component boundaries, ignore patterns."""

import fnmatch
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dynamo_consistency.paths import PatternFilter, is_below, is_in, join, normalise, subtree, to_bytes, to_text

# few different bytes, and those around the slash, so that paths meet and neighbours are near
components = st.binary(min_size=1, max_size=4).map(lambda name: name.replace(b"/", b"0")) | st.sampled_from(
    [b"a", b"a0", b"a.", b"a/"[:1], b"RAW", b"RAWSIM", b"\xff", b"\n", b" "]
)
absolute = st.lists(components, max_size=5).map(lambda parts: b"/" + b"/".join(parts))


@given(st.binary())
def test_any_bytes_survive_as_text(path):
    assert to_bytes(to_text(path)) == path


@given(st.lists(components | st.just(b""), max_size=6).map(lambda parts: b"/" + b"/".join(parts)))
def test_a_normalised_path_has_no_empty_component_and_stays_as_it_is(path):
    folded = normalise(path)
    assert normalise(folded) == folded
    assert folded == b"/" + b"/".join(part for part in path.split(b"/") if part)


@given(absolute, components)
def test_what_is_joined_to_a_directory_is_directly_below_it(directory, name):
    joined = join(directory, name)
    assert is_below(joined, directory)
    assert normalise(joined) == joined
    assert joined.rsplit(b"/", 1) == [directory.rstrip(b"/"), name]


@given(absolute, absolute)
@example(b"/a0", b"/a")
@example(b"/a/b", b"/a")
@example(b"/a", b"/")
@example(b"/", b"/")
def test_a_subtree_is_the_interval_of_exactly_the_paths_below(path, directory):
    first, end = subtree(directory)
    expected = path != directory and path.split(b"/")[: len(parts := directory.rstrip(b"/").split(b"/"))] == parts
    assert is_below(path, directory) == expected
    assert (first <= path < end and path != b"/") == expected


def test_a_neighbour_with_a_longer_name_is_not_below():
    assert not is_below(b"/store/mc2/f", b"/store/mc")
    assert not is_below(b"/store/mc", b"/store/mc")
    assert is_in(b"/store/mc", [b"/store/data", b"/store/mc"])
    assert not is_in(b"/store/mc", [])


PATTERNS = [
    (["/RAW"], "/store/data/r/X/RAW/v1/a", True),
    (["/RAW"], "/store/mc/e/X/RAWSIM/v1/a", False),
    (["/RAW"], "/store/mc/GEN-SIM-RAW/a", False),
    (["RAW"], "/store/data/RAW", True),
    (["RAW/"], "/RAW/a", True),
    (["/RAW*"], "/store/mc/RAWSIM/a", True),
    (["*RAW"], "/store/mc/GEN-SIM-RAW/a", True),
    (["/mc/SAM"], "/store/mc/SAM/f", True),
    (["/mc/SAM"], "/store/mc/x/SAM/f", False),
    (["/mc/*/SAM"], "/store/mc/x/SAM/f", True),
    (["/mc/*/SAM"], "/store/mc/x/y/SAM/f", False),
    (["//mc//SAM"], "/store/mc/SAM/f", True),
    (["/a.b"], "/store/aXb/f", False),
    (["/[ab]"], "/store/a/f", False),
    (["/x", "/RAW"], "/store/RAW", True),
    (["*/RAW"], "/RAW/f", False),
    (["*/RAW"], "/store/RAW/f", True),
    (["RAW"], "RAW/f", True),
    (["/\u00e9"], "/store/e\u0301/f", True),
    (["/e\u0301"], "/store/\u00e9/f", True),
    (["/e\u0301"], "/store/e\u0301/f", True),
    (["/\u00e9"], "/store/e/f", False),
    ([], "/x", False),
    (["/caf\u00e9"], "/store/cafe\u0301/f", True),
    (["/cafe\u0301"], "/store/caf\u00e9/f", True),
    (["/cafe\u0301"], "/store/cafe\u0301/f", True),
    (["/cafe"], "/store/cafe\u0301/f", False),
]


@pytest.mark.parametrize(("patterns", "path", "ignored"), PATTERNS)
def test_a_pattern_matches_whole_components_anywhere(patterns, path, ignored):
    assert PatternFilter(patterns).ignored(path.encode()) is ignored


@pytest.mark.parametrize("pattern", ["", "/", "//", "*", "/*", "/*/*/"])
def test_a_pattern_without_a_component_is_refused(pattern):
    with pytest.raises(ValueError, match="names no path component"):
        PatternFilter([pattern])


def ignored_slowly(pattern: str, path: bytes) -> bool:
    """The rule in other words: some run of components matches the pattern's components one by one."""
    wanted = [re.sub(r"([\[?])", r"[\1]", part) for part in pattern.split("/") if part]
    parts = to_text(path).split("/")[1:]
    runs = [parts[start : start + len(wanted)] for start in range(len(parts) - len(wanted) + 1)]
    return any(all(map(fnmatch.fnmatchcase, run, wanted)) for run in runs)


pattern_parts = st.text(st.sampled_from("aR.*?[]\n "), min_size=1, max_size=3)
patterns = st.lists(pattern_parts, min_size=1, max_size=3).map("/".join).filter(lambda text: text.strip("/*"))
near_paths = st.lists(st.text(st.sampled_from("aR.?[]\n "), min_size=1, max_size=3), min_size=1, max_size=4)


@given(patterns, near_paths.map(lambda parts: ("/" + "/".join(parts)).encode()))
@example("*a", b"/a/R")
@example("a*", b"/R/a")
def test_patterns_agree_with_a_slow_reading_of_the_rule(pattern, path):
    assert PatternFilter([pattern]).ignored(path) == ignored_slowly(pattern, path)


@given(patterns, patterns, near_paths.map(lambda parts: ("/" + "/".join(parts)).encode()))
def test_several_patterns_ignore_what_one_of_them_ignores(first, second, path):
    assert PatternFilter([first, second]).ignored(path) == any(
        PatternFilter([p]).ignored(path) for p in (first, second)
    )
