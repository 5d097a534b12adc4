"""A status is written on condition that nobody has changed the check since it was read."""

import asyncio

import kopf
import pytest
from cluster_checks import check, status_of
from consistency_operator.cluster.api import Cluster
from consistency_operator.cluster.api_error import ApiError
from consistency_operator.names import PLURAL
from fake_cluster import FakeCluster
from fake_store import Body


def written(cluster: FakeCluster, body: Body, status: Body) -> Body:
    async def write() -> Body:
        connection = Cluster(lambda: kopf.ConnectionInfo(server=cluster.url, token=cluster.api.token))
        try:
            return await connection.patch_status(body, status)
        finally:
            await connection.close()

    return asyncio.run(write())


def test_a_status_replaces_the_whole_one_before(cluster: FakeCluster) -> None:
    body = written(cluster, cluster.create(PLURAL, check()), {"lastRunId": "1", "observedGeneration": 1})
    assert written(cluster, body, {"observedGeneration": 1})["status"] == {"observedGeneration": 1}


def test_who_has_read_an_older_version_writes_nothing(cluster: FakeCluster) -> None:
    old = cluster.create(PLURAL, check())
    written(cluster, old, {"lastRunId": "1"})
    with pytest.raises(ApiError) as refusal:
        written(cluster, old, {"lastRunId": "2"})
    assert refusal.value.status == 409
    assert status_of(cluster) == {"lastRunId": "1"}
