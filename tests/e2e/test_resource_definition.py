"""The CustomResourceDefinition in a real API server: what it refuses and in which words, what it explains and shows."""

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import yaml
from cluster.api import CRD, ApiError, path_of
from deployment import ROOT, apply, is_established

CASES = yaml.safe_load((ROOT / "tests/manifests/bad-checks.yaml").read_text())
STRICT = "?fieldValidation=Strict&dryRun=All"
FILE = next((ROOT / "crds").glob("consistency*.yaml"))


def merged(base: Any, change: Any) -> Any:
    """`change` laid over `base`; a null removes."""
    if not isinstance(change, dict) or not isinstance(base, dict):
        return change
    both = {**base, **{key: merged(base.get(key), value) for key, value in change.items()}}
    return {key: value for key, value in both.items() if value is not None or change.get(key, 1) is not None}


def merged_with_nulls(base: Any, change: Any) -> Any:
    """The same, but a null is kept."""
    if not isinstance(change, dict) or not isinstance(base, dict):
        return change
    return {**base, **{key: merged_with_nulls(base.get(key), value) for key, value in change.items()}}


def named(case: dict[str, Any]) -> str:
    return re.sub(r"[{}' ]+", " ", str(case["with"])).strip()


@pytest.fixture
def try_out(api, installed):
    """Sends a check; the server says what it would make of it, and keeps nothing."""
    return lambda check: api.request("POST", path_of("SiteConsistencyCheck") + STRICT, check)


def test_the_good_example_is_accepted(try_out):
    try_out(CASES["good"])


@pytest.mark.parametrize("case", [one for one in CASES["bad"] if "server" in one], ids=named)
def test_a_bad_check_is_refused_with_a_sentence(try_out, case):
    with pytest.raises(ApiError) as refused:
        try_out(merged(CASES["good"], case["with"]))
    assert refused.value.code in (400, 422)
    assert case["server"] in str(refused.value)


@pytest.mark.parametrize("case", [one for one in CASES["bad"] if "server" not in one], ids=named)
def test_what_only_the_operator_can_judge_is_let_through_to_it(try_out, case):
    try_out(merged(CASES["good"], case["with"]))


@pytest.mark.parametrize("change", CASES["good_too"], ids=str)
def test_what_looks_odd_and_is_right_is_accepted(try_out, change):
    try_out(merged_with_nulls(CASES["good"], change))


@pytest.mark.parametrize("case", CASES["edits"], ids=named)
def test_an_edit_that_makes_another_check_of_it_is_refused(api, namespace, case):
    api.create(CASES["good"], namespace)
    path = path_of("SiteConsistencyCheck", namespace, CASES["good"]["metadata"]["name"])
    with pytest.raises(ApiError, match=re.escape(case["server"])):
        api.patch(path, case["with"])


def examples() -> list[tuple[str, dict[str, Any]]]:
    """Every check that the docs and examples show, but for those with a blank to fill in."""
    files = [*sorted((ROOT / "examples").rglob("*.yaml")), *sorted((ROOT / "deploy").rglob("check*.yaml"))]
    found = [(file, one) for file in files for one in yaml.safe_load_all(file.read_text()) if one]
    return [
        (str(file.relative_to(ROOT)), one)
        for file, one in found
        if one.get("kind") == "SiteConsistencyCheck" and "SITE_FOLDER" not in str(one)
    ]


@pytest.mark.parametrize(("file", "check"), examples(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_example_of_a_check_is_accepted(try_out, file, check):
    try_out(check)


def test_the_schema_is_structural_and_nothing_in_it_is_complained_of(api, installed):
    conditions = {one["type"]: one["status"] for one in api.get(CRD)["status"]["conditions"]}
    assert conditions["NamesAccepted"] == conditions["Established"] == "True"
    assert conditions.get("NonStructuralSchema", "False") == "False"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "spec",
        "spec.listing",
        "spec.listing.source.xrootd",
        "spec.policy.orphans",
        "spec.unmerged",
        "status",
        "status.run",
    ],
)
def test_kubectl_explains_every_field(plane, installed, path):
    said = plane.kubectl("explain", "--api-version=consistency.dynamo.io/v1alpha1", f"sitecheck.{path}".rstrip("."))
    assert "DESCRIPTION:" in said
    assert "FIELDS:" in said
    assert "<no description>" not in said


def test_defaults_are_filled_in_where_people_can_see_them(api, namespace):
    made = api.create(CASES["good"], namespace)
    assert (made["spec"]["backend"], made["spec"]["listing"]["shards"]) == ("default", 4)
    assert made["spec"]["policy"]["orphans"]["mode"] == "Report"


