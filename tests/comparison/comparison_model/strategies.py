"""Random cases for hypothesis, made so that the rules meet often: few names, and a site that mostly agrees.

A case is a handful of files; the directories above them are listed, and holes, ages, patterns and other shards lie on
or beside their paths.
"""

from dataclasses import replace

from hypothesis import strategies as st

from comparison_model.cases import (
    DAY,
    LISTING_TOOK,
    NOW,
    Case,
    Entry,
    Settings,
    Shard,
    SiteDirectory,
    SiteFile,
    Written,
    cms,
    first_directory,
)
from comparison_model.fates import DATASETS, Fate, file_fates, often
from comparison_model.reference import in_or_above, normalise

ODD_NAMES = [
    *(b"a", b"ab", b"a b", b"a+b", b"a-b", b"a,b", b"a.b", b"a/b", b"a0", b"a_b", b"a%b", b"a\tb", b"a\nb", b"A"),
    *(b"'", b'"', b"\\", b"\\x41", b"$(a)", b"`a`", b"%2F", b"*", b"?", b"[a]", b"-rf", b" ", b"a ", b"#", b"a//b"),
    *(b"\xff", b"\xff\xfe/a", "\u00e9".encode(), "e\u0301".encode(), "\U0001f4a5".encode(), b"RAW", b"RAWSIM", b"\x01"),
]
CMS_NAMES = [b"E/P/T/v1", b"E/P/T/v1/a", b"E/P/T/v2", b"E/P/T/V-v1", b"E/P/T/v", b"E/P/T/v1x", b"E/P/T", b"E/P/RAW/v1"]
PATTERNS = [b"/RAW", b"/RAW*", b"RAW/", b"/a", b"a b", b"/a*b", b"/a/b", b"/*/b", b"/*a*", b"/a//b"]
ROOTS = [(b"/store/mc",), (b"/store/mc", b"/store/mc2"), (b"/store/a b", b"/store/a"), (b"/store",)]


@st.composite
def cases(draw: st.DrawFn, max_files: int = 12) -> Case:
    settings = draw(all_settings())
    convention = draw(st.sampled_from([cms, first_directory]))
    alphabet = draw(st.lists(st.sampled_from(ODD_NAMES), min_size=1, max_size=4, unique=True))
    if convention is cms:
        alphabet += draw(st.lists(st.sampled_from(CMS_NAMES), min_size=1, max_size=3, unique=True))
    paths = draw(st.lists(names(settings.roots, alphabet), min_size=1, max_size=max_files, unique=True))
    if draw(often(False, True)):
        settings = replace(settings, exclude=(draw(st.sampled_from(excludable(settings, paths))),))
    shards = tuple(Shard(listed_at=NOW + draw(often(0, 100, -DAY))) for _ in range(draw(st.integers(1, 3))))
    fates = [draw(file_fates(path, shards, settings.ignore_age)) for path in paths]
    taken_after_listing = draw(often(-100, 0, settings.ignore_age, settings.ignore_age + 1, settings.ignore_age + DAY))
    case = Case(
        before=tuple(entry for fate in fates for entry in fate.before),
        after=tuple(entry for fate in reversed(fates) for entry in fate.after),
        shards=tuple(
            replace(
                draw(directories(shard, paths, settings)),
                files=tuple(file for fate in fates for where, file in fate.site if where == number),
            )
            for number, shard in enumerate(shards)
        ),
        settings=settings,
        protected=draw(datasets()),
        deletion_requests=draw(datasets()),
        earlier=tuple(draw(earlier_listings(shards, fates, settings.ignore_age))),
        taken_at=min(shard.listed_at for shard in shards) + taken_after_listing,
        convention=convention,
    )
    case = with_a_healthy_file(case) if draw(often(True, False)) else case
    case = walked(case) if draw(st.booleans()) else case
    return replace(case, written=draw(often(Written.NOW, Written.FORMERLY, Written.MIXED)))


