"""Dynamo's databases as a backend: MySQL or MariaDB in production, SQLite as the embedded default.

The inventory is only ever read: Dynamo keeps it in memory and does not see what SQL changes underneath.
"""

from dynamo_consistency.backend.dynamo.backend import DynamoBackend, open_backend
from dynamo_consistency.backend.dynamo.options import Options

__all__ = ["DynamoBackend", "Options", "open_backend"]
