"""What the addresses of all protocols with doors have in common."""

import re

from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.paths import normalise, to_bytes


def without_user(text: str) -> str:
    """`text`, a door, as it may be shown: what is before an @ may be a password."""
    return re.sub(r"//[^/]*@", "//***@", text)


class SitePrefix:
    """The site's rule for names: path at the site = prefix + LFN. `root` is the prefix, normalised; `/` for none."""

    def __init__(self, text: str = "") -> None:
        """Raises ConfigurationError for a relative prefix."""
        if text and not text.startswith("/"):
            raise ConfigurationError(f"the prefix {text!r} is relative; it must start with /")
        self.root = normalise(to_bytes(text)) if text else b"/"

    def path(self, lfn: bytes) -> bytes:
        """The path of `lfn` at the site, normalised."""
        return lfn if self.root == b"/" else normalise(self.root + lfn)
