"""Of which commit the program was built, where its image says so."""

import os

REVISION_SETTING = "DYNAMO_CONSISTENCY_REVISION"
"""Set in the image; a wheel knows its version alone."""


def revision() -> str:
    """The commit, or an empty text."""
    return os.environ.get(REVISION_SETTING, "")


def version_message() -> str:
    """How `--version` answers, in the form that click fills in."""
    return "%(prog)s, version %(version)s" + (f", revision {revision()}".replace("%", "%%") if revision() else "")
