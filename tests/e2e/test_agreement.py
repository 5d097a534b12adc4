"""The model of the check and the CustomResourceDefinition judge alike: what the one takes, the other takes as well."""

from typing import Any

from cluster.api import Api, ApiError, path_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.yamlfile import Document

GOOD = {"site": "T2_X", "listing": {"roots": [{"path": "/store/mc"}, {"path": "/store/data"}]}}


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Mappings with any of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


def given_in_listing(name: str, strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return strategy.map(lambda value: {"listing": GOOD["listing"] | {name: value}})


components = st.lists(st.sampled_from(["a", "store", "mc", "..", ".", "", "größe", "x y", "v1*"]), max_size=4)
paths = components.map(lambda names: "/" + "/".join(names)) | st.sampled_from(["store", "", "/store/mc/HC", "/store"])
fractions = st.sampled_from(["0", "1", "0.01", "1.0", "1.5", "00.5", "0.", ".5", "1%", "0." + "0" * 30 + "1", None])
numbers = st.sampled_from([-1, 0, 1, 2, 3, 1000, 1001, 2**31 - 1, 2**31])
modes = st.sampled_from(["Ignore", "Report", "Enforce", "enforce"])
patterns = st.lists(st.sampled_from(["", "/", "*", "/*/", "/RAW", "RAW*", "a/b", "**"]), max_size=2)
columns = st.sampled_from([1, 2, 3, "a", "b"])
schedules = st.sampled_from(
    ["0 3 * * 0", "@weekly", " 0\t3 * * 0 ", "0 3 * * MON-FRI", "0 3 LW * *", "0 3 * * 1#2", "0 0 3 * * 0", "x", ""]
)
zones = st.sampled_from(["UTC", "Europe/Zurich", "Asia/Calcutta", "US/Pacific", "EST5EDT", "Etc/GMT+5", "Mars", ""])
policies = some(mode=modes, maxCount=numbers, maxFraction=fractions, confirmRuns=numbers, confirmSpanSeconds=numbers)
dumps = some(
    url=st.sampled_from(["x", "", "s3://a/b"]),
    format=st.sampled_from(["tsv", "ral", "paths", "parquet"]),
    columns=some(path=columns, size=columns, mtime=columns),
    prefix=paths,
    maxBadLineFraction=fractions,
)
sources = some(
    xrootd=some(servers=st.lists(st.sampled_from(["door:1094", ""]), max_size=2), prefix=paths),
    posix=some(prefix=paths),
    dump=dumps,
)
areas = some(
    path=paths | st.just("/store/unmerged"),
    protectedFrom=st.just({"url": "x"}),
    mode=modes,
    confirmRuns=numbers,
    exclude=patterns,
    logs=some(path=st.sampled_from(["logs", "/logs", "", "a/../b"]), additional=st.lists(paths, max_size=2)),
)
changes = st.one_of(
    some(schedule=schedules, timeZone=zones),
    some(jitterSeconds=numbers, runDeadlineSeconds=numbers, successfulRunsHistoryLimit=numbers),
    given_in_listing("roots", st.lists(st.builds(lambda path: {"path": path}, paths), max_size=3)),
    given_in_listing("exclude", st.lists(paths, max_size=2)),
    given_in_listing("source", sources),
    given_in_listing("shards", numbers),
    some(policy=some(missing=policies, orphans=policies, health=some(minListedFraction=fractions))),
    some(comparison=some(ignore=patterns)),
    some(unmerged=areas),
    some(store=some(claimName=st.just("c"), url=st.just("u"))),
)


def taken_by_the_model(check: dict[str, Any]) -> bool:
    try:
        return bool(Document("check", check, {}).parse(SiteConsistencyCheck))
    except ConfigurationError:
        return False


def refusal(api: Api, check: dict[str, Any]) -> str:
    """What the API server says against a check; nothing where it takes it."""
    try:
        api.request("POST", path_of("SiteConsistencyCheck") + "?fieldValidation=Strict&dryRun=All", check)
    except ApiError as error:
        return str(error)
    return ""


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(change=changes)
def test_what_the_model_takes_the_api_server_takes(api, installed, change):
    check = {
        "apiVersion": "consistency.dynamo.io/v1alpha1",
        "kind": "SiteConsistencyCheck",
        "metadata": {"name": "t2-x"},
        "spec": GOOD | change,
    }
    if taken_by_the_model(check):
        assert refusal(api, check) == ""
