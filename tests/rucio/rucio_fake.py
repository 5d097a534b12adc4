"""Rucio's server for the two calls that change something, in this process, on a catalogue in SQLite.

`test_rucio_fake.py` makes the same calls to this and to the real one and compares what they answer and write.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did
from dynamo_consistency.backend.rucio.rest.client import AnswerError, NotDeclared

NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'"


class FakeRest:
    """In the place of a `RestClient`, with the account root."""

    def __init__(self, database: Path) -> None:
        self._database = database

    def declare_bad(self, rse_id: str, dids: Sequence[Did], reason: str) -> dict[Did, NotDeclared]:
        """Whatever is a replica is declared, unless a declaration is open; nothing else is looked at."""
        answers: dict[Did, NotDeclared] = {}
        with closing(sqlite3.connect(self._database)) as connection, connection:
            for did in dict.fromkeys(dids):
                where = "WHERE scope = ? AND name = ? AND rse_id = ?"
                place = (*did, rse_id)
                replica = connection.execute(f"SELECT bytes FROM replicas {where}", place).fetchone()
                if replica is None:
                    answers[did] = "unknown"
                elif connection.execute(f"SELECT 1 FROM bad_replicas {where} AND state = 'B'", place).fetchone():
                    answers[did] = "declared"
                else:
                    connection.execute(f"UPDATE replicas SET state = 'D', updated_at = {NOW} {where}", place)
                    columns = "scope, name, rse_id, reason, state, account, bytes, created_at, updated_at"
                    values = f"?, ?, ?, ?, 'B', 'root', ?, {NOW}, {NOW}"
                    row = (*place, reason, *replica)
                    connection.execute(f"INSERT INTO bad_replicas ({columns}) VALUES ({values})", row)
        return answers

    def quarantine(self, rse_id: str, files: Mapping[str, Did]) -> None:
        """Registered files, and those that wait already, are left out; where none is left, it fails."""
        with closing(sqlite3.connect(self._database)) as connection, connection:
            registered = "SELECT 1 FROM replicas WHERE rse_id = ? AND scope = ? AND name = ?"
            waiting = "SELECT 1 FROM quarantined_replicas WHERE rse_id = ? AND path = ?"
            left = [
                (rse_id, path, *did)
                for path, did in files.items()
                if not connection.execute(registered, (rse_id, *did)).fetchone()
                and not connection.execute(waiting, (rse_id, path)).fetchone()
            ]
            if not left:
                raise AnswerError("nothing to insert", 500, "DatabaseException")
            columns = "rse_id, path, scope, name, created_at, updated_at"
            connection.executemany(
                f"INSERT INTO quarantined_replicas ({columns}) VALUES (?, ?, ?, ?, {NOW}, {NOW})", left
            )

    def available(self, dids: Sequence[Did]) -> dict[Did, set[str]]:
        """As the catalogue says it at this moment."""
        readable = (
            "SELECT rse FROM replicas JOIN rses ON id = rse_id "
            "WHERE scope = ? AND name = ? AND state = 'A' AND availability_read"
        )
        with closing(sqlite3.connect(self._database)) as connection:
            known = [
                did
                for did in dids
                if connection.execute("SELECT 1 FROM dids WHERE scope = ? AND name = ?", did).fetchone()
            ]
            return {did: {rse for (rse,) in connection.execute(readable, did)} for did in known}

    def lfns2pfns(self, rse: str, dids: Sequence[tuple[str, str]]) -> dict[Did, str]:
        """As the algorithm `cmstfc` does it: the name is the path."""
        return {Did(scope, name): f"root://door.example.org:1094/{name}" for scope, name in dids}
