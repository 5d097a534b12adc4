"""What the walk asks for, when it asks again, and what becomes a hole."""

import itertools
import time

import pytest
from listing_simulation import SimulatedSite, Simulation, by_path, flat, walk_over

from dynamo_consistency.listers.contract import Failed, File, Files, Hole, Listed, Subdirectory
from dynamo_consistency.listers.plausible import MAX_DEPTH
from dynamo_consistency.listers.walk import LISTER_GRACE_SECONDS


def leaf() -> Listed:
    return Listed([], Files.of([File(b"f", 1, 1)]))


def test_every_directory_below_every_root_is_visited_once():
    def answer(path, attempt):
        depth = path.count(b"/")
        return Listed([Subdirectory(b"a", 1), Subdirectory(b"b", 2)] if depth < 4 else [])

    simulation = Simulation()
    site = SimulatedSite(simulation, answer)
    visits = list(walk_over(simulation, site, roots=[b"/r", b"/s"]))
    assert len(visits) == len(by_path(visits)) == 2 * (1 + 2 + 4 + 8)
    assert max(site.asked.values()) == 1
    assert {visit.directory.root for visit in visits if visit.directory.path.startswith(b"/s")} == {b"/s"}
    assert {visit.directory.mtime for visit in visits if visit.directory.path.endswith(b"b")} == {2}


def test_on_a_long_line_no_branch_is_left_to_the_end():
    """Seventeen branches, each three levels down to its leaves: the window is filled at once and stays full."""
    widths = {1: (b"branch", 17), 2: (b"a", 1), 3: (b"b", 1), 4: (b"leaf", 600)}

    def answer(path, attempt):
        name, many = widths.get(path.count(b"/"), (b"", 0))
        return Listed([Subdirectory(name + b"%d" % number, 1) for number in range(many)])

    simulation = Simulation()
    visits = list(walk_over(simulation, SimulatedSite(simulation, answer, round_trip=0.04), concurrency=512))
    assert len(visits) == 1 + 3 * 17 + 17 * 600
    assert simulation.now < 1.25 * 0.04 * (4 + 17 * 600 / 512)


def test_an_excluded_directory_is_not_asked_for_and_its_neighbours_are():
    simulation = Simulation()
    tree = {
        b"/r": Listed([Subdirectory(b"HC", 1), Subdirectory(b"HC2", 1), Subdirectory(b"x", 1)]),
        b"/r/HC2": leaf(),
        b"/r/x": Listed([Subdirectory(b"HC", 1)]),
        b"/r/x/HC": leaf(),
    }
    site = SimulatedSite(simulation, lambda path, attempt: tree[path])
    visits = by_path(walk_over(simulation, site, exclude=[b"/r/HC"]))
    assert set(visits) == {b"/r", b"/r/HC2", b"/r/x", b"/r/x/HC"}
    assert len(visits[b"/r"].directories) == 3, "the parent still counts it: it is not empty"


def test_a_tree_that_is_too_deep_ends_in_a_hole():
    simulation = Simulation()
    site = SimulatedSite(simulation, lambda path, attempt: Listed([Subdirectory(b"d", 1)]))
    visits = list(walk_over(simulation, site))
    assert len(visits) == MAX_DEPTH + 1
    last = max(visits, key=lambda visit: visit.directory.depth)
    assert last.answer.directories == []
    assert [hole.name for hole in last.answer.holes] == [b"d"]
    assert "too deep" in last.answer.holes[0].reason


def test_a_directory_that_is_its_own_ancestor_is_a_hole_and_its_siblings_are_listed():
    simulation = Simulation()
    tree = {
        b"/r": Listed([Subdirectory(b"a", 1, "id of a")]),
        b"/r/a": Listed([Subdirectory(b"b", 1, "id of b"), Subdirectory(b"c", 1, None)]),
        b"/r/a/b": Listed([Subdirectory(b"back", 1, "id of a"), Subdirectory(b"on", 1, "id of on")]),
        b"/r/a/c": leaf(),
        b"/r/a/b/on": leaf(),
    }
    site = SimulatedSite(simulation, lambda path, attempt: tree[path])
    visits = by_path(walk_over(simulation, site))
    assert set(visits) == set(tree)
    assert visits[b"/r/a/b"].holes == [Hole(b"back", "the same directory as its ancestor /r/a: a loop of links")]


def test_a_directory_that_is_named_twice_is_listed_once():
    simulation = Simulation()
    tree = {b"/r": Listed([Subdirectory(b"a", 1), Subdirectory(b"a", 1)]), b"/r/a": leaf()}
    site = SimulatedSite(simulation, lambda path, attempt: tree[path])
    assert len(list(walk_over(simulation, site))) == 2


def test_a_listing_with_a_name_that_cannot_be_one_is_not_believed():
    for name in (b"a/b", b"", b".", b".."):
        simulation = Simulation()
        site = SimulatedSite(simulation, lambda path, attempt, name=name: Listed([], Files.of([File(name, 1, 1)])))
        [visit] = walk_over(simulation, site)
        assert isinstance(visit.answer, Failed)
        assert "cannot be a name" in visit.answer.reason


