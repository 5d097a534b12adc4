"""A name with a typo is answered with the name that was meant, and a strange one with none."""

import pytest

from dynamo_consistency.suggestions import did_you_mean

KNOWN = ["ignoreAgeSeconds", "orphans", "missing"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("orphan", "orphans"), ("mising", "missing"), ("ignore", "ignoreAgeSeconds"), ("o", "orphans")],
)
def test_the_nearest_name_is_suggested(written, meant):
    assert did_you_mean(written, KNOWN) == f"did you mean {meant}?"


@pytest.mark.parametrize("written", ["", "zzz", "site"])
def test_a_name_that_is_near_to_none_has_no_suggestion(written):
    assert did_you_mean(written, KNOWN) is None


def test_of_several_names_with_the_same_beginning_the_first_is_suggested():
    assert did_you_mean("m", ["mismatches", "missing"]) == "did you mean mismatches?"
