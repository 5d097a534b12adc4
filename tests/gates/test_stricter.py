"""A check that is tightened while one of its runs waits: its action asks for what both checks allow (gate 10)."""

from decimal import Decimal

import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as some

from dynamo_consistency import paths
from dynamo_consistency.check import FindingPolicy, Health, Policy, SiteConsistencyCheck, Unmerged
from dynamo_consistency.kinds import EMPTY_DIRECTORY, ORPHAN, UNMERGED
from dynamo_consistency.run.gates import Facts, all_ready, evaluate
from dynamo_consistency.run.gates import stricter as stricter_rules
from dynamo_consistency.run.gates.confirmation import Confirmed
from dynamo_consistency.run.gates.facts import GATED, Scope
from dynamo_consistency.run.gates.stricter import Stricter, stricter, unchanged
from dynamo_consistency.run.unmerged import cleaned

DAY = 86400
AREA = "/store/unmerged"
PATHS = [b"/store/mc/a", b"/store/mc/RAW/a", b"/store/mc/HC/a", b"/store/data/a", b"/store/data/b/RAW"]
OLD = [b"/store/unmerged/a", b"/store/logs/a"]
TIGHTENED = "the check has been tightened since"


def check(policy=None, unmerged=None, *, roots=("/store/mc", "/store/data"), exclude=(), comparison=None):
    spec = {
        "site": "T2_X",
        "listing": {"roots": [{"path": root} for root in roots], "exclude": list(exclude)},
        "comparison": comparison or {},
        "policy": policy or {},
    }
    if unmerged is not None:
        spec["unmerged"] = {"path": AREA, "protectedFrom": {"url": "/list"}} | unmerged
    return SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": "x"},
            "spec": spec,
        }
    )


FRACTIONS = some.sampled_from(["0.001", "0.01", "0.05", "0.2", "0.9", "1"])
RULES = {
    "mode": some.sampled_from(["Ignore", "Report", "Enforce"]),
    "maxCount": some.sampled_from([0, 5, 50, 500]),
    "maxFraction": some.none() | FRACTIONS,
    "maxCountPer30Days": some.none() | some.sampled_from([0, 5, 50, 500]),
    "maxFractionPer30Days": some.none() | FRACTIONS,
    "confirmRuns": some.integers(2, 4),
    "confirmSpanSeconds": some.sampled_from([0, 5 * DAY, 20 * DAY]),
}
FINDING_RULES = some.fixed_dictionaries(RULES)
POLICIES = some.fixed_dictionaries(
    dict.fromkeys(("missing", "orphans", "mismatches"), FINDING_RULES)
    | {
        "emptyDirectories": some.fixed_dictionaries(RULES | {"method": some.sampled_from(["registry", "protocol"])}),
        "health": some.fixed_dictionaries(
            {"minListedFraction": FRACTIONS, "maxHoleFraction": FRACTIONS, "maxInventoryChange": FRACTIONS}
        ),
        "approval": some.sampled_from(["Never", "Required", "OnlyAboveLimits"]),
        "maxRequestsPerRun": some.sampled_from([0, 10, 10000]),
    }
)
UNMERGED_AREAS = some.none() | some.fixed_dictionaries(
    RULES
    | {
        "confirmSpanSeconds": some.none() | RULES["confirmSpanSeconds"],
        "path": some.sampled_from([AREA, "/store/temp"]),
        "minAgeSeconds": some.sampled_from([DAY, 40 * DAY]),
        "logs": some.fixed_dictionaries(
            {"path": some.sampled_from(["logs", "log"]), "additional": some.sampled_from([[], ["/store/logs"]])}
        ),
        "protectedFrom": some.fixed_dictionaries({"url": some.sampled_from(["/list", "/other"])}),
    }
)
CHECKS = some.builds(
    check,
    POLICIES,
    UNMERGED_AREAS,
    roots=some.sampled_from([("/store/mc", "/store/data"), ("/store/mc",), ("/store/mc", "/store/data/b")]),
    exclude=some.sampled_from([(), ("/store/mc/HC",)]),
    comparison=some.fixed_dictionaries(
        {
            "ignore": some.sampled_from([[], ["/RAW"], ["/HC"]]),
            "ignoreAgeSeconds": some.sampled_from([DAY, 2 * DAY]),
        }
    ),
)
WORLDS = some.fixed_dictionaries(
    {
        "runs": some.integers(1, 4),
        "found": some.fixed_dictionaries(
            {kind: some.sampled_from([0, 3, 30, 300]) for kind in (*GATED, UNMERGED.name)}
        ),
        "holes": some.sampled_from([0, 3, 30]),
        "after": some.sampled_from([1000, 1100, 1700]),
        "approved": some.booleans(),
    }
)


