"""Random cases: the engine agrees with the reference to the last path, and the rules have the laws one expects."""

from collections.abc import Callable
from dataclasses import replace
from unittest.mock import patch

import pytest
from comparison_model.cases import Case, Entry, Findings, Shard, Written
from comparison_model.fates import DATASETS
from comparison_model.reference import in_or_above, normalise
from comparison_model.strategies import PATTERNS, cases
from effort import examples
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dynamo_consistency.run.comparison import doubtful

Reading = Callable[[Case], Findings | None]

# fixtures last for the session and hold no state of a case
RANDOM = {"deadline": None, "suppress_health_check": list(HealthCheck)}


# shrinking a failure takes minutes, each step being a run of the engine
@pytest.mark.timeout(400)
@settings(max_examples=examples(70), **RANDOM)
@given(case=cases(), few=st.booleans())
def test_the_engine_finds_exactly_what_the_reference_finds(
    case: Case, engine: Reading, plain_reference: Reading, *, few: bool
) -> None:
    """As it compares few rows, and as it compares many, in several ranges of keys."""
    with patch.multiple(doubtful, _FEW_ROWS=1000 if few else 0, memory_limit=lambda: 256):
        found = engine(case)
    agree(found, plain_reference(case))


def agree(found: Findings | None, expected: Findings | None) -> None:
    assert found == expected
    assert (found and found.duplicates) == (expected and expected.duplicates)


@pytest.mark.timeout(400)
@settings(max_examples=30, **RANDOM)
@given(case=cases(max_files=6))
def test_paths_with_one_key_are_told_apart(case: Case, engine: Reading, plain_reference: Reading) -> None:
    agree(engine(replace(case, written=Written.COLLIDING)), plain_reference(case))


# The laws are those of the reference: what it says is what the engine says, and it is quick.


def complete(case: Case, reading: Reading) -> Findings:
    found = reading(case)
    assume(found is not None)
    assert found is not None
    return found


def files(found: Findings) -> frozenset[bytes]:
    return found.missing | found.orphan | found.twin | found.mismatch


def nothing_new(found: Findings, before: Findings) -> bool:
    return (
        found.missing <= before.missing
        and found.orphan <= before.orphan
        and found.twin <= before.twin | before.orphan
        and found.mismatch <= before.mismatch
        and set(found.empty) <= set(before.empty)
    )


@settings(max_examples=examples(50), **RANDOM)
@given(case=cases())
def test_a_file_has_one_verdict_and_directories_come_after_their_children(case: Case, plain_reference: Reading) -> None:
    found = complete(case, plain_reference)
    assert len(files(found)) == len(found.missing) + len(found.orphan) + len(found.twin) + len(found.mismatch)
    assert found.renamed | found.in_empty <= found.missing | found.orphan
    for position, directory in enumerate(found.empty):
        assert not any(above in found.empty[:position] for above in in_or_above(directory))


@settings(max_examples=examples(80), **RANDOM)
@given(case=cases(), data=st.data())
def test_doubt_never_adds_a_finding(case: Case, data: st.DataObject, plain_reference: Reading) -> None:
    """A further hole, a longer ignore age, a pattern, a protected dataset or an entry in flight only take away."""
    found = complete(case, plain_reference)
    first, *others = case.shards
    paths = sorted({normalise(item.path) for shard in case.shards for item in (*shard.files, *shard.directories)})
    path = data.draw(st.sampled_from(paths))
    doubts = {
        "hole": replace(case, shards=(replace(first, holes=(*first.holes, path)), *others)),
        "seen": replace(case, shards=(replace(first, seen=(*first.seen, path)), *others)),
        "age": replace(case, settings=replace(case.settings, ignore_age=case.settings.ignore_age + 10)),
        "pattern": replace(case, settings=replace(case.settings, ignore=(data.draw(st.sampled_from(PATTERNS)),)))
        if not case.settings.ignore
        else case,
        "protected": replace(case, protected=case.protected | {data.draw(st.sampled_from(DATASETS))}),
        "requests": replace(case, deletion_requests=case.deletion_requests | {data.draw(st.sampled_from(DATASETS))}),
        "in flight": replace(case, before=(*case.before, Entry(path, in_flight=True))),
    }
    for doubt, with_doubt in doubts.items():
        less = plain_reference(with_doubt)
        assert less is None or nothing_new(less, found), doubt


