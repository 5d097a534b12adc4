"""Text that is too long is cut where a person would stop reading: never in the middle of a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamo_consistency.sentences import MORE, shortened

CUT = {
    "it fits": ("no node has room", 16, "no node has room"),
    "after a part of a sentence": ("no node has room: 3 are full; 2 are tainted", 40, "no node has room: 3 are full …"),
    "after a word, where the first part would be too short": (
        "no: nodes are full and tainted",
        25,
        "no: nodes are full and …",
    ),
    "in the middle of a word that is alone": ("x" * 30, 10, "x" * 8 + " …"),
    "a number with a point in it": (
        "it needs 0.25 of a core and 1.5 GiB of memory",
        33,
        "it needs 0.25 of a core and 1.5 …",
    ),
}


@pytest.mark.parametrize("name", CUT)
def test_text_is_cut(name: str) -> None:
    text, longest, expected = CUT[name]
    assert shortened(text, longest) == expected


@given(text=st.text(), longest=st.integers(3, 60))
def test_text_that_is_cut_fits_and_begins_as_it_did(text: str, longest: int) -> None:
    short = shortened(text, longest)
    assert len(short) <= longest
    assert short == text or (short.endswith(MORE) and text.startswith(short.removesuffix(MORE)))
