"""Random histories of true worlds, see `world_machine`: whatever the engine is shown, what is claimed stays."""

import os

import pytest
from world_machine import MAIN, OTHER, History, failure, shortest, soak, steps_of
from world_moves import HEALTHY, HOLLOW, STRAY

SECONDS = float(os.environ.get("SOAK_SECONDS", "10"))
SEED = int(os.environ.get("SOAK_SEED", "1"))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_whatever_a_site_and_its_inventory_show_nothing_claimed_is_deleted_and_all_that_is_ill_is_mended():
    assert soak(SECONDS, SEED) > 0


@pytest.mark.parametrize("seed", range(4))
def test_without_traps_all_that_is_ill_is_asked_for_by_the_second_run(seed):
    with History(seed) as history:
        for _ in range(2):
            history.run(MAIN, 2 * 86400)
        history.laws.hold()
        asked = {ask.path for ask in history.world.asked if ask.answer == "requested"}
    assert asked >= {*HEALTHY[:3], *STRAY[:3], HOLLOW[0]}


def test_a_history_is_the_same_whenever_it_is_played():
    def play() -> list:
        with History(7) as history:
            for step in steps_of(7)[:12]:
                history.step(step)
            return [(ask.what, ask.path, ask.at, ask.answer) for ask in history.world.asked]

    assert play() == play() != []


DAYS = 2 * 86400


def test_a_file_that_was_spelt_otherwise_is_not_transferred_once_its_directory_answers_empty():
    with History(12) as history:
        assert history.world.looks
        history.world.respell(HEALTHY[14], HEALTHY[14].replace(b"/f", b"/F"))
        history.run(MAIN, DAYS)
        history.world.answers_empty.add(HEALTHY[14].rpartition(b"/")[0])
        for _ in range(2):
            summary = history.run(MAIN, DAYS)
            history.act(history.store.run("T2_Test", summary["runId"]), summary["runId"], None)
        history.laws.hold()
        assert summary["counts"]["renamed"] == 1
        assert HEALTHY[14] not in {ask.path for ask in history.world.asked}


def test_what_an_alias_shows_of_an_unlisted_directory_is_no_orphan_whatever_its_size_and_spelling():
    with History(0) as history:
        history.world.respell(HEALTHY[13], HEALTHY[13].replace(b"/f", b"/F"))
        history.world.identities = False
        history.world.aliases[b"/store/data/X/P/AOD/v8"] = b"/store/mc/E/P"
        for _ in range(3):
            history.run(OTHER, DAYS)
        history.laws.hold()
        assert {ask.path for ask in history.world.asked} >= set(STRAY[:3])


@pytest.mark.slow
def test_a_broken_law_is_found_and_the_history_made_short(monkeypatch):
    """The engine believes that nothing speaks against a deletion: a file is registered before it is made."""
    monkeypatch.setattr("dynamo_consistency.run.action.objections.to_deletion_of_orphan", lambda *_: None)
    for seed in range(8, 20):  # those before find nothing
        steps = steps_of(seed, 12)
        if failure(seed, steps):
            fewer = shortest(seed, steps)
            assert failure(seed, fewer)
            assert len(fewer) < len(steps)
            return
    raise AssertionError("no history has found it")
