"""Laws of both conversions, whatever stands in a configuration."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.convert import Conversion, convert_dynamo, convert_rce
from dynamo_consistency.yamlfile import Document

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats()
    | st.sampled_from(["/store/mc", "/", "..", "/store/mc/a", "door:1094", "0.5", "1e-30", "1e400", "SRM", "\udcff"])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["path", "T2_A", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)
RCE_ROOTS = st.lists(
    st.fixed_dictionaries({"path": st.sampled_from(["/store/mc", "/store/data/x", "store/a"])}), min_size=1
)
RCE_PARTS = {
    "scanner": ["server", "server_root", "timeout", "remove_prefix", "add_prefix", "nworkers", "odd"],
    "missing_action": ["max_fraction", "max_age_last_run"],
    "dark_action": ["max_fraction", "min_runs", "min_age_first_run", "confirmation_window"],
    "dbdump": ["path_root"],
}
RCE = st.fixed_dictionaries(
    {
        "scanner": st.dictionaries(st.sampled_from(RCE_PARTS["scanner"]), VALUES).flatmap(
            lambda scanner: RCE_ROOTS.map(lambda roots: scanner | {"roots": roots})
        )
    },
    optional={
        "ignore_list": VALUES,
        "ce_disabled": VALUES,
        **{
            part: st.dictionaries(st.sampled_from(keys), VALUES)
            for part, keys in RCE_PARTS.items()
            if part != "scanner"
        },
    },
)
DYNAMO_KEYS = [
    "AccessMethod", "AdditionalLogDeletions", "DeleteOrphans", "IgnoreAge", "IgnoreDirectories", "ListDeletable",
    "MaxMissing", "MaxOrphan", "PathPrefix", "Redirectors", "Retries", "Unmerged", "UnmergedLogsAge", "UseLoadBalancer",
]  # fmt: skip


def checks(result: Conversion) -> dict[str, SiteConsistencyCheck]:
    return {site: Document(site, each, {}).parse(SiteConsistencyCheck) for site, each in result.documents.items()}


def assert_no_more_dangerous_than_the_default(check: SiteConsistencyCheck) -> None:
    default: Any = SiteConsistencyCheck.model_validate(
        {
            "apiVersion": check.api_version,
            "kind": check.kind,
            "metadata": {"name": "default"},
            "spec": {"site": "D", "listing": {"roots": [{"path": "/store"}]}},
        }
    )
    for kind in ("missing", "orphans", "mismatches", "empty_directories"):
        ours, bounds = getattr(check.spec.policy, kind), getattr(default.spec.policy, kind)
        assert ours.mode == "Report"
        assert ours.max_count <= bounds.max_count
        assert bounds.max_fraction is None or ours.max_fraction <= bounds.max_fraction
        assert ours.confirm_runs >= bounds.confirm_runs
        assert ours.confirm_span_seconds >= bounds.confirm_span_seconds
    assert check.spec.comparison.ignore_age_seconds >= default.spec.comparison.ignore_age_seconds
    assert check.spec.policy.health == default.spec.policy.health
    assert check.spec.policy.approval == default.spec.policy.approval
    if check.spec.unmerged is not None:
        assert check.spec.unmerged.mode == "Report"
        assert check.spec.unmerged.min_age_seconds >= 2419200
        assert {"data", "express", "tier0_harvest"} <= set(check.spec.unmerged.exclude)


@given(RCE, st.dictionaries(st.sampled_from(["CE_config.roots", "CE_config.timeout", "CE_config.x"]), VALUES))
def test_whatever_rce_was_told_every_check_is_valid_and_no_more_dangerous_than_ours(config, attributes):
    result = convert_rce([{"rses": {"*": {}, "T2_A": config}}], {"T2_A": attributes})
    for check in checks(result).values():
        assert_no_more_dangerous_than_the_default(check)
    assert result.documents or any(note.key == "no check" for note in result.notes)
    result.lines()


@given(st.dictionaries(st.sampled_from(DYNAMO_KEYS), VALUES), st.sampled_from([None, "https://x"]))
def test_whatever_dynamo_consistency_was_told_every_check_is_valid_and_no_more_dangerous_than_ours(config, protected):
    config = {"RootPath": "/store", "DirectoryList": ["mc"], **config}
    result = convert_dynamo(config, ["T2_A"], protected_from=protected)
    for check in checks(result).values():
        assert_no_more_dangerous_than_the_default(check)
    assert result.documents or any(note.key == "no check" for note in result.notes)
    result.lines()


@given(st.text(min_size=1, max_size=8), VALUES)
def test_no_key_goes_without_a_word(key, value):
    rce = convert_rce([{"rses": {"T2_A": {"scanner": {"roots": [{"path": "/store"}]}, f"_{key}": value}}}])
    dynamo = convert_dynamo({"RootPath": "/store", "DirectoryList": ["mc"], f"_{key}": value}, ["T2_A"])
    for result in (rce, dynamo):
        assert any(note.key.startswith(f"_{key}") for note in result.notes)
