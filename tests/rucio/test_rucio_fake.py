"""The server in this process does and says what the real one does and says."""

import sqlite3
from contextlib import closing
from pathlib import Path

from rucio_fake import FakeRest
from rucio_requests import Asking
from rucio_world import Rucio

from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did
from dynamo_consistency.backend.rucio.options import RestOptions
from dynamo_consistency.backend.rucio.rest.client import AnswerError, RestClient, rest_id

WRITTEN = {
    "bad_replicas": "scope, name, rse_id, reason, state, account, bytes",
    "replicas": "scope, name, rse_id, state, lock_cnt, tombstone, bytes",
    "quarantined_replicas": "rse_id, path, scope, name",
}


def written(database: Path) -> dict[str, list[tuple]]:
    with closing(sqlite3.connect(database)) as connection:
        return {
            table: sorted(connection.execute(f"SELECT {columns} FROM {table}").fetchall(), key=str)
            for table, columns in WRITTEN.items()
        }


def test_it_answers_and_writes_what_the_real_one_does(own_server, tmp_path):
    asking = Asking(Rucio(own_server, tmp_path))
    scope, here = asking.rucio.scope, asking.here.name
    files = asking.lost_all(["available", "copied", "free", "alone", "known"])
    asking.rucio.sql("UPDATE replicas SET state = 'C' WHERE name = 'copied'")
    asking.rucio.sql("UPDATE replicas SET lock_cnt = 0, tombstone = '1970-01-01 00:00:00' WHERE name = 'free'")
    asking.rucio.sql(
        "DELETE FROM replicas WHERE name = 'alone' AND rse_id != (SELECT id FROM rses WHERE rse = :r)", r=here
    )
    copy, real = tmp_path / "copy.db", Path(own_server.folder / "rucio.db")
    own_server.sql_alone(f"VACUUM INTO '{copy}'")
    ((rse,),) = asking.rucio.sql("SELECT id FROM rses WHERE rse = :rse", rse=here)
    servers = [RestClient(RestOptions.model_validate(asking.rucio.rest_options())), FakeRest(copy)]

    def both(call: str, *arguments: object) -> None:
        said = []
        for server in servers:
            try:
                said.append(getattr(server, call)(*arguments))
            except AnswerError as error:
                said.append((error.status, error.kind))
        assert said[0] == said[1], (call, arguments)
        assert written(real) == written(copy), (call, arguments)

    def named(*names: str) -> list[Did]:
        return [Did(scope, name) for name in names]

    def dark(*names: str) -> dict[str, Did]:
        return {f"{scope}/{name}": Did(scope, name) for name in names}

    everything = named(*files, "nosuch")
    both("available", everything)
    both("declare_bad", rest_id(rse), named("available", "nosuch", "available"), "first")
    both("declare_bad", rest_id(rse), named("available", "copied", "free", "alone"), "second")
    asking.rucio.sql("UPDATE bad_replicas SET state = 'R' WHERE name = 'available'")
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE bad_replicas SET state = 'R' WHERE name = 'available'")
    both("declare_bad", rest_id(rse), named("available", "copied"), "third")
    both("declare_bad", rest_id(rse), [Did("nosuch", "available")], "fourth")
    both("available", everything)
    both("quarantine", rest_id(rse), dark("a", "b"))
    both("quarantine", rest_id(rse), dark("b", "c", "known"))
    both("quarantine", rest_id(rse), dark("a", "known"))
    both("quarantine", rest_id(rse), {files["known"].decode()[1:]: Did(scope, "other"), "x": Did("nosuch", "x")})
    both("quarantine", rest_id(rse), {"/x": Did("nosuch", "x")})
