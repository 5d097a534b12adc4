"""Which directories two checks of one site both list."""

import pytest

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.check.overlap import namesakes_among, overlapping_roots, overlaps_among


def check(name: str, *roots: str, site: str = "T2_X", exclude: tuple[str, ...] = ()) -> SiteConsistencyCheck:
    listing = {"roots": [{"path": root} for root in roots], "exclude": list(exclude)}
    return SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": name},
            "spec": {"site": site, "listing": listing},
        }
    )


@pytest.mark.parametrize(
    ("other", "common"),
    [
        (check("b", "/store/mc"), ["/store/mc"]),
        (check("b", "/store"), ["/store/data", "/store/mc"]),
        (check("b", "/"), ["/store/data", "/store/mc"]),
        (check("b", "/store/mc/Run", "/store/user"), ["/store/mc/Run"]),
        (check("b", "/store/mc2", "/store/m"), []),
        (check("b", "/store/mc", site="T2_Y"), []),
        (check("b", "/store", exclude=("/store/mc",)), ["/store/data"]),
        (check("b", "/store/data/HC"), []),
    ],
)
def test_roots_overlap_at_whole_components_but_for_what_is_excluded(other, common):
    one = check("a", "/store/mc", "/store/data", exclude=("/store/data/HC",))
    assert overlapping_roots(one.spec, other.spec) == common
    assert overlapping_roots(other.spec, one.spec) == common
    assert len(list(overlaps_among([one, other]))) == bool(common)


def test_of_two_checks_with_one_name_that_is_told_and_not_that_they_overlap():
    checks = [check("a", "/store/mc"), check("b", "/store/data"), check("a", "/store/mc", site="T2_Y")]
    [told] = namesakes_among(checks)
    assert told.startswith("two checks are called a, of T2_X and of T2_Y: ")
    assert list(overlaps_among([checks[0], checks[0]])) == []