def test_what_may_go_away_is_asked_again_after_growing_pauses():
    simulation = Simulation()
    site = SimulatedSite(simulation, lambda path, attempt: Failed("lost", retry=True) if attempt < 4 else leaf())
    walk = walk_over(simulation, site, retries=3)
    assert [visit.answer for visit in walk] == [leaf()]
    assert (walk.requests, walk.retries) == (4, 3)
    pauses = [later - earlier for earlier, later in itertools.pairwise(site.times)]
    for pause, base in zip(pauses, (1, 2, 4), strict=True):
        assert 0.5 * base <= pause <= 1.5 * base + 0.01


@pytest.mark.parametrize(("wish", "least", "most"), [(0, 0.5, 1.6), (30, 30, 32), (1e9, 600, 602)])
def test_the_pause_that_a_server_asks_for_is_made_but_none_without_end(wish: float, least: float, most: float):
    simulation = Simulation()
    site = SimulatedSite(
        simulation, lambda path, attempt: Failed("busy", retry=True, after=wish) if attempt == 1 else Listed()
    )
    [visit] = walk_over(simulation, site)
    assert visit.answer == Listed()
    assert least <= site.times[1] - site.times[0] <= most


def test_after_the_last_retry_a_directory_is_a_hole_with_the_reason_and_the_attempts():
    simulation = Simulation()
    site = SimulatedSite(simulation, lambda path, attempt: Failed(f"lost {attempt}", retry=True))
    [visit] = walk_over(simulation, site, retries=2)
    assert visit.answer.reason == "lost 3 (asked 3 times)"


def test_what_will_not_go_away_is_asked_once():
    simulation = Simulation()
    site = SimulatedSite(simulation, lambda path, attempt: Failed("permission denied"))
    [visit] = walk_over(simulation, site, retries=3)
    assert visit.answer.reason == "permission denied"
    assert site.asked[b"/r"] == 1


def test_while_one_directory_waits_for_its_retry_the_others_are_listed():
    simulation = Simulation()
    answer = flat(1000)
    site = SimulatedSite(
        simulation, lambda path, attempt: Failed("busy", retry=True) if path == b"/r/d7" else answer(path, attempt)
    )
    finished = {}
    for visit in walk_over(simulation, site, retries=3):
        finished[visit.directory.path] = simulation.now
    assert len(finished) == 1001
    assert max(when for path, when in finished.items() if path != b"/r/d7") < 1 < finished[b"/r/d7"]


def test_a_request_that_is_never_answered_is_given_up_and_forgotten():
    simulation = Simulation()
    site = SimulatedSite(simulation, lambda path, attempt: None)
    [visit] = walk_over(simulation, site, retries=1, directory_timeout_seconds=60)
    assert visit.answer.reason == "no answer in 60 s (asked 2 times)"
    assert site.forgotten == [b"/r", b"/r"]
    assert simulation.now < 2 * (60 + LISTER_GRACE_SECONDS + 2) + 2


def test_an_answer_that_comes_after_it_was_given_up_is_ignored():
    simulation = Simulation()
    late = []
    site = SimulatedSite(
        simulation, lambda path, attempt: Listed([], Files.of([File(b"new", 1, 1)])) if attempt == 2 else None
    )
    submit = site.submit

    def remember(directory, done):
        late.append(done)
        submit(directory, done)

    site.submit = remember
    site.forget = lambda directory: simulation.after(0.1, lambda: late[0](Listed([], Files.of([File(b"old", 1, 1)]))))
    visits = list(walk_over(simulation, site, retries=1, directory_timeout_seconds=10))
    assert [visit.answer.files.names[0] for visit in visits] == [b"new"]


def test_many_directories_that_hang_do_not_stop_the_others():
    simulation = Simulation()
    answer = flat(2000)

    def hangs(path, attempt):
        return None if path != b"/r" and int(path[4:]) < 200 and int(path[4:]) % 2 else answer(path, attempt)

    site = SimulatedSite(simulation, hangs, round_trip=0.01)
    finished = {}
    for visit in walk_over(simulation, site, retries=1, directory_timeout_seconds=20, concurrency=64):
        finished[visit.directory.path] = (simulation.now, visit.answer)
    holes = {path for path, (_, answer) in finished.items() if isinstance(answer, Failed)}
    assert len(finished) == 2001
    assert len(holes) == 100
    assert simulation.now < 120, "not 100 times the time limit"


def test_the_request_rate_is_bounded():
    simulation = Simulation()
    site = SimulatedSite(simulation, flat(500))
    list(walk_over(simulation, site, max_requests_per_second=50))
    assert 501 / simulation.now <= 55
    assert 501 / simulation.now >= 45


def test_what_waits_to_be_asked_for_does_not_fill_the_memory():
    simulation = Simulation()
    site = SimulatedSite(simulation, flat(150_000, files=0))
    walk = walk_over(simulation, site)
    kept = visits = 0
    for _ in walk:
        visits += 1
        kept = max(kept, len(walk._frontier._stack))
    assert visits == 150_001
    assert kept <= 20_001


def test_the_time_is_linear_in_the_number_of_directories():
    def seconds(directories: int) -> float:
        simulation = Simulation()
        began = time.process_time()
        for _ in walk_over(simulation, SimulatedSite(simulation, flat(directories))):
            pass
        return (time.process_time() - began) / directories

    seconds(2000)
    small, large = min(seconds(5000) for _ in range(3)), min(seconds(40_000) for _ in range(2))
    assert large < 4 * small  # were it quadratic it would be 8 times; shared cores alone have made it 2
