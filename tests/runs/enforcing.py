"""A check that enforces, and what a run of it has requested."""

import sqlite3

POLICY = """\
  policy:
    missing: {mode: Enforce, maxCount: 1000, maxFraction: "1", confirmRuns: 2, confirmSpanSeconds: 0}
    health: {minListedFraction: "0"}
"""


def requested(sandbox):
    with sqlite3.connect(sandbox.store / "inventory.sqlite") as database:
        rows = database.execute(
            'SELECT name FROM file_subscriptions JOIN files ON files.id = file_id WHERE "delete" = 1'
        ).fetchall()
    return sorted(name if isinstance(name, str) else name.decode() for (name,) in rows)