@settings(max_examples=examples(50), **RANDOM)
@given(case=cases())
def test_what_stands_twice_is_compared_once(case: Case, plain_reference: Reading) -> None:
    twice = tuple(
        replace(shard, files=shard.files * 2, directories=shard.directories * 2, holes=shard.holes * 2)
        for shard in case.shards
    )
    doubled = replace(case, before=case.before * 2, after=case.after * 2, shards=twice)
    assert plain_reference(doubled) == plain_reference(case)


@settings(max_examples=examples(50), **RANDOM)
@given(case=cases())
def test_the_snapshots_have_the_same_weight(case: Case, plain_reference: Reading) -> None:
    assert plain_reference(replace(case, before=case.after, after=case.before)) == plain_reference(case)


@settings(max_examples=examples(50), **RANDOM)
@given(case=cases(), data=st.data())
def test_a_verdict_does_not_depend_on_the_neighbours(case: Case, data: st.DataObject, plain_reference: Reading) -> None:
    """Without one file, at both sides, the verdicts on all others are the same; only a twin may be an orphan then."""
    found = complete(case, plain_reference)
    gone = data.draw(st.sampled_from(sorted({normalise(entry.path) for entry in case.before + case.after})))

    def others(items: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(item for item in items if normalise(item.path) != gone)

    listed = {normalise(file.path) for shard in case.shards for file in shard.files}
    assume(listed.isdisjoint(set(in_or_above(gone)) - {gone}))  # what it lies in is a directory on its account
    shards = tuple(replace(shard, files=others(shard.files)) for shard in case.shards)
    rest = plain_reference(replace(case, before=others(case.before), after=others(case.after), shards=shards))
    if rest is not None:
        assert files(rest) == files(found) - {gone}
        assert set(rest.empty) >= set(found.empty)


@pytest.mark.timeout(400)
@settings(max_examples=examples(10), **RANDOM)
@given(case=cases(), data=st.data())
def test_neither_the_order_of_rows_nor_that_of_shards_matters(
    case: Case, data: st.DataObject, engine: Reading, plain_reference: Reading
) -> None:
    order = data.draw(st.permutations(case.shards))
    shards = tuple(replace(shard, files=shard.files[::-1], directories=shard.directories[::-1]) for shard in order)
    shuffled = replace(case, before=case.before[::-1], after=case.after[::-1], shards=shards)
    assert engine(shuffled) == plain_reference(case)


@pytest.mark.timeout(400)
@settings(max_examples=examples(10), **RANDOM)
@given(case=cases(), shards=st.integers(2, 4), data=st.data())
def test_the_number_of_shards_does_not_matter(
    case: Case, shards: int, data: st.DataObject, engine: Reading, plain_reference: Reading
) -> None:
    """The same rows, dealt to several listings that began together; files below holes are a shard's own matter."""
    whole = replace(case, shards=(replace(case.shards[0], holes=(), seen=()),))
    [only] = whole.shards
    dealt = [Shard(listed_at=only.listed_at) for _ in range(shards)]
    for file in only.files:
        number = data.draw(st.integers(0, shards - 1))
        dealt[number] = replace(dealt[number], files=(*dealt[number].files, file))
    for directory in only.directories:
        number = data.draw(st.integers(0, shards - 1))
        dealt[number] = replace(dealt[number], directories=(*dealt[number].directories, directory))
    assert engine(replace(whole, shards=tuple(dealt))) == plain_reference(whole)