def facts_under(rules: Stricter, world) -> Facts:
    """What the gates know of a run in `world` where these rules count."""
    spec, found = rules.check.spec, world["found"]
    area = cleaned(rules.check)
    policies = spec.policy.of_kinds | ({UNMERGED.name: area} if area else {})
    span = (world["runs"] - 1) * 7 * DAY
    return Facts(
        run_id="now",
        policy=spec.policy,
        before=1000,
        after=world["after"],
        last_inventory=None,
        scopes=(Scope("the site", 1000, 1000, 100, world["holes"], {kind: found[kind] for kind in GATED}),),
        empty_top_directories=(),
        complete_runs=world["runs"],
        confirmed={
            kind: Confirmed(("runs",), span, found[kind]) if enough else Confirmed((), span, 0)
            for kind, policy in policies.items()
            for enough in [world["runs"] >= policy.confirm_runs and span >= policy.longest_span_seconds]
        },
        approved_run="now" if world["approved"] else None,
        superseded=False,
        by_dump=False,
        unmerged=area,
        area=Scope("the area", 0, 1000, 100, 0, {UNMERGED.name: found[UNMERGED.name]}) if area else None,
        tightening=rules,
    )


def asked_under(rules: Stricter, world) -> set[tuple[str, bytes]]:
    facts, keeps = facts_under(rules, world), rules.keeper()
    if not all_ready(evaluate(facts)):
        return set()
    confirmed = [kind for kind in facts.enforced if facts.confirmed[kind].count]
    return {
        (kind, path)
        for kind in confirmed
        for path in (OLD if kind == UNMERGED.name else PATHS)
        if not keeps(kind, path)
    }


def asked_alone(one: SiteConsistencyCheck, world) -> set[tuple[str, bytes]]:
    """What a run that both began and acted with this check would ask for."""
    spec = one.spec
    roots = [paths.to_bytes(root.path) for root in spec.listing.roots]
    excluded = [paths.to_bytes(path) for path in spec.listing.exclude]
    areas = [paths.to_bytes(area) for area in spec.unmerged.areas] if spec.unmerged else []
    ignored = paths.PatternFilter(spec.comparison.ignore).ignored

    def is_found(kind, path):
        if kind == UNMERGED.name:
            return paths.is_in(path, areas)
        if kind in (ORPHAN.name, EMPTY_DIRECTORY.name) and ignored(path):
            return False
        return paths.is_in(path, roots) and not paths.is_in(path, excluded)

    return {request for request in asked_under(unchanged(one), world) if is_found(*request)}


@given(began=CHECKS, today=CHECKS, world=WORLDS)
@settings(max_examples=examples(200), deadline=None)
def test_whatever_is_asked_for_both_checks_would_have_asked_for(began, today, world):
    asked = asked_under(stricter(began, today), world)
    assert asked <= asked_alone(began, world)
    assert {request for request in asked if request[0] != UNMERGED.name} <= asked_alone(today, world)
    if began.spec.unmerged and today.spec.unmerged:
        assert asked <= asked_alone(today, world)


@given(began=CHECKS, world=WORLDS)
@settings(max_examples=examples(50), deadline=None)
def test_a_check_that_is_as_it_was_takes_nothing_away_and_nothing_is_said_of_it(began, world):
    rules = stricter(began, began)
    assert asked_under(rules, world) == asked_alone(began, world)
    assert rules.remark == ""
    assert rules.check == began


@given(began=CHECKS, today=CHECKS)
@settings(max_examples=examples(100), deadline=None)
def test_ages_are_the_longer_ones_and_what_is_left_alone_is_left_alone_by_either(began, today):
    both = stricter(began, today).check.spec
    for one in (began.spec, today.spec):
        assert both.comparison.ignore_age_seconds >= one.comparison.ignore_age_seconds
        assert set(both.comparison.ignore) >= set(one.comparison.ignore)
        assert both.policy.max_requests_per_run <= one.policy.max_requests_per_run
        if one.unmerged and both.unmerged:
            assert both.unmerged.min_age_seconds >= one.unmerged.min_age_seconds
            assert both.unmerged.logs.min_age_seconds >= one.unmerged.logs.min_age_seconds
            assert set(both.unmerged.exclude) >= set(one.unmerged.exclude)


TIGHTER = {
    "policy.orphans.mode": check({"orphans": {"mode": "Report"}}),
    "policy.orphans.maxCount": check({"orphans": {"mode": "Enforce", "maxCount": 1}}),
    "policy.orphans.maxFraction": check({"orphans": {"mode": "Enforce", "maxFraction": "0.001"}}),
    "policy.orphans.confirmRuns": check({"orphans": {"mode": "Enforce", "confirmRuns": 9}}),
    "policy.health.minListedFraction": check({"orphans": {"mode": "Enforce"}, "health": {"minListedFraction": "0.99"}}),
    "policy.approval": check({"orphans": {"mode": "Enforce"}, "approval": "Never"}),
    "policy.maxRequestsPerRun": check({"orphans": {"mode": "Enforce"}, "maxRequestsPerRun": 1}),
    "comparison.ignore": check({"orphans": {"mode": "Enforce"}}, comparison={"ignore": ["/RAW"]}),
    "comparison.ignoreAgeSeconds": check({"orphans": {"mode": "Enforce"}}, comparison={"ignoreAgeSeconds": 9 * DAY}),
    "listing.exclude": check({"orphans": {"mode": "Enforce"}}, exclude=["/store/mc/HC"]),
    "listing.roots": check({"orphans": {"mode": "Enforce"}}, roots=["/store/mc"]),
}


