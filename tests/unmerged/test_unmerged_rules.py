"""What goes from a scratch area, and what keeps it there."""

import pytest

from dynamo_consistency.run.unmerged import find_unmerged

DAY = 86400
NOW = 1_790_000_000
OLD = 1_000_000_000
U = "/store/unmerged"


def test_an_old_file_goes_and_one_that_is_exactly_as_old_as_the_limit_stays(area):
    area.files = [(f"{U}/a/older", NOW - 28 * DAY - 1), (f"{U}/a/limit", NOW - 28 * DAY), (f"{U}/a/new", NOW)]
    assert area.found() == [f"{U}/a/older"]


def test_what_has_a_time_in_the_future_or_none_or_one_that_can_be_none_stays(area):
    area.files = [(f"{U}/a/future", NOW + 10**6), (f"{U}/a/zero", 0), (f"{U}/a/unknown", None)]
    assert area.found() == []
    assert area.told["leftAlone"]["young"] == 3


def test_logs_have_an_age_of_their_own_wherever_below_the_directory_of_logs(area):
    between = NOW - 40 * DAY
    area.files = [(f"{U}/logs/prod/a.tar.gz", between), (f"{U}/logs2/b.tar.gz", between), (f"{U}/logs/c", OLD)]
    assert area.found() == [f"{U}/logs/c", f"{U}/logs2/b.tar.gz"]
    assert (area.told["files"], area.told["logs"]) == (1, 1)


def test_logs_may_lie_deeper_and_go_sooner_than_other_files(area):
    area.unmerged = {"logs": {"path": "logs/prod/", "minAgeSeconds": DAY}}
    recent = NOW - 2 * DAY
    area.files = [(f"{U}/logs/prod/a", recent), (f"{U}/logs/b", recent)]
    assert area.found() == [f"{U}/logs/prod/a"]


def test_further_directories_of_logs_are_cleaned_by_the_rule_of_logs(area):
    area.unmerged = {"logs": {"additional": ["/store/logs/prod/recent"]}}
    recent, between = "/store/logs/prod/recent", NOW - 40 * DAY
    area.files = [(f"{recent}/a", OLD), (f"{recent}/b", between), (f"{recent}/express/c", OLD)]
    area.directories = [(recent, OLD), (f"{recent}/empty", OLD), (f"{recent}/empty2", between)]
    assert area.found() == [f"{recent}/a", f"{recent}/empty"]


def test_a_protected_directory_in_another_spelling_is_protected(area):
    area.protected_list.write_text(f"{U}/Keep\n{U}/caf\u00e9\n")
    area.files = [(f"{U}/{name}", OLD) for name in ("keep/f", "cafe\u0301/g", "other/h")]
    assert area.found() == [f"{U}/other/h"]


def test_protected_directories_end_at_a_component(area):
    area.protect(f"{U}/protected")
    area.files = [(f"{U}/protected/f", OLD), (f"{U}/protected2/f", OLD), (f"{U}/a/protected/f", OLD)]
    assert area.found() == [f"{U}/a/protected/f", f"{U}/protected2/f"]


def test_the_directories_that_lead_to_a_protected_one_stay_even_if_it_is_not_there(area):
    area.protect(f"{U}/a/b/c")
    area.directories = [(f"{U}/a", OLD), (f"{U}/a/b", OLD), (f"{U}/a/x", OLD)]
    assert area.found() == [f"{U}/a/x"]


def test_a_protected_directory_above_the_area_protects_all_of_it(area):
    area.protect("/store")
    area.files = [(f"{U}/a/f", OLD)]
    assert area.found() == []


def test_excluded_components_protect_anywhere_below_the_area_whole_and_only_there(area):
    area.unmerged = {"path": "/store/data/scratch", "protectedFrom": {"url": str(area.protected_list)}}
    area.protect("/store/data/scratch/kept")
    base = "/store/data/scratch"
    area.files = [
        (f"{base}/data/f", OLD),
        (f"{base}/a/express/b/f", OLD),
        (f"{base}/a/express2/f", OLD),
        (f"{base}/a/data", OLD),
        (f"{base}/a/data.root", OLD),
    ]
    area.directories = [(f"{base}/tier0_harvest", OLD), (f"{base}/x/data", OLD), (f"{base}/x", OLD)]
    assert area.found() == [f"{base}/a/data.root", f"{base}/a/express2/f"]


def test_ignored_paths_stay_and_so_do_the_directories_above(area):
    area.ignore = ["/RAW"]
    area.files = [(f"{U}/a/RAW/f", OLD), (f"{U}/a/RAWSIM/f", OLD)]
    area.directories = [(f"{U}/b", OLD), (f"{U}/b/RAW", OLD)]
    assert area.found() == [f"{U}/a/RAWSIM/f"]


