"""The page of a run."""

from dynamo_consistency.web.models.answer import Answer, Gate, Name, Problem, RunReference


class Funnel(Answer):
    """One kind of finding, from found to recovered. None: not known, or the run has not come so far.

    found: in the run. confirmed: they stood in enough runs. within_limits, approved: those that the gate Limits, and
    those that all gates let through: all that are confirmed or 0. requested: the registry was asked for. answered: it
    answered. recovered: a later run saw them back, or gone. request: transfer or delete, None for a kind that is only
    reported. mode: Ignore, Report or Enforce; None for a kind without a policy.
    """

    kind: str
    title: str
    request: str | None
    mode: str | None
    found: int
    confirmed: int | None
    within_limits: int | None
    approved: int | None
    requested: int | None
    answered: int | None
    recovered: int | None


class Directory(Answer):
    """A part of the icicle: a directory with all that is below it.

    path: of the directory; for the rest of a directory that is not shown by itself, the directory, and `is_rest`.
    files, bytes: as listed; None below the depth that `reports/storage.json` has. missing, orphans: findings in and
    below it, with their bytes. holes: directories in or below it that could not be listed. width: bytes for the area:
    as listed or, where that is not known, its findings' share. children: largest first, at most 12 and a rest.
    """

    path: Name
    is_rest: bool
    files: int | None
    bytes: int | None
    missing: int
    missing_bytes: int
    orphans: int
    orphan_bytes: int
    holes: int
    width: int
    children: list["Directory"]


class DatasetRow(Answer):
    """Missing files of a dataset (None: of no dataset that is known).

    no_source: no copy on another disk; unrecoverable: of those, none on tape either; None: the backend did not say.
    """

    dataset: str | None
    files: int
    bytes: int
    no_source: int | None
    unrecoverable: int | None


class AgeBand(Answer):
    """Orphans that were last changed so long before the listing. title: `1 to 4 weeks`."""

    title: str
    files: int
    bytes: int


class Change(Answer):
    """What became of one kind since the complete run before. gone: were in that run and are not in this one."""

    kind: str
    title: str
    new: int
    gone: int
    standing: int


class Hole(Answer):
    """A directory that could not be listed, and why."""

    path: Name
    reason: str


class Download(Answer):
    """All findings of a kind. names: format (text, csv, parquet) → file name below the run's address: `missing.csv`.

    total: how many there are; bytes: of them, None where sizes mean nothing.
    """

    kind: str
    file_name: str
    title: str
    meaning: str
    total: int
    bytes: int | None
    names: dict[str, str]


class RunPage(Answer):
    """A run. Of one that is not Complete all that rests on findings is empty.

    check: `namespace/name`. before, after: the runs of the check before and after it, whatever their results;
    compared_with: the complete run that `changes` are counted from. is_in_force: it is the last complete run.
    facts: what else is known of it, title → text (backend, source, snapshots, roots). roots: of the icicle.
    datasets: at most 100, most missing files first; datasets_total: how many there are. ages: of orphans, youngest
    first. holes: the first 20; holes_total: all. approval: commands to copy, title → command; empty where no approval
    would let it act. next_step: one sentence.
    """

    site: str
    check: str
    run: RunReference
    took_seconds: float | None
    is_in_force: bool
    before: RunReference | None
    after: RunReference | None
    compared_with: RunReference | None
    next_step: str
    notes: list[str]
    facts: dict[str, str]
    counts: dict[str, int]
    funnels: list[Funnel]
    gates: list[Gate]
    roots: list[Directory]
    datasets: list[DatasetRow]
    datasets_total: int
    ages: list[AgeBand]
    changes: list[Change]
    holes: list[Hole]
    holes_total: int
    downloads: list[Download]
    approval: dict[str, str]
    problems: list[Problem]
