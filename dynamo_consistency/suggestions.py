"""What a person may have meant by a name that does not exist."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """`did you mean X?`, X being the name of `known` that is nearest to `name`; None when none is near.

    A name that is the beginning of a known one counts as near, however short it is. Of several the first is taken.
    """
    names = list(known)
    longer = [other for other in names if name and other.startswith(name)]
    near = longer or difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else None
