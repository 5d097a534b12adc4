"""Which datasets are left alone at a site, and which sites are ready."""

import pytest


@pytest.fixture
def site(world):
    world.site("T2_OTHER")
    return world.site("T2_HERE")


def file_in(world, dataset: str) -> int:
    return world.file(world.block(world.dataset(dataset), "b"), f"/store{dataset}".encode())


def request(world, number: int, site: str, status: str, *items: str) -> None:
    who = {"user": "me"} if "user" in columns(world) else {"user_id": 1}
    when = "request_time" if "request_time" in columns(world) else "timestamp"
    world.insert("{register}deletion_requests", id=number, status=status, **who, **{when: 1})
    world.insert("{register}deletion_request_sites", request_id=number, site=site)
    for item in items:
        world.insert("{register}deletion_request_items", request_id=number, item=item)


def columns(world) -> set[str]:
    if world.server is None:
        return {"user", "request_time"}
    return {row[0] for row in world.execute("SHOW COLUMNS FROM {register}deletion_requests")}


def active(world, item: str, site: str, status: str) -> None:
    more = {"timestamp": 1} if "timestamp" in columns(world) else {}
    world.insert("{register}active_deletions", request_id=1, item=item, site=site, status=status, created=1, **more)


def test_deletions_pend_from_all_three_places(world, site):
    request(world, 1, "T2_HERE", "new", "/REQ/E-v1/AOD", "/BLOCK/E-v1/AOD#0000-1111")
    request(world, 2, "T2_HERE", "activated", "/ACT/E-v1/AOD")
    active(world, "/RUN/E-v1/AOD#1", "T2_HERE", "new")
    active(world, "/QUEUED/E-v1/AOD", "T2_HERE", "queued")
    for status in ("new", "inbatch", "retry", "held"):
        world.subscription(file_in(world, f"/{status}/E-v1/AOD"), site, delete=1, status=status)
    assert world.backend().deletion_requests("T2_HERE") == {
        *("/REQ/E-v1/AOD", "/BLOCK/E-v1/AOD", "/ACT/E-v1/AOD", "/RUN/E-v1/AOD", "/QUEUED/E-v1/AOD"),
        *("/new/E-v1/AOD", "/inbatch/E-v1/AOD", "/retry/E-v1/AOD", "/held/E-v1/AOD"),
    }


def test_deletions_elsewhere_or_at_an_end_do_not_pend(world, site):
    request(world, 1, "T2_OTHER", "new", "/ELSEWHERE/E-v1/AOD")
    active(world, "/ELSEWHERE/E-v1/AOD", "T2_OTHER", "new")
    active(world, "/FAILED/E-v1/AOD", "T2_HERE", "failed")
    active(world, "/DONE/E-v1/AOD", "T2_HERE", "completed")
    world.subscription(file_in(world, "/CANCELLED/E-v1/AOD"), site, delete=1, status="cancelled")
    world.subscription(file_in(world, "/TRANSFER/E-v1/AOD"), site, delete=0)
    assert world.backend().deletion_requests("T2_HERE") == set()


@pytest.mark.mariadb
def test_in_2018_deletions_pend_from_requests_and_active_deletions(make_world):
    world = make_world("production")
    world.site("T2_HERE")
    request(world, 1, "T2_HERE", "activated", "/REQ/E-v1/AOD")
    request(world, 2, "T2_HERE", "completed", "/OLD/E-v1/AOD")
    active(world, "/RUN/E-v1/AOD", "T2_HERE", "queued")
    assert world.backend().deletion_requests("T2_HERE") == {"/REQ/E-v1/AOD", "/RUN/E-v1/AOD"}


def test_datasets_that_dynamo_manages_at_the_site_are_protected(world, site):
    replica = world.dataset("/REPLICA/E-v1/AOD")
    world.insert("dataset_replicas", dataset_id=replica, site_id=site, growing=0)
    world.insert("dataset_replicas", dataset_id=world.dataset("/ELSEWHERE/E-v1/AOD"), site_id=site + 1, growing=0)
    world.replica(world.block(world.dataset("/BLOCK/E-v1/AOD"), "b"), site, group=0)
    world.dataset("/IGNORED/E-v1/AOD", status="IGNORED")
    world.subscription(file_in(world, "/COMING/E-v1/AOD"), site, delete=0)
    world.subscription(file_in(world, "/GOING/E-v1/AOD"), site, delete=1)
    assert world.backend().inventory.protected_datasets("T2_HERE") == {
        *("/REPLICA/E-v1/AOD", "/BLOCK/E-v1/AOD", "/IGNORED/E-v1/AOD", "/COMING/E-v1/AOD"),
    }


@pytest.mark.mariadb
def test_in_2018_datasets_at_the_site_are_protected(make_world):
    world = make_world("production")
    site = world.site("T2_HERE")
    replica = world.dataset("/REPLICA/E-v1/AOD")
    world.insert("dataset_replicas", dataset_id=replica, site_id=site, completion="full")
    assert world.backend().inventory.protected_datasets("T2_HERE") == {"/REPLICA/E-v1/AOD"}


def test_only_sites_with_status_ready_are_ready(world):
    for status in ("ready", "waitroom", "morgue", "unknown"):
        world.site(f"T2_{status}", status=status)
    backend = world.backend()
    assert backend.siteinfo.site_list() == ["T2_morgue", "T2_ready", "T2_unknown", "T2_waitroom"]
    assert backend.siteinfo.ready_sites() == {"T2_ready"}
    assert backend.check_site("T2_ready") is True
    assert backend.check_site("T2_morgue") is False
