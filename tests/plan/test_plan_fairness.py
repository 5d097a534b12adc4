"""Three hundred checks that are due at once, half of them of a database that is dead: the others do not suffer."""

import random
from datetime import timedelta

import pytest
from plan_cases import HOUR, MINUTE, NOW
from plan_many import ManyChecks

SILENCES = {"it hangs": MINUTE, "it refuses": timedelta(seconds=1)}


def many(live: int, dead: int, silence: timedelta | None = None, limit: int = 20) -> ManyChecks:
    """Checks whose three Jobs take one to ten minutes each; those of both backends in any order."""
    checks = ManyChecks(limit, {"dead": silence} if silence else {})
    chance = random.Random(13)
    everyone = [("live", chance.randrange(60, 600)) for _ in range(live)]
    everyone += [("dead", chance.randrange(60, 600)) for _ in range(dead)]
    chance.shuffle(everyone)
    for number, (backend, seconds) in enumerate(everyone):
        checks.add(f"t2-{number:03}", seconds, backend=backend)
    return checks


def hours(checks: ManyChecks, *backends: str) -> float:
    """After how long all runs of these backends have ended."""
    return (checks.run(lambda: all(map(checks.done, backends))) - NOW) / HOUR


@pytest.mark.parametrize("limit", [20, 7])
@pytest.mark.parametrize("silence", SILENCES)
def test_a_dead_database_costs_the_others_no_more_than_a_fifth_of_their_time(silence: str, limit: int) -> None:
    alone = hours(many(150, 0, limit=limit), "live")
    checks = many(150, 150, SILENCES[silence], limit)
    assert hours(checks, "live") <= 1.2 * alone
    assert checks.most_at_a_time <= limit


def test_a_database_that_is_back_has_its_runs_done_as_soon_as_if_it_had_not_been_away() -> None:
    checks = many(150, 150, MINUTE)
    checks.call(HOUR, checks.silence.clear)
    never_away = hours(many(150, 150), "live", "dead")
    assert hours(checks, "live", "dead") <= 1.2 * max(never_away, 1 + hours(many(0, 150), "dead"))
    assert checks.most_at_a_time <= 20


def test_what_is_due_while_one_database_has_all_its_share_begins_all_the_same() -> None:
    checks = many(0, 100)
    checks.run(lambda: checks.now >= NOW + HOUR / 2)
    checks.add("t2-late", 60, backend="live")
    begun = checks.now
    assert checks.run(lambda: checks.done("live")) - begun <= 15 * MINUTE
