"""Check files that are accepted: the full example, the defaults, and the resolved check that a run keeps."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dynamo_consistency.check import KIND, SiteConsistencyCheck
from dynamo_consistency.checkfile import dump_check, read_check, read_checks
from dynamo_consistency.errors import ConfigurationError

EXAMPLE = Path(__file__).with_name("full_check.yaml")


def test_the_full_example_is_accepted_as_it_is():
    spec = read_check(EXAMPLE).spec
    assert spec.listing.source.xrootd.servers == ["root://door:1094"]
    assert [root.path for root in spec.listing.roots] == ["/store/mc", "/store/data"]
    assert spec.policy.mismatches.max_fraction == Decimal("0.001")
    assert spec.unmerged.logs.min_age_seconds == 5184000


def test_defaults_are_those_of_the_full_example():
    """The example spells out the defaults of nearly all; a check that is silent means the same."""
    full = read_check(EXAMPLE).spec.model_dump()
    unmerged = {"path": "/store/unmerged", "protectedFrom": {"url": "…"}}
    silent = check(roots=["/store/mc"], unmerged=unmerged).spec.model_dump()
    own = ("site", "schedule", "time_zone", "jitter_seconds", "trigger", "approve", "store")
    assert {name: value for name, value in full.items() if silent[name] != value}.keys() == {
        *own,
        "listing",
        "comparison",
    }
    for part, own in (("listing", {"source", "roots", "exclude"}), ("comparison", {"ignore"})):
        assert {name for name, value in full[part].items() if silent[part][name] != value} == own


def test_what_kubernetes_adds_to_metadata_and_status_is_allowed(tmp_path):
    text = EXAMPLE.read_text().replace("{name: t2-de-rwth}", "{name: t2-de-rwth, uid: x, labels: {a: b}}")
    (tmp_path / "site.yaml").write_text(text + "status: {run: {id: x}}\n")
    assert read_check(tmp_path / "site.yaml").metadata.name == "t2-de-rwth"


def test_a_run_takes_one_check_of_a_file(tmp_path):
    (tmp_path / "two.yaml").write_text(f"{EXAMPLE.read_text()}\n---\n{EXAMPLE.read_text()}")
    assert len(read_checks(tmp_path / "two.yaml")) == 2
    with pytest.raises(ConfigurationError, match="holds 2 checks"):
        read_check(tmp_path / "two.yaml")


def test_paths_are_normalised_when_they_are_read():
    assert check(roots=["/store//mc/"]).spec.listing.roots[0].path == "/store/mc"


def check(roots: list[str], **spec: object) -> SiteConsistencyCheck:
    return SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": KIND,
            "metadata": {"name": "site"},
            "spec": {"site": "T2_X", "listing": {"roots": [{"path": path} for path in roots]}, **spec},
        }
    )


def test_the_resolved_check_of_the_example_is_the_same_check(tmp_path):
    (tmp_path / "check.yaml").write_text(dump_check(read_check(EXAMPLE)))
    assert read_check(tmp_path / "check.yaml") == read_check(EXAMPLE)


def test_a_limit_that_was_lifted_stays_lifted_in_the_resolved_check(tmp_path):
    lifted = check(["/store/mc"], policy={"missing": {"maxFraction": None}})
    (tmp_path / "check.yaml").write_text(dump_check(lifted))
    assert read_check(tmp_path / "check.yaml").spec.policy.missing.max_fraction is None


def test_the_resolved_check_spells_out_the_defaults():
    assert "ignoreAgeSeconds: 86400" in dump_check(check(["/store/mc"]))


names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1).filter(
    lambda name: name not in (".", "..")
)
patterns = st.text(
    st.characters(codec="utf-8", exclude_categories=["Z", "C"], exclude_characters="?[{\\^$|%,!/"), min_size=1
).filter(lambda pattern: pattern.strip("*") and pattern not in (".", ".."))
fractions = st.decimals(0, 1, places=6).map(lambda value: format(value, "f"))
seconds = st.integers(0, 10**9)


specs = st.fixed_dictionaries(
    {
        "suspend": st.booleans(),
        "comparison": st.fixed_dictionaries({"ignoreAgeSeconds": seconds, "ignore": st.lists(patterns)}),
        "policy": st.fixed_dictionaries(
            {"orphans": st.fixed_dictionaries({"maxFraction": fractions | st.none(), "maxCount": seconds})}
        ),
        "podTemplate": st.fixed_dictionaries(
            {"spec": st.dictionaries(st.text(), st.text() | seconds | st.none() | st.lists(st.text()))}
        ),
    }
)


@given(root=names, spec=specs)
@example(root="next\x85line", spec={})
def test_every_check_survives_being_written_and_read(tmp_path_factory, root, spec):
    original = check([f"/{root}"], **spec)
    file = tmp_path_factory.getbasetemp() / "round-trip.yaml"
    file.write_text(dump_check(original), encoding="utf-8")
    assert read_check(file) == original
