"""Lists that protect, one name a line: what shows that a line says more than a name, or another one than it seems.

Such a line would be taken for a name that nothing has, and so protect nothing.
"""

import re
from collections.abc import Mapping

_SIGNS = {
    rb"[*?\[{]": "is a pattern; plain names are expected, and all that belongs to them is protected",
    rb"[ \t]#": "has a comment after a name; a comment needs a line of its own",
    rb"[\x00-\x1f\x7f]": "has a control character, such as a tab before another column",
    rb"[,;|]": "has a comma, semicolon or bar, such as one before another column",
    rb"%[0-9A-Fa-f]{2}": "has a percent sign as in a URL; names are expected as they are",
}


def problem(entry: bytes, more: Mapping[bytes, str]) -> str | None:
    """Why a line is no name that is sure to protect what it means; None when it is one.

    `more`: patterns that are looked for first, and what it is that has them.
    """
    return next((what for form, what in {**more, **_SIGNS}.items() if re.search(form, entry)), None)
