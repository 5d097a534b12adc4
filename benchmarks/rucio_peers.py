"""Other ways to read the replicas of an RSE: psql, RCE's dump, and a loop with psycopg: `rucio_peers.py URL RSE`."""

import sys
from pathlib import Path

import psycopg
import rce
from measure import HERE
from sqlalchemy import make_url

REPLICAS = (
    "SELECT scope, name, path, state, bytes, adler32, tombstone, lock_cnt, updated_at FROM replicas "
    "WHERE rse_id = (SELECT id FROM rses WHERE rse = '{rse}')"
)
RCE = """\
rses:
  "{rse}":
    npartitions: 8
    scanner: {{server: none, roots: [{{path: /store}}]}}
"""


def peers(folder: Path, url: str, rse: str) -> list[tuple[str, list[str | Path]]]:
    """(name, command, to be run in `folder`) of each, for the catalogue at the SQLAlchemy URL."""
    copy = f"\\copy ({REPLICAS.format(rse=rse)}) TO '{folder}/replicas.tsv'"
    found: list[tuple[str, list[str | Path]]] = [
        ("psql \\copy of the replicas", ["psql", "--quiet", _libpq(url), "--command", copy]),
        ("psycopg alone", [sys.executable, HERE / "rucio_peers.py", _libpq(url), rse]),
    ]
    programs = rce.folder()
    if programs is not None:
        (folder / "rce.yaml").write_text(RCE.format(rse=rse))
        (folder / "rucio.cfg").write_text(f"[database]\ndefault = {url.replace('+psycopg:', '+psycopg2:')}\n")
        lists = ["-f", "A:available", "-f", "*:all", "-r", "counts.json"]
        dump = [programs / "rce_db_dump", "-z", "-c", "rce.yaml", "-d", "rucio.cfg", *lists, rse]
        found.append(("rce_db_dump", dump))
    return found


def _libpq(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def main(url: str, rse: str) -> None:
    """Reads every row as a tuple, and throws it away."""
    with psycopg.connect(url) as connection, connection.cursor(name="replicas") as cursor:
        cursor.itersize = 10_000
        cursor.execute(REPLICAS.format(rse=rse))
        print(sum(1 for _ in cursor))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
