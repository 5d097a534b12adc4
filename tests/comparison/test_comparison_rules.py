"""Rule by rule, the edges that random cases seldom meet: each a site in one line, and what must be found there.

Paths are relative to the root /store/mc. In every case the file `ok` is at both sides, so that no run is invalid.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from comparison_model.cases import (
    DAY,
    LISTING_TOOK,
    LONG_AGO,
    NOW,
    Case,
    Entry,
    Findings,
    Settings,
    Shard,
    SiteDirectory,
    SiteFile,
    cms,
)

Reading = Callable[[Case], Findings | None]
ROOT = b"/store/mc"
OLD = NOW - DAY - 1
YEAR_1980 = 315_532_800


def at(path: str) -> bytes:
    return ROOT + b"/" + path.encode()


def entry(path: str, size: int | None = 1, **state: Any) -> Entry:
    return Entry(at(path), size, **state)


def file(path: str, size: int | None = 1, mtime: int | None = OLD, identity: int | None = None) -> SiteFile:
    return SiteFile(at(path), size, mtime, identity)


def directory(path: str, mtime: int | None = OLD, identity: int | None = None) -> SiteDirectory:
    return SiteDirectory(at(path), mtime, identity)


def shard(*items: SiteFile | SiteDirectory, holes: str = "", seen: str = "", listed_at: int = NOW) -> Shard:
    return Shard(
        listed_at=listed_at,
        files=tuple(item for item in items if isinstance(item, SiteFile)),
        directories=tuple(item for item in items if isinstance(item, SiteDirectory)),
        holes=tuple(map(at, holes.split())),
        seen=tuple(map(at, seen.split())),
    )


def before(*items: SiteFile | SiteDirectory, listed_at: int = NOW - DAY - LISTING_TOOK) -> Shard:
    """The listing of an earlier run."""
    return shard(*items, listed_at=listed_at)


def case(*shards: Shard, both: list[Entry] | None = None, after: list[Entry] | None = None, **others: Any) -> Case:
    """`both`: what both snapshots have; `after`: what the second has instead."""
    before = both or []
    first, *more = shards or (Shard(),)
    ok = entry("ok")
    names = {key: others.pop(key) for key in ("exclude", "ignore", "ignore_age") if key in others}
    return Case(
        before=(*before, ok),
        after=(*(before if after is None else after), ok),
        shards=(replace(first, files=(*first.files, file("ok"))), *more),
        settings=Settings(roots=(ROOT,), **names),
        **others,
    )


def found(empty: str = "", **kinds: str) -> Findings:
    return Findings(
        **{kind: frozenset(map(at, names.split())) for kind, names in kinds.items()},
        empty=tuple(map(at, empty.split())),
    )


NOTHING = found()
F = [entry("d/f")]
DATASET = "/P/E-v1/T"
NAMED = [entry("E/P/T/v1/f")]

CASES = {
    # 2: in flight in the inventory
    "in flight in the first snapshot": (case(both=[entry("d/f", in_flight=True)], after=F), NOTHING),
    "in flight in the second snapshot": (case(both=F, after=[entry("d/f", in_flight=True)]), NOTHING),
    "one of two entries is in flight": (case(both=[*F, entry("d/f", in_flight=True)]), NOTHING),
    "in flight is never another size": (case(shard(file("d/f", 2)), both=[entry("d/f", in_flight=True)]), NOTHING),
    "in flight is never an orphan": (case(shard(file("d/f")), after=[entry("d/f", in_flight=True)]), NOTHING),
    "an entry just as old as the ignore age is in flight": (case(both=[entry("d/f", time=NOW - DAY)]), NOTHING),
    "an entry a second older is expected": (case(both=[entry("d/f", time=OLD)]), found(missing="d/f")),
    "an entry that is young in the first snapshot": (case(both=[entry("d/f", time=NOW)], after=F), NOTHING),
    "an entry that is young in the second snapshot": (case(both=F, after=[entry("d/f", time=NOW)]), NOTHING),
    "an entry is as old as it was when the first shard began": (
        case(shard(listed_at=NOW + 10), shard(), both=[entry("d/f", time=NOW - DAY)]),
        NOTHING,
    ),
    "an entry of a time to come is in flight": (case(both=[entry("d/f", time=NOW + 10**6)]), NOTHING),
    "only in the first snapshot": (case(both=F, after=[]), NOTHING),
    "only in the second snapshot": (case(both=[], after=F), NOTHING),
    # 3: young at the site
    "a file just as old as the ignore age is young": (case(shard(file("d/f", mtime=NOW - DAY))), NOTHING),
    "a file a second older is an orphan": (case(shard(file("d/f", mtime=OLD))), found(orphan="d/f")),
    "a time of before 1980 is none, however it came into the listing": (
        case(shard(file("d/f", mtime=YEAR_1980))),
        NOTHING,
    ),
    "a time of 1980 is one": (case(shard(file("d/f", mtime=YEAR_1980 + 1))), found(orphan="d/f")),
    "a file is as old as it was when its own shard began": (
        case(shard(file("d/f", mtime=NOW - DAY), listed_at=NOW + 1), shard(file("d/g", mtime=NOW - DAY))),
        found(orphan="d/f"),
    ),
    "a file of unknown age is young": (case(shard(file("d/f", mtime=None))), NOTHING),
    "a file of unknown age is young, however long after its listing the inventory was asked": (
        case(shard(file("d/f", mtime=None)), taken_at=NOW + 10 * DAY),
        NOTHING,
    ),
    "a file of unknown age that stood in a listing of an ignore age before": (
        case(shard(file("d/f", mtime=None)), earlier=(before(file("d/f", mtime=None)),)),
        found(orphan="d/f"),
    ),
    "a file of unknown age that stood in a listing that ended a second too late": (
        case(shard(file("d/f", mtime=None)), earlier=(before(file("d/f", mtime=None), listed_at=NOW - DAY),)),
        NOTHING,
    ),
    "a file of unknown age that had another size then": (
        case(shard(file("d/f", mtime=None)), earlier=(before(file("d/f", 2, None)),)),
        NOTHING,
    ),
    "a file of unknown age and size that stood then": (
        case(shard(file("d/f", None, None)), earlier=(before(file("d/f", None, None)),)),
        NOTHING,
    ),
    "a file of unknown age that stood, but not in the latest of the listings": (
        case(shard(file("d/f", mtime=None)), earlier=(before(file("d/f"), listed_at=NOW - 9 * DAY), before())),
        found(orphan="d/f"),
    ),
    "a file of unknown age that stood, and that another shard saw a second ago": (
        case(shard(file("d/f", mtime=None)), shard(file("d/f", mtime=NOW)), earlier=(before(file("d/f")),)),
        NOTHING,
    ),
    "another size of unknown age": (case(shard(file("d/f", 2, None)), both=F), NOTHING),
    "another size of unknown age that stood": (
        case(shard(file("d/f", 2, None)), both=F, earlier=(before(file("d/f", 2)),)),
        found(mismatch="d/f"),
    ),
    "a directory of unknown age is young however long it stood": (
        case(shard(directory("d", None)), earlier=(before(directory("d", None)),)),
        NOTHING,
    ),
    "a time and a size that are larger than all others": (
        case(shard(file("d/f", 2**63 - 1, 2**63 - 8), file("d/g", 2**63 - 1), file("d/h", 2**63 - 1, -(2**63)))),
        found(orphan="d/g"),
    ),
    "an entry of a time that is larger than all others": (case(both=[entry("d/f", time=2**63 - 8)]), NOTHING),
    "a young file of another size": (case(shard(file("d/f", 2, NOW)), both=F), NOTHING),
    "a young file is not missing": (case(shard(file("d/f", 1, NOW)), both=F), NOTHING),
    "young for one of two shards": (case(shard(file("d/f")), shard(file("d/f", mtime=NOW))), NOTHING),
    # 4: holes
    "a hole at the path itself": (case(shard(holes="d/f"), both=F), NOTHING),
    "a hole far above": (case(shard(holes="d"), both=[entry("d/e/e/e/f")]), NOTHING),
    "a hole of another shard hides what is missing": (case(shard(), shard(holes="d"), both=F), NOTHING),
    "a hole in a hole": (case(shard(holes="d d/e"), both=[entry("d/e/f"), *F, entry("d/z")]), NOTHING),
    "a hole whose name begins alike": (
        case(shard(holes="d-b d. d0 d/fg"), both=[*F, entry("d/f-")]),
        found(missing="d/f d/f-"),
    ),
    "holes between others in byte order": (
        case(shard(holes="d d.e d/e d0"), both=[entry("d-/f"), entry("d.e/f"), entry("d/z"), entry("d0/f")]),
        found(missing="d-/f"),
    ),
    "an old file of an answer that was not whole": (case(shard(file("d/f"), holes="d")), NOTHING),
    "an old file deep in a hole": (case(shard(file("d/e/e/f"), holes="d")), NOTHING),
    "another shard saw an old file in a hole": (case(shard(holes="d"), shard(file("d/f"))), found(orphan="d/f")),
    "both saw it, and only one of them has a hole there": (
        case(shard(file("d/f"), holes="d"), shard(file("d/f"))),
        found(orphan="d/f"),
    ),
    "another size in a hole is seen all the same": (
        case(shard(file("d/f", 2), holes="d"), both=F),
        found(mismatch="d/f"),
    ),
    "a directory left to another shard, which did not list it": (case(shard(seen="d"), both=F), NOTHING),
    "a directory left to another shard, which did": (
        case(shard(seen="d"), shard(directory("d")), both=F),
        found(missing="d/f", in_empty="d/f"),
    ),
    # 5: missing
    "the dataset is to be deleted": (
        case(both=[entry("d/f", dataset="D")], deletion_requests=frozenset("D")),
        NOTHING,
    ),
    "another dataset is to be deleted": (
        case(both=[entry("E/P/T/v1/f", dataset="D")], deletion_requests=frozenset([DATASET]), convention=cms),
        found(missing="E/P/T/v1/f"),
    ),
    "the dataset is to be deleted by the name": (
        case(both=NAMED, deletion_requests=frozenset([DATASET]), convention=cms),
        NOTHING,
    ),
    "another dataset is to be deleted by the name": (
        case(both=NAMED, deletion_requests=frozenset("D"), convention=cms),
        found(missing="E/P/T/v1/f"),
    ),
    "a name without a dataset, and something is to be deleted": (
        case(both=F, deletion_requests=frozenset("D"), convention=cms),
        NOTHING,
    ),
    "a name without a dataset, and nothing is to be deleted": (case(both=F, convention=cms), found(missing="d/f")),
    "one snapshot shows that the dataset is to be deleted": (
        case(both=F, after=[entry("d/f", dataset="D")], deletion_requests=frozenset("D")),
        NOTHING,
    ),
    # 6: orphans
    "a protected dataset": (case(shard(file("E/P/T/v1/f")), protected=frozenset([DATASET]), convention=cms), NOTHING),
    "a dataset to be deleted": (
        case(shard(file("E/P/T/v1/f")), deletion_requests=frozenset([DATASET]), convention=cms),
        NOTHING,
    ),
    "any other dataset": (
        case(shard(file("E/P/T/v1/f")), protected=frozenset("D"), convention=cms),
        found(orphan="E/P/T/v1/f"),
    ),
    "names that do not parse": (
        case(
            *[shard(*map(file, ("E/P/T/f", "E/P/T/v1x/f", "E/P/T/v/f", "E/P/T/1/f", "E/P/T/v\u0663/f")))],
            convention=cms,
        ),
        NOTHING,
    ),
    # 7 and 10: mismatches and duplicates
    "another size": (case(shard(file("d/f", 2)), both=F), found(mismatch="d/f")),
    "another size than in the first snapshot alone": (case(shard(file("d/f", 2)), both=F, after=[]), NOTHING),
    "another size than in the second snapshot alone": (case(shard(file("d/f", 2)), both=[], after=F), NOTHING),
    "no byte at the site": (case(shard(file("d/f", 0)), both=F), found(mismatch="d/f")),
    "another size of a dataset that is to be deleted": (
        case(shard(file("d/f", 2)), both=[entry("d/f", dataset="D")], deletion_requests=frozenset("D")),
        found(mismatch="d/f"),
    ),
    "a size that the inventory does not know": (
        case(shard(file("d/f"), file("d/g")), both=[entry("d/f", None), entry("d/g", -1)]),
        NOTHING,
    ),
    "a size that one snapshot does not know": (
        case(shard(file("d/f", 2)), both=F, after=[entry("d/f", None)]),
        NOTHING,
    ),
    "a size that the site does not know": (case(shard(file("d/f", None)), both=F), NOTHING),
    "two sizes in one snapshot": (case(shard(file("d/f", 3)), both=[*F, entry("d/f", 2)]), NOTHING),
    "the size changed between the snapshots": (case(shard(file("d/f", 3)), both=F, after=[entry("d/f", 2)]), NOTHING),
    "two sizes at the site": (case(shard(file("d/f", 2)), shard(file("d/f", 3)), both=F), NOTHING),
    "twice at each side, with one size for each": (
        case(shard(file("d/f", 2), file("d/f", 2)), both=F * 2),
        found(mismatch="d/f"),
    ),
    "twice in the inventory and absent": (case(both=F * 3), found(missing="d/f")),
    "twice in the first snapshot and absent": (case(both=F * 2, after=F), found(missing="d/f")),
    "twice in the second snapshot and absent": (case(both=F, after=F * 2), found(missing="d/f")),
    "three times at the site and unknown": (case(*[shard(file("d/f"))] * 3), found(orphan="d/f")),
    "three times in one snapshot only": (case(both=F * 3, after=[]), NOTHING),
    "twice at the site and unknown": (case(shard(file("d/f"), file("d/f", 2))), found(orphan="d/f")),
    # 8: ignored
    "ignored, and missing all the same": (case(both=[entry("RAW/f")], ignore=(b"/RAW",)), found(missing="RAW/f")),
    "ignored, and of another size": (
        case(shard(file("RAW/f", 2)), both=[entry("RAW/f")], ignore=(b"/RAW",)),
        found(mismatch="RAW/f"),
    ),
    "ignored as a whole component": (
        case(shard(file("RAW/f"), file("d/RAW"), file("RAWSIM/f"), file("xRAW/f")), ignore=(b"/RAW",)),
        found(orphan="RAWSIM/f xRAW/f"),
    ),
    "ignored by a star": (case(shard(file("RAWSIM/f"), file("xRAW/f")), ignore=(b"/RAW*",)), found(orphan="xRAW/f")),
    "a star stays in its component": (case(shard(file("a/x/b")), ignore=(b"/a*b",)), found(orphan="a/x/b")),
    "an ignored directory keeps those above it": (
        case(shard(directory("d"), directory("d/RAW"), directory("d/e")), ignore=(b"/RAW",)),
        found(empty="d/e"),
    ),
    # 9: empty directories
    "a file keeps all directories above it": (
        case(shard(directory("d"), directory("d/e"), directory("d/e/e"), directory("d/z"), file("d/e/e/f")), both=[]),
        found(orphan="d/e/e/f", empty="d/z"),
    ),
    "a young file keeps them too": (case(shard(directory("d"), file("d/f", mtime=NOW))), NOTHING),
    "a file of another shard": (case(shard(directory("d")), shard(file("d/f", mtime=NOW))), NOTHING),
    "a directory just as old as the ignore age": (case(shard(directory("d", NOW - DAY))), NOTHING),
    "a directory of unknown age": (case(shard(directory("d"), directory("d/e", None))), NOTHING),
    "a directory that two shards saw, one of them young": (
        case(shard(directory("d")), shard(directory("d", NOW))),
        NOTHING,
    ),
    "a hole of another shard in it": (case(shard(directory("d")), shard(holes="d/e")), NOTHING),
    "a hole that is itself": (case(shard(directory("d")), shard(holes="d")), NOTHING),
    "a directory in it that nobody listed": (case(shard(directory("d"), seen="d/e")), NOTHING),
    "an entry in flight in it": (case(shard(directory("d")), both=[entry("d/f", in_flight=True)], after=[]), NOTHING),
    "an entry deep in it": (case(shard(directory("d")), both=[], after=[entry("d/e/e/f")]), NOTHING),
    "an entry of its own name in the first snapshot": (
        case(shard(directory("d")), both=[entry("d")], after=[]),
        NOTHING,
    ),
    "an entry of its own name": (case(shard(directory("d")), both=[], after=[entry("d")]), NOTHING),
    "a file of its own name": (case(shard(directory("d")), shard(file("d", mtime=NOW))), NOTHING),
    "an ignored entry in it": (case(shard(directory("d")), both=[], after=[entry("d/f")], ignore=(b"/f",)), NOTHING),
    "names that begin alike keep nothing": (
        case(shard(directory("d"), file("d-/f", mtime=NOW), file("d0/f", mtime=NOW), directory("d.e", None))),
        found(empty="d"),
    ),
    "a root is never one": (case(shard(SiteDirectory(ROOT), directory("d"))), found(empty="d")),
    "children first": (
        case(shard(*map(directory, ("a", "a/b", "a-b", "a/b/c", "a/c")))),
        found(empty="a/c a/b/c a/b a-b a"),
    ),
    # 10: directories that answered "empty"
    "missing in a directory with others in it": (
        case(shard(directory("d"), file("d/g")), both=[*F, entry("d/g")]),
        found(missing="d/f"),
    ),
    "missing far below a directory that is listed without any entry": (
        case(shard(directory("d"), directory("e")), both=[entry("d/e/e/f"), entry("d0/f")]),
        found(missing="d/e/e/f d0/f", in_empty="d/e/e/f", empty="e"),
    ),
    # 11: what takes part
    "excluded at both sides": (
        case(shard(file("x/f"), directory("x"), directory("x/e")), both=[entry("x/g")], exclude=(at("x"),)),
        NOTHING,
    ),
    "a file in the place of an excluded directory": (case(shard(file("x")), exclude=(at("x"),)), NOTHING),
    "an entry in the place of an excluded directory": (case(both=[entry("x")], exclude=(at("x"),)), NOTHING),
    "excluded at a component boundary": (
        case(shard(file("x-/f")), both=[entry("x0/g")], exclude=(at("x"),)),
        found(orphan="x-/f", missing="x0/g"),
    ),
    "a directory with an excluded one in it": (
        case(shard(directory("d"), directory("d/e")), exclude=(at("d/x"),)),
        found(empty="d/e"),
    ),
    "missing where there is a directory of its name, without any entry": (
        case(shard(directory("d")), both=[entry("d")]),
        found(missing="d", in_empty="d"),
    ),
    # 12: one file, two names
    "a directory that two names lead to": (
        case(shard(directory("d", identity=7), directory("e", identity=7), file("e/f")), both=[*F, entry("g")]),
        found(missing="g"),
    ),
    "two names in two shards, and what is in them in a third": (
        case(
            shard(directory("d", identity=7)),
            shard(directory("e", identity=7)),
            shard(file("e/e/f"), file("g")),
            both=F,
        ),
        found(orphan="g"),
    ),
    "two names of a directory inside another with two names": (
        case(
            shard(*(directory(name, identity=len(name)) for name in ("d", "e", "d/e", "e/e", "x/y", "xyz"))),
            both=[entry("x/y/f"), *F],
        ),
        NOTHING,
    ),
    "one name of one directory, met by two shards": (
        case(shard(directory("d", identity=7)), shard(directory("d", identity=7)), both=F),
        found(missing="d/f", in_empty="d/f"),
    ),
    "a second name that is claimed elsewhere": (case(shard(file("d/f"), file("e/f")), both=F), found(twin="e/f")),
    "the same name, size and time, of files that are known to be two": (
        case(shard(file("d/f", identity=1 << 32), file("e/f", identity=2 << 32)), both=F),
        found(orphan="e/f"),
    ),
    "the same name, size and time on two devices, which may be one storage that is mounted twice": (
        case(shard(file("d/f", identity=1 << 32), file("e/f", identity=1 << 32 | 43)), both=F),
        found(twin="e/f"),
    ),
    "the same name, size and time, of files of which one is not known": (
        case(shard(file("d/f"), file("e/f", identity=2)), both=F),
        found(twin="e/f"),
    ),
    "the same name, size and time in directories that are known to be two, of which a link may lead to the other": (
        case(shard(directory("d", identity=1), directory("e", identity=2), file("d/f"), file("e/f")), both=F),
        found(twin="e/f"),
    ),
    "another name of a claimed file": (
        case(shard(file("d/f", identity=1), file("e/g", identity=1), file("e/h", identity=2)), both=F),
        found(twin="e/g", orphan="e/h"),
    ),
    "two names of a file that nobody claims": (
        case(shard(file("d/f"), file("e/g", identity=1), file("e/h", identity=1)), both=F),
        found(twin="e/g e/h"),
    ),
    "another size under the second name of a file": (
        case(shard(file("d/f", 2, identity=1), file("e/g", 2, identity=1)), both=[*F, entry("e/g", 2)]),
        found(mismatch="d/f", other_name="d/f"),
    ),
    "another size of a file of one name": (
        case(shard(file("d/f", 2, identity=1 << 32), file("e/f", 2, identity=2 << 32)), both=[*F, entry("e/f", 2)]),
        found(mismatch="d/f"),
    ),
    "another size, as a file of that name has where no identities are told": (
        case(
            shard(file("d/f", 2), file("e/f", 2), file("d/g", 2), file("e/h", 2)),
            both=[*F, entry("d/g"), entry("e/f", 2)],
        ),
        found(mismatch="d/f d/g", orphan="e/h", other_name="d/f"),
    ),
    "another size, as a file of that name has of another time": (
        case(shard(file("d/f", 2), file("e/f", 2, OLD - 1)), both=[*F, entry("e/f", 2)]),
        found(mismatch="d/f"),
    ),
    "two files that two servers number alike": (
        case(shard(file("d/f", identity=1), file("e/g", size=2, identity=1), file("e/h", 1, LONG_AGO + 5, 1)), both=F),
        found(orphan="e/g e/h"),
    ),
    "a second name that is claimed elsewhere, in flight": (
        case(shard(file("d/f"), file("e/f")), both=[], after=[entry("d/f", in_flight=True)]),
        found(twin="e/f"),
    ),
    "the same name as one that is spelt otherwise": (
        case(shard(file("d/F"), file("e/F")), both=F),
        found(missing="d/f", orphan="d/F", renamed="d/f d/F", twin="e/F"),
    ),
    "the same name and size, claimed in a hole": (
        case(shard(file("e/f"), file("e/g"), file("g/f", 2), holes="d"), both=[*F, entry("d/x")]),
        found(twin="e/f", orphan="e/g g/f"),
    ),
    "the same name and size, claimed outside the roots": (
        case(shard(file("e/f"), file("e/g")), both=[Entry(b"/store/data/f", 1)]),
        found(twin="e/f", orphan="e/g"),
    ),
    "another size or spelling, beside a twin that is claimed outside the roots": (
        case(
            shard(file("e/f"), file("e/g", 7), file("e/H"), file("e/other"), file("g/g", 7)),
            both=[Entry(b"/store/data/f", 1), Entry(b"/store/data/g", 1), Entry(b"/store/data/h", 1)],
        ),
        found(twin="e/f e/g e/H", orphan="e/other g/g"),
    ),
    "the same name and size, claimed in an excluded directory": (
        case(shard(file("e/f"), file("e/g")), both=[entry("x/f")], exclude=(at("x"),)),
        found(twin="e/f", orphan="e/g"),
    ),
    "the same name and size, claimed where it is not": (
        case(shard(file("e/f"), directory("d")), both=F),
        found(missing="d/f", twin="e/f", in_empty="d/f"),
    ),
    "the same name and size, claimed where there is not even a directory": (
        case(shard(file("e/f", mtime=OLD - 1), file("h/g", 2)), both=[*F, entry("d/g")]),
        found(missing="d/f d/g", twin="e/f", orphan="h/g"),
    ),
    "the same name and size, claimed where it is not, in a directory that is known to be another": (
        case(shard(file("e/f"), directory("d", identity=1), directory("e", identity=2)), both=F),
        found(missing="d/f", orphan="e/f", in_empty="d/f"),
    ),
    "the same name of another size or time": (
        case(shard(file("d/f"), file("e/f", 2), file("g/f", mtime=OLD - 1)), both=F),
        found(orphan="e/f g/f"),
    ),
    "the same name of a size that one of them lacks": (
        case(shard(file("d/f", None), file("e/f")), both=F),
        found(twin="e/f"),
    ),
    "the same name of unknown age": (
        case(shard(file("d/f", mtime=None), file("e/f", mtime=None)), both=F, earlier=(before(file("e/f")),)),
        found(twin="e/f"),
    ),
    "the same name, of which one has an age": (
        case(shard(file("d/f", mtime=None), file("e/f")), both=F),
        found(orphan="e/f"),
    ),
    "two names of which the inventory knows none": (case(shard(file("d/f"), file("e/f"))), found(orphan="d/f e/f")),
    "a name that ends alike": (case(shard(file("d/f"), file("e/ff"), file("e/-f")), both=F), found(orphan="e/ff e/-f")),
    # 13: two spellings
    "another case": (
        case(shard(file("d/F")), both=F),
        found(missing="d/f", orphan="d/F", renamed="d/f d/F"),
    ),
    "another form of a sign": (
        case(shard(file("d/cafe\u0301\\")), both=[entry("d/CAF\u00c9\\")]),
        found(missing="d/CAF\u00c9\\", orphan="d/cafe\u0301\\", renamed="d/CAF\u00c9\\ d/cafe\u0301\\"),
    ),
    "a sign that folds to an ASCII letter": (
        case(shard(file("d/\u212a")), both=[entry("d/k")]),
        found(missing="d/k", orphan="d/\u212a", renamed="d/k d/\u212a"),
    ),
    "another case beside a byte that is no text": (
        case(shard(SiteFile(at("d/X") + b"\xff", mtime=OLD)), both=[Entry(at("d/x") + b"\xff")]),
        Findings(
            missing=frozenset([at("d/x") + b"\xff"]),
            orphan=frozenset([at("d/X") + b"\xff"]),
            renamed=frozenset([at("d/x") + b"\xff", at("d/X") + b"\xff"]),
        ),
    ),
    "another case of a directory": (
        case(shard(file("D/f")), both=F),
        found(missing="d/f", orphan="D/f", renamed="d/f D/f"),
    ),
    "a name that is escaped as in a URL": (
        case(shard(file("d/a#b%")), both=[entry("d/a%23b%25")]),
        found(missing="d/a%23b%25", orphan="d/a#b%", renamed="d/a%23b%25 d/a#b%"),
    ),
    "a name with its line end": (
        case(shard(SiteFile(at("d/f") + b"\n", mtime=OLD)), both=F),
        Findings(
            missing=frozenset([at("d/f")]),
            orphan=frozenset([at("d/f") + b"\n"]),
            renamed=frozenset([at("d/f"), at("d/f") + b"\n"]),
        ),
    ),
    "a name with a blank behind it": (
        case(shard(SiteFile(at("d/f") + b" ", mtime=OLD)), both=F),
        Findings(
            missing=frozenset([at("d/f")]),
            orphan=frozenset([at("d/f") + b" "]),
            renamed=frozenset([at("d/f"), at("d/f") + b" "]),
        ),
    ),
    "a name that is escaped as in C": (
        case(shard(file("d/\u00e9#")), both=[entry("d/\\xc3\\251\\043")]),
        found(missing="d/\\xc3\\251\\043", orphan="d/\u00e9#", renamed="d/\\xc3\\251\\043 d/\u00e9#"),
    ),
    "a name in UTF-8 that was taken for latin-1": (
        case(shard(file("d/\u00c9t\u00e9")), both=[entry("d/\u00c3\u2030t\u00c3\u00a9")]),
        found(
            missing="d/\u00c3\u2030t\u00c3\u00a9",
            orphan="d/\u00c9t\u00e9",
            renamed="d/\u00c9t\u00e9 d/\u00c3\u2030t\u00c3\u00a9",
        ),
    ),
    "a name in latin-1": (
        case(shard(SiteFile(at("d/caf") + b"\xe9", mtime=OLD)), both=[entry("d/caf\u00e9")]),
        Findings(
            missing=frozenset([at("d/caf\u00e9")]),
            orphan=frozenset([at("d/caf") + b"\xe9"]),
            renamed=frozenset([at("d/caf\u00e9"), at("d/caf") + b"\xe9"]),
        ),
    ),
    "another sign": (
        case(shard(file("d/\u00e9")), both=[entry("d/\u00e8")]),
        found(missing="d/\u00e8", orphan="d/\u00e9"),
    ),
    "another case and another size": (case(shard(file("d/F", 2)), both=F), found(missing="d/f", orphan="d/F")),
    "another case and a size that is not known": (
        case(shard(file("d/F", None)), both=F),
        found(missing="d/f", orphan="d/F", renamed="d/f d/F"),
    ),
    "another case of an entry in flight": (
        case(shard(file("d/F")), both=[entry("d/f", in_flight=True)]),
        found(orphan="d/F", renamed="d/F"),
    ),
    "another case of a young file": (
        case(shard(file("d/F", mtime=NOW)), both=F),
        found(missing="d/f", renamed="d/f"),
    ),
    "another case of a file that is there": (case(shard(file("d/f"), file("d/F")), both=F), found(orphan="d/F")),
    # 15: directories that are listed as files
    "a directory that is listed as a file": (
        case(shard(file("d", 4096), file("d/e", 4096), file("d/e/f")), both=[]),
        found(orphan="d/e/f"),
    ),
    "a directory that is listed as a file far above one": (
        case(shard(file("d"), file("d/e/e/f"))),
        found(orphan="d/e/e/f"),
    ),
    "a directory that is listed as a file and claimed with another size": (
        case(shard(file("d", 4096), file("d/f")), both=[entry("d"), *F]),
        NOTHING,
    ),
    "a file that is listed as a directory, too": (
        case(shard(file("d", 4096), directory("d")), both=[entry("d")]),
        NOTHING,
    ),
    "a name that begins like a file": (case(shard(file("d"), file("d.e/f"))), found(orphan="d d.e/f")),
    "a file above a directory": (case(shard(file("d"), directory("d/e"))), found(empty="d/e")),
    "beside the root": (
        case(shard(SiteFile(b"/store/mc2/f")), both=[Entry(b"/store/mc2/g"), Entry(b"/store/data/g")]),
        NOTHING,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_found_where_there_is(name: str, reading: Reading) -> None:
    given, expected = CASES[name]
    assert reading(given) == expected
