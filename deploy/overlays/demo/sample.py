"""Sample data: an inventory and a site that have drifted apart.

sample.py site FOLDER     the site's files below FOLDER (its /store)
sample.py inventory URL   the inventory, into two empty MariaDB databases, and what a check may write there
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SITE = "T2_XX_Demo"
ELSEWHERE = "T1_XX_Elsewhere"
A_WEEK_AGO = time.time() - 7 * 86400

MINIAOD = "/store/mc/Summer20/TTJets/MINIAODSIM/PU_v1"
AOD = "/store/mc/Summer20/DYJets/AODSIM/PU_v2"
NANOAOD = "/store/data/Run2018A/DoubleMuon/NANOAOD/Nano_v2"
KNOWN = {
    f"{directory}/{folder:05d}/file_{number:03d}.root": 1000 + number
    for directory in (MINIAOD, AOD, NANOAOD)
    for folder in range(5)
    for number in range(100)
}
LOST = [f"{MINIAOD}/00002/file_{number:03d}.root" for number in range(3)]
CUT_SHORT = f"{AOD}/00003/file_007.root"
FORGOTTEN = [f"/store/mc/Spring19/Forgotten/AODSIM/v9/file_{number}.root" for number in range(4)]
EMPTY = ["/store/mc/Spring19/Empty/AODSIM/v1/00000", "/store/mc/Spring19/Empty/AODSIM/v1/00001"]

GRANTS = [
    "GRANT INSERT, DELETE ON dynamo.unmanaged_deletions TO consistency@'%'",
    "GRANT INSERT, UPDATE ON dynamo.file_subscriptions TO consistency@'%'",
    "GRANT LOCK TABLES ON dynamo.* TO consistency@'%'",
]


def make_site(store: Path) -> None:
    """The site as the inventory knows it, and then what happens to sites."""
    sizes = KNOWN | {CUT_SHORT: 17} | dict.fromkeys(FORGOTTEN, 5000)
    for lost in LOST:
        del sizes[lost]
    for name, size in sizes.items():
        path = store / name.removeprefix("/store/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
        os.utime(path, (A_WEEK_AGO, A_WEEK_AGO))
    for name in EMPTY:
        (store / name.removeprefix("/store/")).mkdir(parents=True, exist_ok=True)
    for directory, _, _ in os.walk(store):
        os.utime(directory, (A_WEEK_AGO, A_WEEK_AGO))


def make_inventory(url: str) -> None:
    """Whole or not at all: a Job that died is run again, and begins anew."""
    import sqlalchemy  # not needed, and not there, where the site is made

    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as database:
        tables = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema LIKE 'dynamo%'"
        for schema, table in database.exec_driver_sql(tables.replace("%", "%%")).all():
            database.exec_driver_sql(f"DROP TABLE {schema}.{table}")

    scratch = Path(tempfile.mkdtemp())
    backends, files = scratch / "backends.yaml", scratch / "files.tsv"
    backends.write_text(f"backends: {{default: {{type: dynamo, url: '{url}'}}}}\n")
    files.write_text("".join(map(line_of, KNOWN)))
    run("init", "--backends", backends)
    for site in (SITE, ELSEWHERE):
        run("import", site, files, "--backends", backends)

    with engine.connect() as database:
        # How a file is called at the site: Dynamo's deletions are requested by URL.
        (site_id,) = database.exec_driver_sql("SELECT id FROM sites WHERE name = %s", (SITE,)).one()
        mapping = (site_id, "gfal2", 0, 0, "(.*)", "root://site/{0}")
        database.exec_driver_sql("INSERT INTO filename_mappings VALUES (%s, %s, %s, %s, %s, %s)", mapping)
        for grant in GRANTS:
            database.exec_driver_sql(grant.replace("%", "%%"))


def line_of(name: str) -> str:
    _, _, _, era, primary, tier, version, folder, _ = name.split("/")
    return f"{name}\t{KNOWN[name]}\t/{primary}/{era}-{version}/{tier}\tblock-{folder}\tAnalysisOps\n"


def run(*arguments: str | Path) -> None:
    subprocess.run(["dynamo-consistency", "inventory", *arguments], check=True)  # noqa: S603, S607 (all our own)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["site", folder]:
            make_site(Path(folder))
        case ["inventory", url]:
            make_inventory(url)
        case _:
            sys.exit(__doc__)