def walked(case: Case) -> Case:
    """As what walks over a site leaves it: each shard has the directories that its files lie in."""

    def with_parents(shard: Shard) -> Shard:
        known = {normalise(item.path) for item in shard.directories}
        parents = {normalise(file.path).rpartition(b"/")[0] for file in shard.files} - known
        return replace(shard, directories=(*shard.directories, *map(SiteDirectory, sorted(parents))))

    return replace(case, shards=tuple(map(with_parents, case.shards)))


def earlier_listings(shards: tuple[Shard, ...], fates: list[Fate], ignore_age: int) -> st.SearchStrategy[list[Shard]]:
    """Runs before this one that knew some of the files, some of them long enough before."""
    files = [file for fate in fates for _number, file in fate.site] or [SiteFile(b"/store/mc/other")]
    boundary = min(shard.listed_at for shard in shards) - ignore_age - LISTING_TOOK
    listing = st.builds(
        Shard,
        listed_at=st.sampled_from([boundary - DAY, boundary - 1, boundary, boundary + 1]),
        files=st.lists(st.sampled_from(files), max_size=3).map(tuple),
    )
    return st.just([]) | st.lists(listing, max_size=2)


def datasets() -> st.SearchStrategy[frozenset[str]]:
    return st.just(frozenset()) | st.frozensets(st.sampled_from(DATASETS), min_size=1, max_size=2)


def all_settings() -> st.SearchStrategy[Settings]:
    return st.builds(
        Settings,
        roots=st.sampled_from(ROOTS),
        ignore=st.just(()) | st.sampled_from(PATTERNS).map(lambda pattern: (pattern, b"/not-there")),
        ignore_age=often(DAY, 0, 100),
    )


@st.composite
def names(draw: st.DrawFn, roots: tuple[bytes, ...], alphabet: list[bytes]) -> bytes:
    """A path mostly below a root, sometimes below a directory whose name begins like one."""
    parts = draw(st.lists(st.sampled_from(alphabet), min_size=1, max_size=3))
    return b"/".join([draw(often(roots[0], roots[-1], roots[0] + b"2")), *parts])


def excludable(settings: Settings, paths: list[bytes]) -> list[bytes]:
    """Directories below a root: those in play, and one beside them. What a check refuses is left out."""
    above = {
        part
        for path in paths
        for part in in_or_above(normalise(path))
        if part.isascii()
        and not set(part) & set(b"\x01*?[{")
        and all(name == name.strip() for name in part.split(b"/"))
    }
    below = [part for part in sorted(above) if any(part.startswith(root + b"/") for root in settings.roots)]
    return [*below, settings.roots[0] + b"/a"]


@st.composite
def directories(draw: st.DrawFn, shard: Shard, paths: list[bytes], settings: Settings) -> Shard:
    """The shard with what it says of directories: above, at, beside and below the files of the case."""
    above = {part for path in paths for part in in_or_above(normalise(path))} - {b"/", b"/store", *settings.roots}
    beside = {part + b"/" + name for part in [*above, *settings.roots] for name in (b"e", b"RAW", b"\xff", b"e/e")}
    listed = draw(st.lists(st.sampled_from(sorted(above | beside)), max_size=5))
    boundary = shard.listed_at - settings.ignore_age
    ages = often(0, boundary - 1, boundary, None)
    troubles = st.sampled_from(sorted(above | beside | set(settings.roots)))
    return replace(
        shard,
        directories=tuple(
            SiteDirectory(path, draw(ages), draw(often(None, None, None, None, 1, 2)))
            for path in [*settings.roots, *listed]
        ),
        holes=tuple(draw(st.lists(troubles, max_size=1))) if draw(often(False, True)) else (),
        seen=tuple(draw(st.lists(troubles, max_size=2))) if draw(often(False, True)) else (),
    )


def with_a_healthy_file(case: Case) -> Case:
    """With a file that both sides have: most cases are to be about something else than an invalid run."""
    path = case.settings.roots[0] + b"/healthy"
    first, *others = case.shards
    return replace(
        case,
        before=(*case.before, Entry(path)),
        after=(*case.after, Entry(path)),
        shards=(replace(first, files=(*first.files, SiteFile(path))), *others),
    )