def test_empty_directories_go_the_deepest_first_after_the_files_and_the_area_stays(area):
    area.files = [(f"{U}/z/f", OLD)]
    area.directories = [(path, OLD) for path in (U, f"{U}/a", f"{U}/a/b", f"{U}/a/c", f"{U}/z", f"{U}/logs")]
    assert area.found() == [f"{U}/z/f", f"{U}/a/b", f"{U}/a/c", f"{U}/a"]


@pytest.mark.parametrize(
    "inside", ["a file that is young", "a directory that is young", "a directory of unknown age", "a hole", "a link"]
)
def test_a_directory_with_something_that_stays_is_kept_with_all_above_it(area, inside):
    area.directories = [(U, OLD), (f"{U}/a", OLD), (f"{U}/a/b", OLD), (f"{U}/c", OLD)]
    match inside:
        case "a file that is young":
            area.files = [(f"{U}/a/b/f", NOW)]
        case "a directory that is young":
            area.directories += [(f"{U}/a/b/d", NOW)]
        case "a directory of unknown age":
            area.directories += [(f"{U}/a/b/d", None)]
        case _:
            area.holes = [f"{U}/a/b/d"]
    assert area.found() == [f"{U}/c"]


def test_a_directory_that_holds_an_old_file_waits_until_it_is_empty(area):
    area.files = [(f"{U}/a/f", OLD)]
    area.directories = [(U, OLD), (f"{U}/a", OLD)]
    assert area.found() == [f"{U}/a/f"]


def test_nothing_in_or_below_a_hole_goes_whoever_has_listed_it(area):
    area.holes = [f"{U}/a"]
    area.files = [(f"{U}/a/f", OLD), (f"{U}/a/b/f", OLD), (f"{U}/a2/f", OLD)]
    area.directories = [(f"{U}/a/b/c", OLD)]
    assert area.found() == [f"{U}/a2/f"]
    assert area.told["leftAlone"]["hole"] == 2


def test_what_the_inventory_knows_stays_and_keeps_its_directories(area):
    area.inventory = [f"{U}/a/f", f"{U}/b/lost"]
    area.files = [(f"{U}/a/f", OLD), (f"{U}/a/g", OLD)]
    area.directories = [(f"{U}/b", OLD), (f"{U}/c", OLD)]
    assert area.found() == [f"{U}/a/g", f"{U}/c"]
    assert area.told["leftAlone"]["registered"] == 1


def test_a_file_that_was_listed_twice_is_as_young_as_its_youngest_entry(area):
    area.files = [(f"{U}/a/f", OLD), (f"{U}/a/f", NOW), (f"{U}/a/g", OLD), (f"{U}/a/g", None), (f"{U}/a/h", OLD)]
    area.files += [(f"{U}/a/h", OLD)]
    assert area.found() == [f"{U}/a/h"]


def test_names_are_bytes(area):
    odd = f"{U}/a b/$(x)\n'\"%+,\udcff"
    area.protect(f"{U}/kept \udcfe")
    area.files = [(odd, OLD), (f"{U}/kept \udcfe/f", OLD)]
    assert area.found() == [odd]


def test_counts_say_what_was_found_and_what_was_left_alone(area):
    area.files = [(f"{U}/a/f", OLD), (f"{U}/logs/l", OLD), (f"{U}/kept/f", OLD), (f"{U}/data/f", OLD)]
    area.directories = [(f"{U}/empty", OLD)]
    area.found()
    assert {key: area.told[key] for key in ("unmerged", "unmergedBytes", "files", "logs", "directories")} == {
        "unmerged": 3,
        "unmergedBytes": 20,
        "files": 1,
        "logs": 1,
        "directories": 1,
    }
    assert (area.told["leftAlone"]["protected"], area.told["leftAlone"]["excluded"]) == (1, 1)
    assert area.told["protectedDirectories"] == 1


def test_a_check_that_ignores_its_area_or_has_none_writes_nothing(area):
    area.unmerged = {"mode": "Ignore"}
    run = area.run()
    assert find_unmerged(run) is None
    assert not run.exists("findings/unmerged.parquet")


def test_finding_again_gives_the_same_whatever_the_list_says_by_then(area):
    area.files = [(f"{U}/a/f", OLD)]
    run = area.run()
    first = find_unmerged(run)
    area.protect(f"{U}/a")
    assert find_unmerged(run) == first


def test_an_area_that_was_not_listed_or_could_not_be_has_no_findings_and_says_so(area):
    area.holes = [U]
    assert area.found() == []
    assert area.told["trouble"] == f"{U} could not be listed: permission denied"
    run = area.run()
    run.remove("listing/unmerged.json")
    assert "was not listed" in find_unmerged(run)["trouble"]
