"""Random fates of one file at both sides: it agrees, is missing, … and perhaps something changes that verdict."""

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from comparison_model.cases import LONG_AGO, Entry, Shard, SiteFile

DATASETS = ["/P/E-v1/T", "/P/E-v2/T", "/P/E-V-v1/T", "a", "ab", "a b"]


def often(usual: object, *seldom: object) -> st.SearchStrategy:
    """`usual` about two times in three: a perturbation is to stand out from what agrees."""
    return st.sampled_from([usual] * (2 * len(seldom)) + list(seldom))


@dataclass(frozen=True)
class Fate:
    """The entries of a file, and the file with the number of the shard that saw it."""

    before: tuple[Entry, ...]
    after: tuple[Entry, ...]
    site: tuple[tuple[int, SiteFile], ...]


@st.composite
def file_fates(draw: st.DrawFn, path: bytes, shards: tuple[Shard, ...], ignore_age: int) -> Fate:
    known = (Entry(path, dataset=draw(often(None, *DATASETS))),)
    number = draw(st.integers(0, len(shards) - 1))
    plain = {
        "agrees": Fate(known, known, ((number, SiteFile(path)),)),
        "missing": Fate(known, known, ()),
        "orphan": Fate((), (), ((number, SiteFile(path)),)),
        "mismatch": Fate(known, known, ((number, SiteFile(path, size=2)),)),
    }
    fate = plain[draw(st.sampled_from(sorted(plain)))]
    now = min(shard.listed_at for shard in shards)
    for _ in range(draw(often(0, 1, 2))):
        side = draw(st.sampled_from(["before", "after", "both", "site"]))
        if side == "site":
            fate = replace(fate, site=draw(changed_listing(path, fate.site, shards, ignore_age)))
        if side in ("before", "both"):
            fate = replace(fate, before=draw(changed_entries(path, fate.before, now - ignore_age)))
        if side in ("after", "both"):
            fate = replace(fate, after=draw(changed_entries(path, fate.after, now - ignore_age)))
    return fate


@st.composite
def changed_entries(draw: st.DrawFn, path: bytes, entries: tuple[Entry, ...], boundary: int) -> tuple[Entry, ...]:
    """Something else in one snapshot, or a second entry there."""
    entry = draw(
        st.just(entries[0] if entries else Entry(path)).flatmap(
            lambda entry: st.one_of(
                st.just(replace(entry, in_flight=True)),
                st.sampled_from([0, boundary - 1, boundary, boundary + 10**6]).map(lambda at: replace(entry, time=at)),
                st.sampled_from([2, None, -1]).map(lambda size: replace(entry, size=size)),
                st.sampled_from([None, *DATASETS]).map(lambda dataset: replace(entry, dataset=dataset)),
            )
        )
    )
    return draw(st.sampled_from([(entry,), (entry, *entries), (*entries, *entries, entry), ()]))


@st.composite
def changed_listing(
    draw: st.DrawFn, path: bytes, listed: tuple[tuple[int, SiteFile], ...], shards: tuple[Shard, ...], ignore_age: int
) -> tuple[tuple[int, SiteFile], ...]:
    """Another age or size at the site, or a second shard that saw the file."""
    number = draw(st.integers(0, len(shards) - 1))
    boundary = shards[number].listed_at - ignore_age
    mtime = draw(often(LONG_AGO, None, 0, boundary - 1, boundary, boundary + 10**6))
    file = (number, SiteFile(path, draw(often(1, 2, None)), mtime, draw(often(None, 1, 2))))
    return draw(st.sampled_from([(file,), (file,), (file, *listed), (*listed, file), ()]))
