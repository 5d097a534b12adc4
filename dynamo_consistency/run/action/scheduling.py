"""Which findings are taken up, and in which order: what has waited longest goes first.

Within a turn it is mismatches and missing files (transfer), orphans, empty directories (deletion, the deepest first),
and what is old in the unmerged area: its files, then its empty directories.

The problem: a run has a budget of requests, and there may be more findings than that. A registry may refuse some of
them each time, an answer may be lost in a crash, and a directory can go only after those in it. Yet every finding must
get its turn, nothing may be asked for twice in a run, and a run that is continued must do what it would have done.

So findings are sorted by the run that last asked for them, never asked first, and the journal counts the budget. The
order depends on nothing but the run directories: it is the same after a crash.

Rejected ways:
* the order of the findings file: refused requests at its beginning use up the budget of every run;
* a random order: fair in the long run, but a continued run would take up other findings;
* asking again at once where an answer was lost: a registry that is not idempotent would get the request twice;
* one batch for all that went unanswered: the one request that spoils it would spoil it each time;
* a retry counter of each finding: the earlier runs' `actions.parquet` have it already.
"""

from collections.abc import Iterator
from itertools import groupby, islice

from dynamo_consistency.kinds import EMPTY_DIRECTORY, KindName
from dynamo_consistency.run.action.actions_file import AskedBefore, asked_before
from dynamo_consistency.run.action.held_back import HeldBack, held_back
from dynamo_consistency.run.action.journal import FindingKey, Journal
from dynamo_consistency.run.action.objections import Finding, is_directory
from dynamo_consistency.run.gates import Facts
from dynamo_consistency.run.store.run_directory import RunDirectory

BATCH = 100

Batch = tuple[KindName, list[Finding]]


def batches(run: RunDirectory, facts: Facts, journal: Journal, idempotent: bool) -> Iterator[Batch]:
    """Confirmed findings to be taken up, until the budget of the run, which the journal counts, is used up.

    First, in a run that is continued, what was asked for without an answer; where the registry is not `idempotent` that
    is left to the next run, so that nothing is asked for twice. Then what no earlier run has asked for (new, or left
    over), then the rest, from what was asked for longest ago. What a registry never takes so delays nothing else.
    A request that went unanswered is made alone: it may have been the one that spoilt its batch.
    """
    withheld = held_back(facts)
    if idempotent and journal.has_unanswered:
        yield from _unanswered(facts, journal, withheld)
    before = asked_before(run)
    if EMPTY_DIRECTORY.name in facts.enforced and before:
        _wait_for_those_inside(before, facts)
    for turn in (None, *sorted({asked.run for asked in before.values()})):
        for kind in facts.enforced:
            findings = (
                (finding, asked)
                for finding in _open(facts, kind, journal, withheld)
                if ((asked := before.get((kind, finding["path"]))) and asked.run) == turn
            )
            yield from _of_turn(kind, findings, facts.policy.max_requests_per_run, journal)


def _wait_for_those_inside(before: dict[FindingKey, AskedBefore], facts: Facts) -> None:
    """A directory can go after those in it only: its turn is no earlier than theirs."""
    kind = EMPTY_DIRECTORY.name
    for finding in facts.confirmed[kind].findings(kind):
        if asked := before.get((kind, finding["path"])):
            above = kind, finding["path"].rsplit(b"/", 1)[0]
            known = before.get(above)
            if known is None or known.run < asked.run:
                before[above] = AskedBefore(asked.run, known is not None and known.unanswered)


def _unanswered(facts: Facts, journal: Journal, withheld: HeldBack) -> Iterator[Batch]:
    """They have their place in the budget already."""
    for kind in facts.enforced:
        for finding in facts.confirmed[kind].findings(kind):
            if journal.is_unanswered(kind, finding["path"]) and not withheld(kind, finding):
                yield kind, [finding]


def _open(facts: Facts, kind: KindName, journal: Journal, withheld: HeldBack) -> Iterator[Finding]:
    if not facts.confirmed[kind].count:
        return
    for finding in facts.confirmed[kind].findings(kind):
        if journal.is_open(kind, finding["path"]) and not withheld(kind, finding):
            yield finding


def _of_turn(
    kind: KindName, findings: Iterator[tuple[Finding, AskedBefore | None]], budget: int, journal: Journal
) -> Iterator[Batch]:
    """Directories of one depth at a time: of those above, it matters what becomes of the ones in them."""

    def together(item: tuple[Finding, AskedBefore | None]) -> tuple[int, object]:
        finding, asked = item
        alone = finding["path"] if asked and asked.unanswered else None
        return (finding["path"].count(b"/") if is_directory(kind, finding) else 0), alone

    for _, group in groupby(findings, together):
        while (left := budget - len(journal.asked)) > 0:
            batch = [finding for finding, _ in islice(group, min(BATCH, left))]
            if not batch:
                break
            yield kind, batch
