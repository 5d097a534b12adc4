"""Rucio as a backend: its catalogue is only ever read, and requests go to its server."""

from dynamo_consistency.backend.rucio.backend import RucioBackend, open_backend
from dynamo_consistency.backend.rucio.options import Options

__all__ = ["Options", "RucioBackend", "open_backend"]
