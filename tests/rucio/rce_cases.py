"""One RSE, a file for each case that matters: what RCE says of it, what we say, and why.

Each case has a directory of its own below /store/mc, which is what RCE lists with one command, unless it says `folder`.
`rce` and `ours` are all that is said of it, in the words of `rce_verdicts.py`; the page for people has this table.
"""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Known:
    """What the catalogue has of a file."""

    elsewhere: Literal["disk", "tape", "nowhere"] = "disk"
    ruled: bool = True
    """A rule holds it at the RSE."""
    young: bool = False
    name: str | None = None
    """Where that is not the file's path."""
    columns: dict[str, Any] = field(default_factory=dict)
    """Of the replica's row, where they are not as Rucio made them."""


@dataclass(frozen=True)
class Case:
    what: str
    rce: str
    ours: str
    why: str
    known: Known | None = None
    stored: bytes | None = None
    """The file's content; what it is in the catalogue is `abc`."""
    name: bytes = b"f.root"
    """Empty: the case is its directory."""
    folder: bytes = b""
    beside: bytes = b""
    """Name of another file at the site."""
    young: bool = False
    """At the site."""
    also: str = ""
    """What makes the case besides: a name in `rce_scene.EXTRAS`."""
    because: str = ""
    """Stands in the reason for which we only report it."""


K, S = Known(), b"abc"
DECLARED, REPORTED = "missing, declared bad", "missing, only reported"
QUARANTINED, ONLY_REPORTED = "orphan, quarantined", "orphan, only reported"
REGISTERED = "only `A` is expected, and what is registered is not dark"
PRINTED = "RCE reads names from what a command prints"
SHELL = "RCE hands names to a shell"
PARTLY = "`xrdfs ls -R` leaves out what it cannot list, and RCE takes the rest for all"
COMMAND = b"/store/data/$(touch${IFS}RAN)/TTJets/AODSIM/PU_v1"

ALIKE = (
    Case("in both", "", "", "", K, S),
    Case("lost; a rule holds it, and another disk has it", "missing", DECLARED, "Rucio fetches it anew", K),
    Case("nobody knows it", "dark", QUARANTINED, "Rucio's dark reaper deletes it", None, S, b"nobodys.root"),
    *(
        Case(f"in state `{state}`, not at the site", "", "", REGISTERED, Known(columns={"state": state}))
        for state in "CUBDT"
    ),
    Case("in state `C`, at the site", "", "", REGISTERED, Known(columns={"state": "C"}), S),
    Case("dark and ignored", "", "", "as it was asked for", None, S, folder=b"ignored/TTJets/RAW/PU_v1"),
    Case("name with `+`, in both", "", "", "", K, S, b"a+b.root"),
    Case("name that is not ASCII, in both", "", "", "", K, S, "añb.root".encode()),
    Case("name with a tab, in both", "", "", "", K, S, b"a\tb.root"),
    Case(
        "a directory without files, a month old",
        "empty directory",
        "empty directory, removed",
        "",
        name=b"",
        folder=b"empty/TTJets/AODSIM/PU_v1",
    ),
)

LESS = (
    Case(
        "lost; its tombstone has passed",
        "missing",
        "",
        "Rucio is about to delete it; declared bad, it would only be gone sooner",
        Known(ruled=False, columns={"tombstone": "2020-01-01"}),
    ),
    Case("lost; a transfer is under way", "missing", "", "it is being brought", K, also="request"),
    Case("lost; declared bad before, and not yet seen to", "missing", "", "it is asked for", K, also="declaration"),
    Case("not there yet; registered an hour ago", "missing", "", "its upload may not be over", Known(young=True)),
    Case(
        "lost; no rule holds it",
        "missing",
        REPORTED,
        "Rucio would not fetch it, but drop it",
        Known(ruled=False),
        because="no rule holds it",
    ),
    Case(
        "lost; it was the last copy",
        "missing",
        REPORTED,
        "Rucio would give the file up, and detach it from its datasets, for ever",
        Known("nowhere"),
        because="it is a last copy",
    ),
    Case(
        "lost; the only other copy is on tape",
        "missing",
        REPORTED,
        "a recall is for people to decide (`recallFromTape`)",
        Known("tape"),
        because="tape",
    ),
    Case("dark; written an hour ago", "dark", "", "somebody may be about to register it", None, S, young=True),
    Case(
        "dark; in quarantine already",
        "dark",
        "orphan, waiting",
        "it is asked for; to ask again is an error of Rucio's server",
        None,
        S,
        b"quarantined.root",
        also="quarantine",
    ),
    Case(
        "dark, in a dataset that a rule holds at the RSE",
        "dark",
        "",
        "an upload or a job may be about to add it",
        None,
        S,
        also="dataset",
    ),
    Case(
        "dark, in no dataset by its name", "dark", "", "which one it belongs to, nobody knows", None, S, folder=b"notes"
    ),
    Case(
        "dark; name with `#`",
        "dark",
        ONLY_REPORTED,
        "Rucio's dark reaper would delete the file whose name ends before it",
        None,
        S,
        b"a#b.root",
        because="'#'",
    ),
    Case("a directory without files, an hour old", "empty directory", "", "files may be to come", name=b"", young=True),
    Case(
        "lost, and its directory is empty",
        "empty directory; missing",
        "missing, only reported",
        'a person says whether a directory that answers "empty" is; the file is to come back there',
        K,
        also="directory",
        because="waits for approval",
    ),
)

