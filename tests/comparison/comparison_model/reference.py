"""The rules of the comparison in plain Python: slow, without a trick, to be read beside the text of the rules.

Nothing here is shared with the engine. Beside a line is the number of its rule in docs/explanation/rules.md.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from comparison_model.cases import LISTING_TOOK, Case, Entry, Findings, Settings, Shard, SiteFile


class InvalidError(Exception):
    """The run proves nothing and has no findings."""


def compare(case: Case) -> Findings:
    """The findings of `case`. Raises InvalidError."""
    site = Site(case)
    inventory = Inventory(case)
    site.take_out_directories(inventory)
    refuse_invalid(case, inventory, site)
    missing = frozenset(path for path in inventory.paths() if is_missing(path, case, inventory, site))
    unknown = frozenset(path for path in site.files if may_be_an_orphan(path, case, inventory, site))
    twin = frozenset(path for path in unknown if has_a_twin(path, case, inventory, site))
    orphan = unknown - twin
    renamed = (missing | orphan) & respelt(inventory, site)
    mismatch = frozenset(path for path in site.files if is_mismatch(path, case, inventory, site))
    return Findings(
        missing=missing,
        orphan=orphan,
        mismatch=mismatch,
        empty=tuple(sorted(empty_directories(case, inventory, site), reverse=True)),
        twin=twin,
        renamed=renamed,
        in_empty=frozenset(path for path in missing - renamed if lies_in(path, site.without_entry)),
        other_name=frozenset(
            path for path in mismatch if has_another_name(path, site) or is_like(path, site.all_files, site)
        ),
        duplicates=duplicates(inventory, site),
    )


# --- paths


def normalise(path: bytes) -> bytes:
    """Rule 1."""
    while b"//" in path:
        path = path.replace(b"//", b"/")
    return path


def in_or_above(path: bytes) -> Iterator[bytes]:
    """`/a/b` → `/a/b`, `/a`, `/`: the path itself and every directory that it is in."""
    while path != b"/":
        yield path
        path = path[: path.rindex(b"/")] or b"/"
    yield path


def lies_in(path: bytes, directories: Iterable[bytes]) -> bool:
    """Is `path` one of the directories, or below one?"""
    return not set(in_or_above(path)).isdisjoint(directories)


def takes_part(path: bytes, settings: Settings) -> bool:
    """Rule 11."""
    return lies_in(path, settings.roots) and path not in settings.roots and not lies_in(path, settings.exclude)


def matches(name: bytes, pattern: bytes) -> bool:
    """Does one component match, where `*` stands for any characters?"""
    if not pattern:
        return not name
    if pattern[:1] == b"*":
        return any(matches(name[start:], pattern[1:]) for start in range(len(name) + 1))
    return name[:1] == pattern[:1] and matches(name[1:], pattern[1:])


def is_ignored(path: bytes, settings: Settings) -> bool:
    """Rule 8: the components of a pattern match a row of components somewhere in the path."""
    names = path.split(b"/")[1:]
    for pattern in settings.ignore:
        wanted = normalise(pattern).strip(b"/").split(b"/")
        for start in range(len(names) - len(wanted) + 1):
            if all(matches(names[start + number], component) for number, component in enumerate(wanted)):
                return True
    return False


def is_protected(path: bytes, datasets: frozenset[str], case: Case) -> bool:
    """`DatasetFilter(datasets).protected(path)`: what has no dataset is protected (rule 6)."""
    dataset = case.convention(path.decode("utf-8", "surrogateescape"))
    return dataset is None or dataset in datasets


# --- the two sides


class Inventory:
    """The snapshots, by path. An entry that takes no part still keeps a directory from being empty."""

    def __init__(self, case: Case) -> None:
        self.before = group(entry for entry in case.before if takes_part(normalise(entry.path), case.settings))
        self.after = group(entry for entry in case.after if takes_part(normalise(entry.path), case.settings))
        self.everything = {normalise(entry.path) for entry in case.before + case.after}
        self._settings = case.settings
        self._now = min(shard.listed_at for shard in case.shards)

    def paths(self) -> set[bytes]:
        return set(self.before) | set(self.after)

    def entries(self, path: bytes) -> list[Entry]:
        return self.before.get(path, []) + self.after.get(path, [])

    def in_flight(self, path: bytes) -> bool:
        """Rule 2, for any entry of the path in any snapshot."""
        return any(entry.in_flight or self._young(entry) for entry in self.entries(path))

    def _young(self, entry: Entry) -> bool:
        return entry.time is not None and entry.time + self._settings.ignore_age >= self._now

    def expected_in_both(self, path: bytes) -> bool:
        return path in self.before and path in self.after and not self.in_flight(path)


def group(entries: Iterable[Entry]) -> dict[bytes, list[Entry]]:
    grouped: dict[bytes, list[Entry]] = {}
    for entry in entries:
        grouped.setdefault(normalise(entry.path), []).append(entry)
    return grouped


def aliases(case: Case) -> set[bytes]:
    """Rule 12: all names of directories that have several."""
    names: dict[int, set[bytes]] = {}
    for shard in case.shards:
        for directory in shard.directories:
            if directory.identity is not None:
                names.setdefault(directory.identity, set()).add(normalise(directory.path))
    return {path for same in names.values() if len(same) > 1 for path in same}


def time_of(mtime: int | None) -> int | None:
    """Rule 3, of a file: a time of before 1980 is none."""
    return mtime if mtime is not None and mtime > datetime(1980, 1, 1, tzinfo=UTC).timestamp() else None


class Site:
    """The listing: for every file each shard that saw it, and how."""

    def __init__(self, case: Case) -> None:
        self.files: dict[bytes, list[tuple[Shard, SiteFile]]] = {}
        for shard in case.shards:
            for file in shard.files:
                if takes_part(normalise(file.path), case.settings):
                    seen = replace(file, mtime=time_of(file.mtime))
                    self.files.setdefault(normalise(file.path), []).append((shard, seen))
        self.all_files = dict(self.files)
        self.every_file = {normalise(file.path) for shard in case.shards for file in shard.files}
        self.listed = {normalise(directory.path) for shard in case.shards for directory in shard.directories}
        failed = {normalise(hole) for shard in case.shards for hole in shard.holes}
        self._unlisted = {normalise(path) for shard in case.shards for path in shard.seen} - self.listed - failed
        self.aliases = aliases(case)
        self.holes = failed | self._unlisted | self.aliases
        self.no_files = self.listed | failed | {normalise(path) for shard in case.shards for path in shard.seen}
        self.paths = self.every_file | self.no_files
        full = {above for path in self.paths for above in in_or_above(path) if above != path}
        self.without_entry = self.listed - full
        self.directories: set[bytes] = set()
        self._case = case

    def take_out_directories(self, inventory: "Inventory") -> None:
        """Rule 15. A file on which the two sides agree is one, whatever else is listed."""
        above = {part for path in self.paths for part in in_or_above(path) if part != path} | self.no_files
        self.directories = {path for path in self.files if path in above and not self._agreed(path, inventory)}
        self.files = {path: seen for path, seen in self.files.items() if path not in self.directories}

    def _agreed(self, path: bytes, inventory: "Inventory") -> bool:
        if path not in inventory.before or path not in inventory.after:
            return False
        expected = agreed(entry.size for entry in inventory.entries(path))
        return expected is not None and expected == agreed(file.size for _shard, file in self.files[path])

    def holes_of(self, shard: Shard) -> set[bytes]:
        """Directories that the shard could not list, or left to another that did not list them."""
        unlisted = {normalise(path) for path in shard.seen} & self._unlisted
        return {normalise(hole) for hole in shard.holes} | unlisted | self.aliases

    def young(self, path: bytes) -> bool:
        """Rule 3, for any of the shards that saw the file."""
        return any(self._young(shard, file) for shard, file in self.files[path])

    def _young(self, shard: Shard, file: SiteFile) -> bool:
        if file.mtime is None:
            return not self._stood(normalise(file.path))
        return file.mtime + self._case.settings.ignore_age >= shard.listed_at

    def _stood(self, path: bytes) -> bool:
        """Was it, of the same size, in the listing of an earlier run that had ended the ignore age before this one?"""
        size = agreed(file.size for _shard, file in self.files[path])
        began = min(shard.listed_at for shard in self._case.shards)
        return size is not None and any(
            normalise(file.path) == path and file.size == size
            for earlier in self._case.earlier
            if earlier.listed_at + LISTING_TOOK + self._case.settings.ignore_age <= began
            for file in earlier.files
        )

    def young_directories(self) -> set[bytes]:
        """Those of unknown age among them (rule 9)."""
        age = self._case.settings.ignore_age
        return {
            normalise(directory.path)
            for shard in self._case.shards
            for directory in shard.directories
            if directory.mtime is None or directory.mtime + age >= shard.listed_at
        }


# --- the verdicts


def refuse_invalid(case: Case, inventory: Inventory, site: Site) -> None:
    """The invalid runs of rules.md that can be seen in the data."""
    if not inventory.before or not inventory.after:
        raise InvalidError("inventory is empty")
    for root in case.settings.roots:
        if lies_in(root, site.holes) and any(lies_in(path, [root]) for path in inventory.paths()):
            raise InvalidError("a root could not be listed")
    expected = {path for path in inventory.paths() - site.directories if not inventory.in_flight(path)}
    if not site.files and any(not lies_in(path, site.holes) for path in expected):
        raise InvalidError("no file listed although the inventory expects some")


def is_missing(path: bytes, case: Case, inventory: Inventory, site: Site) -> bool:
    """Rules 4 and 5."""
    return (
        inventory.expected_in_both(path)
        and path not in site.files
        and path not in site.directories
        and not lies_in(path, site.holes)
        and not deletion_is_pending(path, case, inventory)
    )


def deletion_is_pending(path: bytes, case: Case, inventory: Inventory) -> bool:
    """Rule 5: by the datasets that the inventory gives, any of them; by the name where it gives none."""
    datasets = {entry.dataset for entry in inventory.entries(path)} - {None}
    if datasets:
        return not datasets.isdisjoint(case.deletion_requests)
    return bool(case.deletion_requests) and is_protected(path, case.deletion_requests, case)


def may_be_an_orphan(path: bytes, case: Case, inventory: Inventory, site: Site) -> bool:
    """Rules 3, 4, 6 and 8; an orphan, if it has no twin.

    A hole spoils what its own listing saw in it, not what another listing saw there.
    """
    return (
        not inventory.entries(path)
        and not site.young(path)
        and any(not lies_in(path, site.holes_of(shard)) for shard, _file in site.files[path])
        and not is_ignored(path, case.settings)
        and not is_protected(path, case.protected | case.deletion_requests, case)
    )


def has_a_twin(path: bytes, case: Case, inventory: Inventory, site: Site) -> bool:
    """Rule 12: is there a claimed file of this name, size and time? Any size may be the one that is not known.

    Of a claimed file that was not seen, any time may be the one that is not known.
    """
    respellings = respelt(inventory, site)
    if has_another_name(path, site) or unseen_twin(path, case, inventory, site):
        return True
    return is_like(path, [name for name in site.all_files if inventory.entries(name) or name in respellings], site)


def is_like(path: bytes, others: Iterable[bytes], site: Site) -> bool:
    """Rule 12: has one of these files the name, the size and the time of this one, and is perhaps the same?"""
    return any(
        other.path.split(b"/")[-1] == path.split(b"/")[-1]
        and other.mtime == mine.mtime
        and (other.size == mine.size or None in (other.size, mine.size))
        for _shard, mine in site.files[path]
        for name in others
        if name != path
        for _other_shard, other in site.all_files[name]
        if None in (other.identity, mine.identity) or device(other.identity) != device(mine.identity)
    )


def device(identity: int) -> int:
    """Where a storage is mounted twice, one file is on two devices."""
    return identity % 2**32


def has_another_name(path: bytes, site: Site) -> bool:
    """Rule 12: does the storage call another file as it calls this one? Servers behind one door may number alike."""
    return any(
        mine.identity is not None
        and mine.identity == other.identity
        and (other.size == mine.size or None in (other.size, mine.size))
        and (other.mtime == mine.mtime or None in (other.mtime, mine.mtime))
        for _shard, mine in site.files[path]
        for name in site.all_files
        if name != path
        for _other_shard, other in site.all_files[name]
    )


def parent_of(path: bytes) -> bytes:
    return path.rpartition(b"/")[0] or b"/"


def identified(case: Case) -> set[bytes]:
    """Directories that the storage gives an identity: a second name of one of them is a hole already."""
    listed = (directory for shard in case.shards for directory in shard.directories)
    return {normalise(directory.path) for directory in listed if directory.identity is not None}


def unseen_twin(path: bytes, case: Case, inventory: Inventory, site: Site) -> bool:
    """Rule 12: is a file of this name and size claimed, and was not seen?

    Or one of this name, in any spelling, in the directory in which another file of this one has its unseen twin.
    """
    if unseen_twins(path, case, inventory, site):
        return True
    neighbours = [
        other
        for other in site.files
        if parent_of(other) == parent_of(path) and may_be_an_orphan(other, case, inventory, site)
    ]
    aliases = {parent_of(twin) for other in neighbours for twin in unseen_twins(other, case, inventory, site)}
    return any(
        parent_of(claimed) in aliases and caseless_name(claimed) == caseless_name(path)
        for claimed, _size in claimed_unseen(case, site)
    )


def unseen_twins(path: bytes, case: Case, inventory: Inventory, site: Site) -> set[bytes]:
    """What is claimed and was not seen, with the name and the size of `path`."""
    return {
        claimed
        for _shard, mine in site.files[path]
        for claimed, size in claimed_unseen(case, site)
        if claimed.split(b"/")[-1] == path.split(b"/")[-1]
        and (agreed([size]) == mine.size or None in (agreed([size]), mine.size))
        and (was_not_listed(claimed, case, site) or may_be_moved(path, claimed, case, inventory, site))
    }


def may_be_moved(path: bytes, absent: bytes, case: Case, inventory: Inventory, site: Site) -> bool:
    """May `path` be what is absent, by another name that neither rule 13 nor the identity of directories tells?"""
    known_to_be_two = {parent_of(path), parent_of(absent)} <= identified(case)
    return not known_to_be_two and path not in respelt(inventory, site)


def claimed_unseen(case: Case, site: Site) -> Iterator[tuple[bytes, int | None]]:
    """Paths and sizes of the inventory's files that were not seen."""
    for entry in case.before + case.after:
        path = normalise(entry.path)
        if path not in site.all_files:
            yield path, entry.size