@pytest.mark.parametrize("field", TIGHTER)
def test_what_has_been_tightened_is_named_and_what_has_been_loosened_is_not(field):
    began = check({"orphans": {"mode": "Enforce"}})
    assert stricter(began, TIGHTER[field]).remark == f"; {TIGHTENED} ({field})"
    assert stricter(TIGHTER[field], began).remark == ""
    assert stricter(began, None).remark == ""


def test_an_approval_lifts_no_limits_where_today_none_is_asked_for():
    world = {
        "runs": 4,
        "found": dict.fromkeys((*GATED, UNMERGED.name), 300),
        "holes": 0,
        "after": 1000,
        "approved": True,
    }
    rules = {"mode": "Enforce", "maxCount": 10, "confirmSpanSeconds": 0}
    began = check({"orphans": rules, "approval": "Required"})
    today = check({"orphans": rules, "approval": "Never"})
    limits = {gate.name: gate.state for gate in evaluate(facts_under(stricter(began, today), world))}["Limits"]
    assert limits == "Rejected"


def test_a_kind_that_is_ignored_today_still_holds_back_the_others_above_its_limit():
    world = {
        "runs": 4,
        "found": dict.fromkeys((*GATED, UNMERGED.name), 0) | {"orphans": 300, "missing": 3},
        "holes": 0,
        "after": 1000,
        "approved": False,
    }
    missing = {"mode": "Enforce", "confirmSpanSeconds": 0}
    began = check({"orphans": {"mode": "Report", "maxCount": 10}, "missing": missing})
    today = check({"orphans": {"mode": "Ignore", "maxCount": 10}, "missing": missing})
    assert asked_under(unchanged(today), world) != set()
    assert asked_under(stricter(began, today), world) == set()


def test_directories_that_another_would_remove_today_are_only_reported():
    began, today = (
        check({"emptyDirectories": {"mode": "Enforce", "method": method}}) for method in ("registry", "protocol")
    )
    assert stricter(began, today).check.spec.policy.empty_directories.mode == "Report"
    assert stricter(began, began).check.spec.policy.empty_directories.mode == "Enforce"


def test_an_unmerged_area_that_is_gone_or_another_today_is_only_reported():
    began = check(unmerged={"mode": "Enforce"})
    for today in (None, {"path": "/store/temp"}, {"protectedFrom": {"url": "/other"}}):
        now = check(unmerged=today if today is None else {"mode": "Enforce"} | today)
        assert stricter(began, now).check.spec.unmerged.mode == "Report"
    assert stricter(began, began).check.spec.unmerged.mode == "Enforce"


def test_every_bound_of_a_policy_has_a_rule_for_which_of_two_is_stricter():
    """A new field must not be forgotten here: the looser of two would count."""
    assert set(FindingPolicy.model_fields) == set(stricter_rules._OF_FINDINGS)
    assert set(Health.model_fields) == set(stricter_rules._OF_HEALTH)
    kinds = {name for name, field in Policy() if isinstance(field, FindingPolicy)}
    assert set(Policy.model_fields) - kinds == {"health", "approval", "max_requests_per_run"}
    assert set(Unmerged.model_fields) - set(FindingPolicy.model_fields) == {
        "path",
        "min_age_seconds",
        "logs",
        "exclude",
        "protected_from",
    }


def test_a_bound_that_is_not_written_counts_as_what_it_means():
    began = check({"orphans": {"maxCount": 10, "maxFraction": "0.02"}})
    today = check({"orphans": {"maxCount": 100, "maxCountPer30Days": 60, "maxFractionPer30Days": "0.5"}})
    both = stricter(began, today).check.spec.policy.orphans
    assert (both.count_limit_per_30_days, both.fraction_limit_per_30_days) == (50, Decimal("0.10"))


@pytest.mark.parametrize(("began", "today"), [(False, True), (True, False), (True, True)])
def test_a_site_that_is_on_tape_by_one_of_them_is_on_tape(began, today):
    one, other = (each.model_copy(update={"spec": each.spec.model_copy(update={"tape": tape})})
                  for each, tape in ((check(), began), (check(), today)))  # fmt: skip
    assert stricter(one, other).check.spec.tape
    assert stricter(one, other).changes == (("tape",) if today and not began else ())