RIGHT = (
    Case("name with a space, in both", "dark under another name; missing", "", PRINTED, K, S, b"a b.root"),
    Case(
        "dark; name that begins with a space",
        "dark under another name; empty directory",
        ONLY_REPORTED,
        "RCE reads the name of its directory",
        None,
        S,
        b" f.root",
        because="' '",
    ),
    Case(
        "catalogued with `//` in its name, in both",
        "dark; missing under another name",
        "",
        "`//` and `/` are one place; only the listing was folded",
        Known(name="/store/mc/slashes/TTJets/AODSIM/PU_v1//f.root"),
        S,
        folder=b"slashes/TTJets/AODSIM/PU_v1",
    ),
    Case(
        "catalogued with a path that is not its name, in both",
        "dark; missing under another name",
        "",
        "the path is where it is; RCE does not look at it",
        Known(name="/store/mc/moved/f.root", columns={"path": "/store/mc/moved/TTJets/AODSIM/PU_v1/g.root"}),
        S,
        b"g.root",
        b"moved/TTJets/AODSIM/PU_v1",
    ),
    Case(
        "in both, beside a name that is not UTF-8",
        "missing",
        "orphan, only reported under another name",
        "RCE drops all that it listed with it, and goes on; nobody knows the other name",
        K,
        S,
        beside=b"\xff.root",
    ),
    Case(
        "in both, beside a name with a newline", "empty directory; missing", "hole", PARTLY, K, S, beside=b"a\nb.root"
    ),
    Case(
        "in both, in a directory that cannot be listed", "empty directory; missing", "hole", PARTLY, K, S, also="locked"
    ),
    Case(
        "in both; `…/RAW` is ignored, and it is in `…/RAWSIM`",
        "dark",
        "",
        "in the catalogue, RCE ignores all that begins alike",
        K,
        S,
        folder=b"ignored/TTJets/RAWSIM/PU_v1",
    ),
    Case("in both, in a directory named as a shell command", "the command is run", "", SHELL, K, S, folder=COMMAND),
)

MORE = (
    Case("of another size at the site", "", "mismatch, declared bad", "RCE compares names only", K, b"ab"),
    Case(
        "lost and ignored",
        "",
        DECLARED,
        "what is ignored at the site is still wanted there",
        K,
        name=b"lost.root",
        folder=b"ignored/TTJets/RAW/PU_v1",
    ),
)

GROUPS = {
    "Where both say the same": ALIKE,
    "What we leave alone, or only report": LESS,
    "What RCE takes for something else": RIGHT,
    "What only we see": MORE,
}
CASES = tuple(case for cases in GROUPS.values() for case in cases)


def directory(case: Case) -> bytes:
    folder = case.folder or b"case%02d/TTJets/AODSIM/PU_v1" % CASES.index(case)
    return folder if folder.startswith(b"/") else b"/store/mc/" + folder


def path(case: Case) -> bytes:
    return directory(case) + b"/" + case.name if case.name else directory(case)


def table(cases: tuple[Case, ...]) -> str:
    rows = [f"| {case.what} | {case.rce or '-'} | {case.ours or '-'} | {case.why} |" for case in cases]
    return "\n".join(["| a file | RCE | we | why |", "| --- | --- | --- | --- |", *rows])