def was_not_listed(path: bytes, case: Case, site: Site) -> bool:
    """Is it in a hole, outside the roots or in an excluded directory?"""
    return not takes_part(path, case.settings) or lies_in(path, site.holes)


def caseless_name(path: bytes) -> str:
    name = path.split(b"/")[-1].decode("utf-8", "surrogateescape")
    return unicodedata.normalize("NFC", name).lower()


def respelt(inventory: Inventory, site: Site) -> set[bytes]:
    """Rule 13: what has its counterpart at the other side under a name that is spelt otherwise."""
    absent = {path for path in inventory.paths() if path not in site.files and path not in site.directories}
    unknown = {path for path in site.files if not inventory.entries(path)}
    pairs = set()
    for one in absent:
        for other in unknown:
            expected = agreed(entry.size for entry in inventory.entries(one))
            found = agreed(file.size for _shard, file in site.files[other])
            if spelling(one) == spelling(other) and (expected == found or None in (expected, found)):
                pairs |= {one, other}
    return pairs


def spelling(path: bytes) -> str:
    """What is left of a name without its case, in one form for each sign, escapes undone, whatever code it is in."""
    for escape, base in ((rb"%([0-9a-fA-F]{2})", 16), (rb"\\x([0-9a-fA-F]{2})", 16), (rb"\\([0-3][0-7]{2})", 8)):
        path = re.sub(escape, lambda found, base=base: bytes([int(found[1], base)]), path)
    text = "/".join(as_utf8(name).strip() for name in path.split(b"/"))
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())


