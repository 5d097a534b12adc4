"""The errors that end a command, by what the person at the terminal must do about them.

Every message is one plain sentence for a site operator: what is wrong, and what to do. It never holds a credential (see
`secrets`).
"""


class ConsistencyError(Exception):
    """Base of all errors that end a command with a sentence and without a traceback."""

    exit_code = 1


class ConfigurationError(ConsistencyError):
    """The command line, the check file or `backends.yaml` is wrong; nothing was started."""

    exit_code = 2


class BackendError(ConsistencyError):
    """The inventory or the registry could not be asked, or answered something that cannot be trusted."""


class ListingError(ConsistencyError):
    """The site could not be listed at all: no door answers, a dump is corrupt, a credential has expired."""


class InvalidRunError(ConsistencyError):
    """The run came to its end but proves nothing: it has no findings and those of the run before stay in force."""


class DamagedError(ConsistencyError):
    """A file of a run directory is garbled, or cannot be read, although it is there."""
