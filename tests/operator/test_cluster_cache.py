"""What is known of checks and Jobs: the newest version that anybody has reported, in as little memory as will do."""

from typing import Any

import pytest
from consistency_operator.cluster.cache import ClusterCache
from consistency_operator.cluster.digest import KnownCheck, slim_check, slim_job, understood
from consistency_operator.names import LABEL_CHECK, LABEL_STAGE
from fake_store import Body

KEY = ("ns", "a")


def check_body(version: int, generation: int = 1, uid: str = "u1") -> Body:
    metadata = {"namespace": "ns", "name": "a", "uid": uid, "resourceVersion": str(version), "generation": generation}
    return {
        "apiVersion": "consistency.dynamo.io/v1alpha1",
        "kind": "SiteConsistencyCheck",
        "metadata": metadata,
        "spec": {},
    }


def job_body(uid: str, version: int = 1, stage: str = "Listing") -> Body:
    labels = {LABEL_CHECK: "a", LABEL_STAGE: stage}
    metadata = {"namespace": "ns", "name": uid, "uid": uid, "resourceVersion": str(version), "labels": labels}
    return {"metadata": metadata, "spec": {"completions": 2, "template": {"spec": {}}}, "status": {}}


def cache(
    *checks: Body, jobs: tuple[Body, ...] = ()
) -> tuple[ClusterCache, dict[Any, list[KnownCheck]], dict[Any, list[Body]]]:
    """A view, and the indexes that it looks at."""
    watched, watched_jobs = {KEY: [understood(body) for body in checks]} if checks else {}, {KEY: list(jobs)}
    return ClusterCache(watched, watched_jobs), watched, watched_jobs  # type: ignore[arg-type]


def version(cached: ClusterCache) -> int:
    known = cached.check(KEY)
    assert known is not None
    return int(known.body["metadata"]["resourceVersion"])


def test_what_was_just_written_counts_until_the_watch_shows_something_newer() -> None:
    cached, watched, _ = cache(check_body(9))
    cached.record_answer(check_body(10))
    assert version(cached) == 10
    watched[KEY] = [understood(check_body(11))]
    assert version(cached) == 11
    watched[KEY] = [understood(check_body(9))]
    assert version(cached) == 9, "nothing is kept of what the watch has caught up with"


def test_a_check_that_the_watch_no_longer_shows_is_gone_whatever_was_written() -> None:
    cached, watched, _ = cache(check_body(9))
    cached.record_answer(check_body(10))
    del watched[KEY]
    assert cached.check(KEY) is None
    assert cached.all() == []


def test_a_check_made_anew_is_not_taken_for_the_old_one() -> None:
    cached, watched, _ = cache(check_body(9, generation=7))
    cached.record_answer(check_body(10, generation=7))
    watched[KEY] = [understood(check_body(12, uid="u2"))]
    known = cached.check(KEY)
    assert known is not None
    assert (known.resource.uid, known.resource.generation) == ("u2", 1)


def test_a_job_that_was_just_made_is_there_before_the_watch_shows_it() -> None:
    cached, _, watched = cache(check_body(1), jobs=(job_body("j1"),))
    cached.record_answer(job_body("j2", 5))
    assert [job["metadata"]["uid"] for job in cached.jobs(KEY)] == ["j1", "j2"]
    watched[KEY].append(job_body("j2", 6))
    assert [job["metadata"]["resourceVersion"] for job in cached.jobs(KEY)] == ["1", "6"]


def test_what_a_listing_no_longer_has_is_left_out() -> None:
    cached, _, _ = cache(check_body(1), jobs=(job_body("j1"), job_body("j2")))
    cached.record_answer(job_body("j3"))
    assert cached.uids() == dict.fromkeys(["u1", "j1", "j2", "j3"], "ns")
    cached.set_gone({"j1", "j3"})
    assert [job["metadata"]["uid"] for job in cached.jobs(KEY)] == ["j2"]
    cached.set_gone({"u1"})
    assert cached.check(KEY) is None


@pytest.mark.parametrize(("stage", "kept"), [("Snapshot", True), ("Listing", False)])
def test_only_the_snapshot_job_keeps_the_template_that_tells_of_the_check(stage: str, kept: bool) -> None:
    slim = slim_job(job_body("j1", stage=stage))
    assert ("template" in slim["spec"]) == kept
    assert slim["spec"]["completions"] == 2


def test_of_a_check_the_spec_is_kept_once_and_who_may_have_approved() -> None:
    body = check_body(1) | {"spec": {"site": "T2_A", "schedule": "@daily"}, "status": {"observedGeneration": 7}}
    applied = {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {".": {}, "f:site": {}}}}
    approved = {"manager": "anna", "time": "2026-11-01T00:00:00Z", "fieldsV1": {"f:spec": {"f:approve": {"f:run": {}}}}}
    noted = {"manager": "ben", "fieldsV1": {"f:metadata": {"f:annotations": {"f:a": {}}, "f:labels": {}}}}
    body["metadata"]["managedFields"] = [applied, approved, noted]
    known = understood(body)
    assert known.body["spec"] == {"site": "T2_A"}
    assert "status" not in known.body
    assert known.status.observed_generation == 7
    assert [entry["manager"] for entry in known.resource.managed_fields] == ["anna", "ben"]
    assert known.resource.managed_fields[0]["fieldsV1"] == approved["fieldsV1"]
    assert slim_check(slim_check(body)) == slim_check(body)


def test_checks_whose_policies_are_equal_keep_one_between_them() -> None:
    head = {"apiVersion": "consistency.dynamo.io/v1alpha1", "kind": "SiteConsistencyCheck"}
    spec = {"site": "T2_A", "listing": {"roots": [{"path": "/store"}]}}
    policies = []
    for number, most in ((1, 5), (2, 5), (3, 6)):
        body = check_body(number) | head | {"spec": {**spec, "policy": {"missing": {"maxCount": most}}}}
        check = understood(body).resource.check
        assert check
        policies.append(check.spec.policy)
    assert policies[0] is policies[1]
    assert policies[2].missing.max_count == 6
