"""Files as a backend: the inventory is a dump that somebody publishes, requests are lists that somebody carries out."""

from dynamo_consistency.backend.file.backend import FileBackend, open_backend
from dynamo_consistency.backend.file.options import Options

__all__ = ["FileBackend", "Options", "open_backend"]
