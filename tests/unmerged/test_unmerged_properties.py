"""On random areas: the findings are exactly what a slow and obvious reading of the rules gives."""

from effort import examples
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

DAY = 86400
NOW = 1_790_000_000
U = "/store/unmerged"
MIN_AGE, LOG_AGE = 28 * DAY, 60 * DAY

names = st.sampled_from(
    ["a", "b", "logs", "data", "data2", "express", "RAW", "RAWSIM", "kept", "kept2", "x y", "\udcff"]
)
below = st.lists(names, min_size=1, max_size=4).map(lambda parts: "/".join([U, *parts]))
ages = st.sampled_from([-DAY, 0, MIN_AGE, MIN_AGE + 1, LOG_AGE, LOG_AGE + 1]).map(lambda age: NOW - age)
trees = st.fixed_dictionaries(
    {
        "files": st.dictionaries(below, ages | st.none(), max_size=25),
        "directories": st.dictionaries(below, ages | st.none(), max_size=25),
        "holes": st.lists(below, max_size=1),
        "inventory": st.lists(below, max_size=2),
        "protected": st.lists(below, min_size=1, max_size=3),
    }
)


def components(path: str) -> list[str]:
    return path.removeprefix(U).strip("/").split("/")


def is_in(path: str, directory: str) -> bool:
    return (path + "/").startswith(directory + "/")


def age_limit(path: str) -> int:
    return LOG_AGE if is_in(path, f"{U}/logs") else MIN_AGE


def stays(path: str, mtime: int | None, tree: dict) -> bool:
    """Young, protected, excluded, ignored, in a hole, or known."""
    if mtime is None or NOW - mtime <= age_limit(path):
        return True
    if any(is_in(path, directory) for directory in [*tree["protected"], *tree["holes"]]):
        return True
    return bool({"data", "express", "tier0_harvest", "RAW"} & set(components(path))) or path in tree["inventory"]


def has_a_twin(path: str, mtime: int | None, tree: dict) -> bool:
    """Is a file of its name registered, that was not listed with another time? The inventory knows no sizes here."""
    same = [known for known in tree["inventory"] if components(known)[-1] == components(path)[-1]]
    return any(tree["files"].get(known, mtime) == mtime for known in same)


def expected(tree: dict) -> set[str]:
    old = {path: mtime for path, mtime in tree["files"].items() if not stays(path, mtime, tree)}
    files = {path for path, mtime in old.items() if not has_a_twin(path, mtime, tree)}
    staying = {path for path, mtime in tree["directories"].items() if stays(path, mtime, tree)}
    inside = {*tree["files"], *staying, *tree["holes"], *tree["inventory"], *tree["protected"], f"{U}/logs"}
    return files | {
        path for path in tree["directories"] if path not in staying and not any(is_in(other, path) for other in inside)
    }


@given(tree=trees)
# making a failing area smaller would take minutes
@settings(max_examples=examples(25), phases=[Phase.reuse, Phase.generate])
def test_what_goes_is_what_the_rules_say_and_never_anything_that_is_kept(make_area, tree):
    tree["directories"] = {path: mtime for path, mtime in tree["directories"].items() if path not in tree["files"]}
    area = make_area()
    area.ignore = ["/RAW"]
    area.protect(*tree["protected"])
    area.files = list(tree["files"].items())
    area.directories = [(U, 0), *tree["directories"].items()]
    area.holes, area.inventory = tree["holes"], tree["inventory"]
    found = area.found()
    assert set(found) == expected(tree)
    assert len(found) == len(set(found))
    place = {path: number for number, path in enumerate(found)}
    above = [path for path in found if path in tree["directories"]]
    assert all(place[path] < place[up] for up in above for path in found if path != up and is_in(path, up))
