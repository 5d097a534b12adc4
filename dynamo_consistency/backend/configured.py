"""The backend that this process has configured."""

from pathlib import Path

from dynamo_consistency.backend import backends_file
from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.errors import ConfigurationError

_current: list[Backend] = []


def configure(backends: str | Path | Backend, name: str = "default") -> Backend:
    """Make the entry `name` of a backends file, or a backend object, the one that the public API works on."""
    backend = (
        backends_file.open_backend(backends_file.read(backends), name) if isinstance(backends, str | Path) else backends
    )
    _current[:] = [backend]
    return backend


def current() -> Backend:
    """The configured backend. Raises ConfigurationError when there is none yet."""
    if not _current:
        raise ConfigurationError('no backend is configured; call dynamo_consistency.backend.configure("backends.yaml")')
    return _current[0]
