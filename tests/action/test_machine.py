"""Random histories of a site, see `site_histories`: nothing wrong is asked for in any of them."""

import os

import pytest
from hypothesis.stateful import run_state_machine_as_test
from site_histories import HISTORIES, TOTAL, Site, long_history

EVENTFUL = [
    *("crash", "run: Complete", "run: Invalid", "run: Stopped"),
    *(f"{kind} requested" for kind in ("missing", "mismatches", "orphans", "emptyDirectories")),
    *(f"gate {gate}: Rejected" for gate in ("ListingHealth", "Limits", "Acting")),
    *(f"gate {gate}: Pending" for gate in ("Confirmation", "Approval")),
    *("delete file: requested", "delete directory: requested", "transfer file: requested", "transfer file: refused"),
]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_in_any_history_nothing_wrong_is_asked_for_nothing_twice_and_all_that_is_confirmed_in_the_end():
    run_state_machine_as_test(Site, settings=HISTORIES)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_in_long_histories_too_in_which_all_that_can_happen_does():
    TOTAL.clear()
    for seed in range(int(os.environ.get("MACHINE_SEED", "0")), int(os.environ.get("MACHINE_SEEDS", "6"))):
        print("seed", seed)
        long_history(seed, steps=50)
        if seed >= 2 and all(TOTAL[told] for told in EVENTFUL):
            break
    print("\n".join(f"{number:6} {told}" for told, number in sorted(TOTAL.items()) if number))
    assert not [told for told in EVENTFUL if not TOTAL[told]]
