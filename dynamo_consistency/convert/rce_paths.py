"""RCE's way from the path of a root at the site to its LFN, and the prefix or the rules that say the same in a check.

RCE puts `server_root` before the path of a root, unless it begins with that already. From what it lists it cuts
`server_root` off, then `remove_prefix` where the rest begins with it, and puts `add_prefix` before.
"""

from collections.abc import Iterable
from typing import NamedTuple

from dynamo_consistency.convert.roots import normalised
from dynamo_consistency.convert.settings import Settings


class RootPaths(NamedTuple):
    """A root: its path at the site, and its LFN."""

    at_site: str
    lfn: str

    @property
    def prefix(self) -> str | None:
        """What precedes the LFN at the site, `` for nothing; None where the path does not end with the LFN."""
        if self.at_site == self.lfn:
            return ""
        ends = self.at_site.endswith(self.lfn)
        return self.at_site[: len(self.at_site) - len(self.lfn)] if ends and self.lfn != "/" else None


class RceMapping(NamedTuple):
    """`server_root`, `remove_prefix` and `add_prefix`, normalised."""

    server_root: str
    removed: str
    added: str

    def root(self, path: str) -> RootPaths | str:
        """Where the root `path` is; or, where RCE would cut a name in its middle, what is wrong."""
        path = normalised(path)
        rest = _cut(path, self.server_root)
        if rest is None:
            return f"RCE would cut {self.server_root} off {path}, in the middle of a name"
        bare = _cut(rest, self.removed)
        if bare is None:
            return f"RCE would cut {self.removed} off {rest}, in the middle of a name"
        return RootPaths(normalised(f"{self.server_root}/{rest}"), normalised(f"{self.added}/{bare}"))


def rce_mapping(settings: Settings) -> RceMapping:
    """What `scanner.server_root`, `.remove_prefix` and `.add_prefix` say."""
    return RceMapping(
        *(normalised(settings.text(f"scanner.{key}") or "") for key in ("server_root", "remove_prefix", "add_prefix"))
    )


def one_prefix(roots: Iterable[RootPaths]) -> str | None:
    """The prefix that all roots have in common; None where they have none."""
    prefixes = {root.prefix for root in roots}
    return prefixes.pop() if len(prefixes) == 1 else None


def _cut(path: str, start: str) -> str | None:
    """`path` without `start`, if it begins with it; None where only letters of a name are equal."""
    if start == "/" or not path.startswith(start):
        return path
    rest = path.removeprefix(start)
    return normalised(rest) if rest[:1] in ("", "/") else None