STATUS = {
    "nextRunTime": "2027-01-01T03:00:00Z",
    "lastSuccessfulRunTime": "2026-11-01T03:00:00Z",
    "conditions": [
        {"type": "Ready", "status": "True", "reason": "Scheduled", "lastTransitionTime": "2026-11-01T03:00:00Z"},
        {"type": "Running", "status": "True", "reason": "PodsWaiting", "lastTransitionTime": "2026-11-08T03:00:00Z"},
        {"type": "Succeeded", "status": "True", "reason": "Reported", "lastTransitionTime": "2026-11-01T03:00:00Z"},
    ],
    "run": {
        "id": "29412180",
        "trigger": "Schedule",
        "generation": 1,
        "stage": "Listing",
        "startTime": "2026-11-08T03:00:00Z",
        "stageStartTime": "2026-11-08T03:00:00Z",
    },
    "history": [
        {
            "id": "29402100",
            "trigger": "Schedule",
            "startTime": "2026-11-01T03:00:00Z",
            "completionTime": "2026-11-01T04:00:00Z",
            "result": "Complete",
            "reason": "Reported",
            "counts": {"missing": 17, "orphans": 4},
        }
    ],
}


def test_kubectl_get_tells_the_story_in_one_line(plane, api, namespace):
    check = {**CASES["good"], "spec": {**CASES["good"]["spec"], "schedule": "0 3 * * 0"}}
    api.create(check, namespace)
    name = check["metadata"]["name"]
    api.patch(path_of("SiteConsistencyCheck", namespace, name, "status"), {"status": STATUS})
    header, line = plane.kubectl("get", "sitecheck", "-n", namespace).splitlines()
    for column in (
        "SITE",
        "SUSPENDED",
        "READY",
        "RUN",
        "RESULT",
        "MISSING",
        "ORPHANS",
        "LAST SUCCESS",
        "NEXT",
        "AGE",
    ):
        assert column in header
    assert re.fullmatch(rf"{name} +T2_X +false +True +PodsWaiting +Reported +17 +4 +.*", line)
    assert "SCHEDULE" not in header
    assert "0 3 * * 0" in plane.kubectl("get", "sitecheck", "-n", namespace, "-o", "wide")
    assert name in plane.kubectl("get", "consistency", "-n", namespace), "it belongs to a category"


def test_kubectl_get_tells_of_an_invalid_spec(plane, api, namespace):
    api.create(CASES["good"], namespace)
    name = CASES["good"]["metadata"]["name"]
    moment = "2026-11-01T03:00:00Z"
    ready = {"type": "Ready", "status": "False", "reason": "InvalidSpec", "lastTransitionTime": moment}
    path = path_of("SiteConsistencyCheck", namespace, name, "status")
    api.patch(path, {"status": {"conditions": [ready]}})
    assert re.search(rf"{name} +T2_X +false +False ", plane.kubectl("get", "sitecheck", "-n", namespace))
    assert " InvalidSpec " in plane.kubectl("get", "sitecheck", "-n", namespace, "-o", "wide")


@pytest.fixture
def older_definition(plane, api, installed) -> Iterator[dict[str, Any]]:
    """The definition as an older release might have had it; the present one is back when the test ends."""
    present = yaml.safe_load(FILE.read_text())
    older = deepcopy(present)
    (version,) = older["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    del spec["retention"]
    spec["jitterSeconds"].pop("minimum")
    spec["flavour"] = {"type": "string", "description": "A field that the present release has not."}
    version["additionalPrinterColumns"] = []
    apply(plane, [older], "--force-conflicts")
    yield present
    apply(plane, [present], "--force-conflicts")


def test_live_checks_survive_an_upgrade_of_the_definition(plane, api, namespace, older_definition, eventually):
    def accepts_flavour() -> bool:
        api.request(
            "POST", path_of("SiteConsistencyCheck") + STRICT, merged(CASES["good"], {"spec": {"flavour": "mild"}})
        )
        return True

    eventually("the older definition is served", accepts_flavour)
    path = path_of("SiteConsistencyCheck", namespace, CASES["good"]["metadata"]["name"])
    before = api.create(merged(CASES["good"], {"spec": {"flavour": "mild", "jitterSeconds": -5}}), namespace)
    api.patch(f"{path}/status", {"status": STATUS})

    apply(plane, [older_definition], "--force-conflicts")
    eventually("the present definition is served", lambda: "flavour" not in api.get(path)["spec"])
    assert is_established(plane)
    after = api.get(path)
    assert (after["metadata"]["uid"], after["metadata"]["generation"]) == (before["metadata"]["uid"], 1)
    assert after["status"]["history"][0]["counts"] == {"missing": 17, "orphans": 4}
    assert "retention" in after["spec"], "new fields have their defaults"

    api.patch(f"{path}/status", {"status": {"nextRunTime": "2028-01-01T03:00:00Z"}})
    assert api.get(path)["status"]["nextRunTime"] == "2028-01-01T03:00:00Z", (
        "a spec that is now wrong hinders no status"
    )
    with pytest.raises(ApiError, match="greater than or equal to 0"):
        api.patch(path, {"spec": {"jitterSeconds": -6}})
