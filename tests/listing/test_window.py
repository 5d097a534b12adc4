"""How the bound of the requests in flight finds what a server can bear."""

import pytest
from listing_simulation import SimulatedSite, Simulation, flat, walk_over

from dynamo_consistency.listers.concurrency_window import Window
from dynamo_consistency.listers.contract import Failed


def test_it_reaches_512_within_eight_round_trips_on_a_long_line():
    simulation = Simulation()
    site = SimulatedSite(simulation, flat(30_000), round_trip=0.04)
    walk = walk_over(simulation, site, concurrency=512)
    for _ in walk:
        if walk.window.size == 512:
            break
    assert walk.window.size == 512
    assert simulation.now < 8 * 0.04


@pytest.mark.parametrize("concurrency", [1, 3, 20])
def test_it_never_exceeds_its_bound(concurrency):
    simulation = Simulation()
    site = SimulatedSite(simulation, flat(3000), round_trip=0.04)
    walk = walk_over(simulation, site, concurrency=concurrency)
    list(walk)
    assert site.most_in_flight == concurrency == walk.window.largest


def test_it_never_exceeds_the_capacity_of_the_lister():
    simulation = Simulation()
    site = SimulatedSite(simulation, flat(3000), round_trip=0.04, capacity=5)
    list(walk_over(simulation, site, concurrency=512))
    assert site.most_in_flight == 5


@pytest.mark.parametrize(("slots", "service"), [(4, 0.05), (16, 0.1), (2, 1.0)])
def test_a_weak_server_is_kept_busy_and_not_overrun(slots, service):
    simulation = Simulation()
    site = SimulatedSite(simulation, flat(4000), round_trip=0.005, slots=slots, service=lambda answer: service)
    walk = walk_over(simulation, site, concurrency=512)
    list(walk)
    assert 4001 * service / slots / simulation.now > 0.9, "it was kept busy"
    assert walk.window.size <= 8 * slots


def test_it_shrinks_when_the_server_slows_down_and_grows_again():
    simulation = Simulation()
    site = SimulatedSite(simulation, flat(60_000), round_trip=0.04, slots=400)
    walk = walk_over(simulation, site, concurrency=512)
    sizes = {}
    for number, _ in enumerate(walk):
        if number == 20_000:
            site.serve(slots=10, service=lambda answer: 0.05)
        if number == 28_000:
            site.serve(slots=400)
        sizes[number] = walk.window.size
    assert sizes[19_999] >= 400
    assert sizes[28_000] <= 40
    assert sizes[60_000] >= 400


def test_big_directories_do_not_look_like_a_slow_server():
    """Every tenth directory takes a hundred times as long."""
    simulation = Simulation()
    numbers = iter(range(10**9))
    site = SimulatedSite(
        simulation, flat(20_000), round_trip=0.04, service=lambda answer: 4.0 if next(numbers) % 10 == 0 else 0.0
    )
    walk = walk_over(simulation, site, concurrency=256)
    list(walk)
    assert walk.window.size == 256


def test_where_all_directories_are_big_it_gets_used_to_it():
    """The upper levels were quick, the leaves take a second each however few are asked for."""
    simulation = Simulation()
    counter = iter(range(10**9))
    site = SimulatedSite(
        simulation, flat(20_000), round_trip=0.01, service=lambda a: 0.0 if next(counter) < 50 else 1.0
    )
    walk = walk_over(simulation, site, concurrency=256)
    list(walk)
    assert walk.window.size == 256


def test_a_refusal_halves_it_and_the_other_refusals_of_that_moment_do_not():
    window = Window(512)
    window.size = 256
    for number in range(100):
        window.refused(sent=1.0, arrived=2.0 + number / 1000)
    assert window.size == 128
    window.refused(sent=3.0, arrived=4.0)
    assert window.size == 64
    for number in range(20):
        window.refused(sent=5.0 + 2 * number, arrived=6.0 + 2 * number)
    assert window.size == 1


def test_a_server_that_refuses_more_than_a_few_at_a_time_gets_a_few():
    simulation = Simulation()
    site = SimulatedSite(simulation, lambda path, attempt: None, round_trip=0.01)
    plain = flat(3000)

    def answer(path, attempt):
        return Failed("too many", retry=True, slow=True) if site.in_flight > 40 else plain(path, attempt)

    site.answer = answer
    walk = walk_over(simulation, site, concurrency=512, retries=20)
    visits = list(walk)
    assert not [visit for visit in visits if isinstance(visit.answer, Failed)]
    assert walk.window.size <= 80
    assert walk.retries < len(visits)


def test_a_narrow_tree_does_not_make_it_grow():
    window = Window(512)
    for number in range(1000):
        window.answered(number / 100, number / 100 + 0.001, full=False)
    assert window.size == window.largest == 8
