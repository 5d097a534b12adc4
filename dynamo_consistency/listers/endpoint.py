"""What the addresses of all protocols with doors have in common."""

import re

from dynamo_consistency.errors import ConfigurationError, ListingError
from dynamo_consistency.path_rules import PathRules
from dynamo_consistency.paths import is_below, normalise, to_bytes, to_text


def without_user(text: str) -> str:
    """`text`, a door, as it may be shown: what is before an @ may be a password."""
    return re.sub(r"//[^/]*@", "//***@", text)


class SitePrefix:
    """Where names are: path at the site = prefix + LFN, or prefix + what `rules` make of the LFN.

    `root` is the prefix, normalised; `/` for none.
    """

    def __init__(self, text: str = "", rules: PathRules | None = None) -> None:
        """Raises ConfigurationError for a relative prefix."""
        if text and not text.startswith("/"):
            raise ConfigurationError(f"the prefix {text!r} is relative; it must start with /")
        self.root = normalise(to_bytes(text)) if text else b"/"
        self._rules = rules

    def path(self, lfn: bytes) -> bytes:
        """The path of `lfn` at the site, normalised. Raises ListingError where no rule says it."""
        if self._rules is not None:
            placed = self._rules.path(lfn)
            if placed is None:
                raise ListingError(f"no rule of the source says where {to_text(lfn)} is")
            lfn = placed
        return lfn if self.root == b"/" else normalise(self.root + lfn)

    def lfn(self, path: bytes) -> bytes:
        """The LFN of what is at `path`. Raises ValueError when that lies outside of the prefix, or no LFN is there."""
        path = normalise(path)
        if path != self.root and not is_below(path, self.root):
            raise ValueError(f"{to_text(path)} is not below the prefix {to_text(self.root)}")
        below = path if self.root == b"/" else path[len(self.root) :] or b"/"
        lfn = below if self._rules is None else self._rules.lfn(below)
        if lfn is None:
            raise ValueError(f"no LFN is at {to_text(path)}, by the rules of the source")
        return lfn
