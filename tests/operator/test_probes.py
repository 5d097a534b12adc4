"""Probes: only a dead loop is not alive, who has not read everything is not ready, and what is wrong is named."""

import asyncio
from typing import Any

import kopf
import pytest
from aiohttp import web
from cluster_checks import check, condition, last_run, status_of
from consistency_operator.cluster.api_error import ApiError
from consistency_operator.loop import kopf_watching
from consistency_operator.loop.census import Census
from consistency_operator.loop.workqueue import WorkQueue
from consistency_operator.names import PLURAL
from fake_cluster import FakeCluster
from kmock import action
from kopf_thread import Operator

WATCH = f"GET .*/{PLURAL}$"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the time."""
    monkeypatch.setattr(kopf_watching, "FIRST_PAUSE", 0.1)
    monkeypatch.setattr("consistency_operator.loop.census.RESYNC", 0.2)


class Lists:
    """A cluster of which only the lists are asked, and what the watches show of it."""

    def __init__(self, *there: str) -> None:
        self.there, self.shown = set(there), set[str]()
        self.gone: set[str] = set()
        self.refused: dict[str | None, ApiError] = {}

    async def living_checks(self, namespace: str | None) -> dict[str, str]:
        if namespace in self.refused:
            raise self.refused[namespace]
        return {name: f"{namespace}/{name}" for name in self.there if name.startswith(namespace or "")}

    async def living_jobs(self, namespace: str | None) -> dict[str, str]:
        return {}

    def uids(self) -> dict[str, str]:
        return {name: name[0] for name in self.shown}

    def set_gone(self, gone: set[str]) -> None:
        self.gone = gone


def census(lists: Lists, *namespaces: str) -> Census:
    return Census(lists, lists, namespaces)  # type: ignore[arg-type]


def test_it_is_full_when_the_watches_have_shown_what_a_list_had() -> None:
    lists = Lists("a1", "b1")
    counted = census(lists)
    assert counted.problems() == ["what there is has not been listed yet"]
    asyncio.run(counted.look())
    lists.shown = {"a1"}
    assert not counted.filled
    assert counted.problems() == ["not all has been read yet: the watches show 1 of 2 checks and Jobs"]
    lists.shown = {"a1", "b1"}
    assert counted.filled
    assert counted.problems() == []


def test_a_cluster_without_checks_is_read_at_once() -> None:
    counted = census(Lists())
    asyncio.run(counted.look())
    assert counted.filled


def test_a_watch_that_shows_less_than_two_lists_is_told_and_one_list_is_no_proof() -> None:
    lists = Lists("a1")
    lists.shown = {"a1"}
    counted = census(lists)
    asyncio.run(counted.look())
    assert counted.filled
    lists.there.add("a2")
    asyncio.run(counted.look())
    assert counted.problems() == []
    asyncio.run(counted.look())
    assert counted.problems() == ["no watch shows None/a2, which is there; of checks and Jobs these are 1"]
    lists.shown.add("a2")
    asyncio.run(counted.look())
    assert counted.problems() == []


def test_what_cannot_be_listed_is_not_gone() -> None:
    lists = Lists("a1")
    lists.shown = {"a1", "a2", "b1"}
    lists.refused["b"] = ApiError(403, "forbidden")
    counted = census(lists, "a", "b")
    assert asyncio.run(counted.look())
    assert lists.gone == {"a2"}
    (problem,) = counted.problems()
    assert problem.startswith("the namespace b may not be watched, and its checks are not served; the others are")


def test_of_an_api_server_that_is_away_nothing_is_known() -> None:
    lists = Lists("a1")
    lists.shown = {"a1"}
    lists.refused[None] = ApiError(0, "the API server does not answer")
    counted = census(lists)
    assert not asyncio.run(counted.look())
    assert not counted.filled
    assert counted.problems() == ["the cluster could not be listed: the API server does not answer"]


def test_reconciliations_hang_when_all_of_them_do() -> None:
    now = [0.0]
    queue = WorkQueue(lambda: now[0])

    async def take(name: str) -> None:
        queue.add(("ns", name))
        await queue.get()

    asyncio.run(take("a"))
    now[0] = 50
    assert queue.shortest_processing(2) == 0
    asyncio.run(take("b"))
    now[0] = 80
    assert queue.shortest_processing(2) == 30
    queue.done(("ns", "a"))
    assert queue.shortest_processing(2) == 0


def test_it_is_alive_before_it_is_ready(cluster: FakeCluster, operator: Operator) -> None:
    """The API server gives no list for a while."""
    silence = cluster.fail(WATCH, 503, times=1000)
    cluster.create(PLURAL, check())
    operator.start()
    cluster.until(lambda: silence.met)
    assert cluster.until(lambda: operator.probe("/livez"))[0] == 200
    assert operator.probe("/readyz")[0] == 500
    assert operator.probe("/healthz")[0] == 500
    silence.times = 0
    cluster.until(lambda: [operator.probe(path) for path in ("/readyz", "/healthz")] == [(200, [])] * 2)
    cluster.until(lambda: condition(cluster, "Ready"))


def test_a_namespace_that_may_not_be_watched_is_named_and_the_others_are_served(
    cluster: FakeCluster, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSISTENCY_NAMESPACES", "closed,open")
    closed = cluster.fail("GET .*/namespaces/closed/", 403, times=1000, message="forbidden: you may not")
    cluster.create(PLURAL, check("shut"), "closed")
    cluster.create(PLURAL, check("free"), "open")
    operator.start("closed", "open")
    cluster.until(lambda: "status" in (cluster.get(PLURAL, "free", "open") or {}))
    cluster.until(lambda: operator.probe("/readyz")[0] == 200)
    status, problems = cluster.until(lambda: (told := operator.probe("/healthz"))[1] and told)
    assert status == 500
    assert ["the namespace closed may not be watched" in problem for problem in problems] == [True]
    assert operator.probe("/livez") == (200, [])
    closed.times = 0  # somebody gives the rights
    cluster.until(lambda: "status" in (cluster.get(PLURAL, "shut", "closed") or {}))
    cluster.until(lambda: operator.probe("/healthz") == (200, []))


def test_what_there_is_is_listed_in_pages(
    cluster: FakeCluster, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consistency_operator.cluster.api.PAGE_SIZE", 2)
    monkeypatch.setattr("consistency_operator.loop.handlers.PAGE_SIZE", 2)
    for number in range(5):
        cluster.create(PLURAL, check(f"t2-{number}"))
    operator.start()
    cluster.until(lambda: operator.probe("/readyz")[0] == 200)
    cluster.until(lambda: all(condition(cluster, "Ready", f"t2-{number}") for number in range(5)))
    assert operator.probe("/healthz") == (200, [])
    asked = [request for request in list(cluster.api._requests) if request.url.path.endswith(PLURAL)]
    assert {request.params.get("continue") for request in asked} >= {None, "2", "4"}


def test_rights_that_are_taken_away_end_nothing(cluster: FakeCluster, operator: Operator) -> None:
    cluster.create(PLURAL, check())
    operator.start()
    cluster.until(lambda: condition(cluster, "Ready"))
    taken = cluster.fail(WATCH, 403, times=1000)
    cluster.cut_watches()
    cluster.until(lambda: taken.met > 2)
    assert operator.probe("/livez") == (200, [])
    (problem,) = cluster.until(lambda: operator.probe("/healthz")[1])
    assert problem.startswith("the cluster may not be watched, and its checks are not served")
    taken.times = 0
    cluster.create(PLURAL, check("t2-b"))
    cluster.until(lambda: condition(cluster, "Ready", "t2-b"))


def test_what_is_no_probe_is_not_found(cluster: FakeCluster, operator: Operator) -> None:
    operator.start()
    cluster.until(lambda: operator.probe("/livez")[0] == 200)
    with pytest.raises(OSError, match="404"):
        operator.get(operator.health_port, "/metrics")


def test_checks_that_a_silent_watch_does_not_show_are_found_by_lists(
    cluster: FakeCluster, operator: Operator, jobs: None, quick_answers: None
) -> None:
    """The watch of checks stays open and brings nothing, as behind a proxy that buffers."""
    working = cluster.api._watch

    async def watch(request: Any) -> web.StreamResponse:
        if request.resource.plural != PLURAL:
            return await working(request)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request._raw_request)
        await asyncio.Event().wait()
        return response

    cluster.api._watch = watch
    cluster.create(PLURAL, check("t2-old", trigger={"manual": "1"}))
    operator.start()
    cluster.until(lambda: last_run(cluster, "t2-old"))
    cluster.create(PLURAL, check("t2-new", trigger={"manual": "1"}))
    cluster.patch(PLURAL, "t2-old", {"spec": {"trigger": {"manual": "2"}}})
    assert cluster.until(lambda: last_run(cluster, "t2-new"))["result"] == "Complete"
    cluster.until(lambda: status_of(cluster, "t2-old").get("lastManualTrigger") == "2")


def test_a_watch_that_falls_silent_is_begun_anew_and_goes_on(cluster: FakeCluster, operator: Operator) -> None:
    """An API server sends a bookmark each minute; a connection that nobody has ended, but that is dead, has none."""

    def impatient() -> kopf.OperatorSettings:
        settings = kopf.OperatorSettings()
        settings.watching.inactivity_timeout = 0.5
        return settings

    operator.settings = impatient
    operator.start()
    cluster.until(lambda: operator.probe("/readyz")[0] == 200)
    cluster.create(PLURAL, check())
    cluster.until(lambda: condition(cluster, "Ready"))

    def begun() -> int:
        return len([request for request in list(cluster.api._requests) if request.action == action.WATCH])

    before = begun()
    cluster.until(lambda: begun() > before + 5)
    cluster.create(PLURAL, check("t2-b"))
    cluster.until(lambda: condition(cluster, "Ready", "t2-b"))
    operator.stop()
    assert "cannot be watched" not in operator.runner.output
