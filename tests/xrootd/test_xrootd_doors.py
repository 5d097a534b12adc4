"""Several doors, dead ones, and servers that come and go."""

import time

import pytest

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.contract import Failed, Listed
from dynamo_consistency.listers.xrootd.doors import XRootDDoors, XRootDServer
from dynamo_consistency.listers.xrootd.url import XRootDDoor


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def doors(clock: Clock, count: int) -> XRootDDoors:
    return XRootDDoors([XRootDServer(number, XRootDDoor(f"door{number}"), None) for number in range(count)], clock)


def picked(doors: XRootDDoors, times: int) -> list[int]:
    return [server.number for server in (doors.pick() for _ in range(times)) if server]


def test_doors_are_asked_in_turn(clock) -> None:
    assert sorted(picked(doors(clock, 3), 6)) == [0, 0, 1, 1, 2, 2]


def test_a_second_opinion_comes_from_another_door(clock) -> None:
    three = doors(clock, 3)
    assert all(three.pick(three.servers[1]) is not three.servers[1] for _ in range(6))
    one = doors(clock, 1)
    assert one.pick(one.servers[0]) is one.servers[0]


def test_a_dead_door_is_left_out_and_tried_again_after_longer_and_longer_rests(clock) -> None:
    two = doors(clock, 2)
    dead = two.servers[0]
    rests = []
    for _ in range(7):
        two.failed(dead, "refused")
        began = clock.now
        assert picked(two, 4) == [1, 1, 1, 1]
        while 0 not in picked(two, 2):
            clock.now += 1
        assert 0 not in picked(two, 4), "one request tries it, the others stay away"
        rests.append(clock.now - began)
    assert rests == [30, 60, 120, 240, 480, 600, 600]
    two.answered(dead)
    assert sorted(picked(two, 4)) == [0, 0, 1, 1]


def test_requests_that_were_in_flight_when_a_door_died_count_once(clock) -> None:
    two = doors(clock, 2)
    for _ in range(50):
        two.failed(two.servers[0], "refused")
    clock.now += 31
    assert 0 in picked(two, 2)


def test_with_all_doors_dead_one_request_a_second_goes_out_to_each_in_turn(clock) -> None:
    two = doors(clock, 2)
    for server in two.servers:
        two.failed(server, f"{server} refused")
    assert picked(two, 5) == []
    tried = []
    for _ in range(4):
        clock.now += 1
        server = two.pick()
        assert two.pick() is None
        tried.append(server.number)
        two.failed(server, f"{server} refused")
    assert sorted(tried) == [0, 0, 1, 1]
    assert two.why_dead() == "no XRootD door answers: root://door0:1094 refused; root://door1:1094 refused"


def test_a_door_that_lets_requests_time_out_is_left_out_if_there_is_another(clock) -> None:
    two, one = doors(clock, 2), doors(clock, 1)
    for _ in range(3):
        two.timed_out(two.servers[0])
        one.timed_out(one.servers[0])
    assert picked(two, 4) == [1] * 4
    assert picked(one, 2) == [0, 0]


def test_a_refused_connection_is_found_out_at_once(make_lister, closed_door) -> None:
    began = time.monotonic()
    with pytest.raises(ListingError, match=f"no XRootD door answers: {closed_door}: Connection (error|refused)"):
        make_lister(closed_door, timeout=600).prepare()
    assert time.monotonic() - began < 60


def test_a_door_that_takes_connections_and_says_nothing_is_given_up_in_time(make_lister, black_hole) -> None:
    began = time.monotonic()
    with pytest.raises(ListingError, match="no XRootD door answers"):
        make_lister(black_hole, timeout=3).prepare()
    assert time.monotonic() - began < 60


def test_a_host_that_does_not_exist_is_one_sentence(make_lister) -> None:
    with pytest.raises(ListingError, match=r"root://nowhere\.invalid:1094: (Invalid address|Name or service)"):
        make_lister("nowhere.invalid", timeout=5).prepare()


def test_without_any_door_a_directory_fails_and_may_be_asked_again(make_lister, ask, closed_door) -> None:
    failed = ask(make_lister(closed_door, timeout=2), b"/store")
    assert isinstance(failed, Failed)
    assert failed.retry
    assert failed.slow
    assert "no XRootD door answers" in failed.reason


@pytest.fixture
def dead_doors(closed_door: str, black_hole: str) -> tuple[str, str]:
    return closed_door, black_hole


@pytest.mark.xrootd
def test_dead_doors_beside_a_living_one_cost_nothing(site, make_lister, make_tree, walk, dead_doors) -> None:
    made = make_tree(site.path, 20, 2)
    lister = make_lister(site.server.url, *dead_doors, timeout=600)
    lister.prepare()
    began = time.monotonic()
    visits = walk(lister, site.lfn, retries=0)
    assert time.monotonic() - began < 60
    assert files_of(visits, site.lfn) == made


@pytest.mark.xrootd
def test_a_door_that_hangs_later_is_replaced_by_its_brother(daemons, make_lister, make_tree, walk) -> None:
    first, second = daemons.server("first"), daemons.server("second")
    made = make_tree(first.store, 20, 2)
    make_tree(second.store, 20, 2)
    lister = make_lister(first.url, second.url, timeout=2)
    assert files_of(walk(lister, b"/store", seconds=2), b"/store") == made
    first.freeze()
    assert files_of(walk(lister, b"/store", seconds=2), b"/store") == made


@pytest.mark.xrootd
@pytest.mark.parametrize("pause", [0.0, 3.0])
def test_a_server_that_is_killed_and_comes_back_is_listed_wholly(
    daemons, make_lister, make_tree, walk, pause: float
) -> None:
    server = daemons.server()
    made = make_tree(server.store, 300, 3)
    lister = make_lister(server.url, timeout=20)
    interrupted = Interruption(lister, after=100, interrupt=lambda: (server.stop(), time.sleep(pause), server.start()))
    visits = walk(interrupted, b"/store", seconds=20)
    assert interrupted.done
    assert files_of(visits, b"/store") == made
    assert all(isinstance(visit.answer, Listed) for visit in visits)


class Interruption:
    """A lister that lets something happen before it passes on the request number `after`."""

    def __init__(self, lister, after: int, interrupt) -> None:
        self._lister, self._after, self._interrupt = lister, after, interrupt
        self.capacity, self.forget, self.close = lister.capacity, lister.forget, lister.close
        self.requests, self.done = 0, False

    def submit(self, directory: bytes, done) -> None:
        self._lister.submit(directory, done)
        self.requests += 1
        if self.requests == self._after:
            self._interrupt()
            self.done = True


def files_of(visits, root: bytes) -> dict[bytes, int]:
    return {
        (visit.directory.path + b"/" + file.name).removeprefix(root + b"/"): file.size
        for visit in visits
        if isinstance(visit.answer, Listed)
        for file in visit.answer.files
    }