def as_utf8(name: bytes) -> str:
    """A name in UTF-8, in latin-1, or in UTF-8 that was taken for Windows' or the true latin-1 once."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return name.decode("latin-1")
    for code in ("cp1252", "latin-1"):
        try:
            return text.encode(code).decode()
        except UnicodeError:
            continue
    return text


def is_mismatch(path: bytes, case: Case, inventory: Inventory, site: Site) -> bool:
    """Rules 3, 7 and 10: every source agrees on one size for its side, and the two differ."""
    if not inventory.expected_in_both(path) or site.young(path):
        return False
    expected = agreed(entry.size for entry in inventory.entries(path))
    found = agreed(file.size for _shard, file in site.files[path])
    return expected is not None and found is not None and expected != found


def agreed(sizes: Iterable[int | None]) -> int | None:
    """The size on which a side agrees with itself, None where it does not, or where it does not know one of them."""
    different = set(sizes)
    size = different.pop()
    return None if different or size is None or size < 0 else size


def duplicates(inventory: "Inventory", site: "Site") -> tuple[int, int]:
    """Rule 10. Of the two snapshots, the one that names a file more often."""
    rows = {
        path: max(len(inventory.before.get(path, [])), len(inventory.after.get(path, [])))
        for path in inventory.paths() - site.directories
    }
    return sum(rows.values()) - len(rows), sum(map(len, site.files.values())) - len(site.files)


def empty_directories(case: Case, inventory: Inventory, site: Site) -> set[bytes]:
    """Rules 8, 9 and 11: everything that keeps a directory keeps those above it too."""
    ignored = {directory for directory in site.listed if is_ignored(directory, case.settings)}
    keepers = site.every_file | site.holes | site.young_directories() | ignored
    keepers |= inventory.everything | set(case.settings.exclude)
    kept = {directory for keeper in keepers for directory in in_or_above(keeper)}
    return {
        directory
        for directory in site.listed - kept
        if takes_part(directory, case.settings) and not lies_in(directory, site.aliases)
    }
