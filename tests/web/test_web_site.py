"""The page of a site as data: one axis of runs, and lines along it."""

import pytest
from made_runs import Made, action, ago

from dynamo_consistency.web.view import NotThereError


def line(page, name):
    return next(series for series in page.series if series.name == name)


def test_an_invalid_run_is_a_gap_with_its_reason(store, view):
    Made(start=ago(3), counts={"missing": 5}).write(store)
    Made(start=ago(2), result="Invalid", reason="the inventory is empty").write(store)
    Made(start=ago(1), counts={"missing": 2}).write(store)
    page = view.site("T2_X")
    assert [(point.result, point.reason) for point in page.points] == [
        ("Complete", ""),
        ("Invalid", "the inventory is empty"),
        ("Complete", ""),
    ]
    assert line(page, "missing").values == [5, None, 2]
    assert all(len(series.values) == 3 for series in page.series)


def test_a_limit_is_the_smaller_of_the_number_and_the_fraction(store, view):
    policy = {"missing": {"maxCount": 1000, "maxFraction": "0.01"}, "orphans": {"maxCount": 7, "maxFraction": "0.5"}}
    Made(policy=policy, counts={"expectedFiles": 5000, "listedFiles": 4000}).write(store)
    page = view.site("T2_X")
    assert (line(page, "missing").limit, line(page, "orphans").limit) == (50, 7)


def test_bytes_take_the_place_of_files_where_sizes_mean_something(store, view):
    Made(counts={"orphans": 2, "orphanBytes": 4096, "emptyDirectories": 3}).write(store)
    page = view.site("T2_X", measure="bytes")
    assert (line(page, "orphans").unit, line(page, "orphans").values, line(page, "orphans").limit) == (
        "bytes",
        [4096],
        None,
    )
    assert (line(page, "emptyDirectories").unit, line(page, "emptyDirectories").values) == ("directories", [3])
    assert {line(page, name).unit for name in ("listedBytes", "inventoryBytes")} == {"bytes"}


def test_stages_take_from_their_beginning_to_that_of_the_next(store, view):
    Made().write(store)
    page = view.site("T2_X")
    assert [(name, line(page, name).values) for name in ("snapshot", "listing", "comparison")] == [
        ("snapshot", [60]),
        ("listing", [240]),
        ("comparison", [300]),
    ]


def test_requests_are_lines_by_their_outcome(store, view):
    actions = {
        "missing": action("transfer", 9, requested=3, waiting=1, skipped={"it is back": 2}),
        "orphans": action("delete", 9, requested=4, refused={"locked": 5}, leftOver=1),
    }
    Made(actions=actions, counts={"requestsRecovered": 6}).write(store)
    page = view.site("T2_X")
    names = ("requested", "waiting", "skipped", "refused", "unanswered", "left_over", "recovered")
    assert [line(page, name).values for name in names] == [[7], [1], [2], [5], [0], [1], [6]]


def test_the_check_of_the_last_run_is_shown_unless_another_is_asked_for(store, view):
    Made(check="old", start=ago(5), counts={"missing": 5}).write(store)
    Made(check="new", start=ago(1)).write(store)
    assert (view.site("T2_X").check, view.site("T2_X").checks) == ("new", ["new", "old"])
    assert line(view.site("T2_X", "old"), "missing").values == [5]


def test_what_is_not_there_is_told(store, view):
    Made().write(store)
    for site, check in (("T2_Y", None), ("T2_X", "t2-y"), ("..", None), ("", None), ("T2_X/..", None)):
        with pytest.raises(NotThereError):
            view.site(site, check)


def test_at_most_four_hundred_runs_are_shown(store, view):
    for hour in range(410):
        Made(start=ago(20 - hour / 24)).write(store)
    assert len(view.site("T2_X").points) == 400
