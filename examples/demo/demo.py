"""The demo: a small site and a small inventory that have drifted apart, and one command that tells how.

Everything happens in `demo-data/`: the site is a folder, the inventory an SQLite file.
"""

import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
DATA = Path("demo-data").resolve()
SITE = "T2_XX_Demo"
ELSEWHERE = "T1_XX_Elsewhere"
COMMAND = Path(sys.executable).with_name("dynamo-consistency")
A_WEEK_AGO = time.time() - 7 * 86400

MINIAOD = "/store/mc/Summer20/TTJets/MINIAODSIM/PU_v1"
AOD = "/store/mc/Summer20/DYJets/AODSIM/PU_v2"
RUN = "/store/data/Run2018A/DoubleMuon/NANOAOD/Nano_v2"
RAW = "/store/data/Run2018A/DoubleMuon/RAW/v1"


def main() -> None:
    if DATA.exists():
        shutil.rmtree(DATA)
    known = {
        f"{directory}/{folder:05d}/file_{number:03d}.root": 1000 + number
        for directory in (MINIAOD, AOD, RUN)
        for folder in range(5)
        for number in range(100)
    }
    make_site(known)
    make_inventory(known)
    check = (HERE / "check.yaml").read_text().replace("/SITE_FOLDER", str(DATA / "site"))
    (DATA / "check.yaml").write_text(check)

    say("an inventory, and what it knows of the site")
    run("inventory", "init", "--store", "demo-data/store")
    run("inventory", "import", SITE, "demo-data/files.tsv", "--store", "demo-data/store")
    run("inventory", "import", ELSEWHERE, "demo-data/files.tsv", "--store", "demo-data/store")
    map_names_to_urls()
    say("the first run: two snapshots, a listing, the comparison; the first run never acts")
    run("run", "-f", "demo-data/check.yaml", "--store", "demo-data/store")
    say("the findings, one by one")
    for kind in ("missing", "orphans", "mismatches", "empty-directories"):
        print(f"{kind}:", flush=True)
        run("findings", SITE, "--kind", kind, "--store", "demo-data/store")
    say("the second run finds the same; all gates are open, and the registry is asked")
    run("run", "-f", "demo-data/check.yaml", "--store", "demo-data/store")
    say("what waits in the registry now, for Dynamo's daemons to carry out")
    show_requests()
    say("the memory: all runs, and one file in them")
    run("history", SITE, "--store", "demo-data/store")
    run("history", SITE, f"{AOD}/00003/file_007.root", "--store", "demo-data/store")
    say("all of it as pages; a service shows the same, and searches for files")
    run("page", "--store", "demo-data/store", "--out", "demo-data/pages")
    offer_to_serve()


def make_site(known: dict[str, int]) -> None:
    """The site as the inventory knows it, and then what happens to sites."""
    for name, size in known.items():
        write(name, size)
    for number in range(3):
        path_of(f"{MINIAOD}/00002/file_{number:03d}.root").unlink()  # missing: a disk was lost
    write(f"{AOD}/00003/file_007.root", 17)  # mismatch: a transfer broke off
    for number in range(4):
        write(f"/store/mc/Spring19/Forgotten/AODSIM/v9/file_{number}.root", 5000)  # orphans: the dataset was deleted
    write(f"{RAW}/calibration.raw", 100)  # unknown as well, but the check ignores /RAW
    write(f"{RUN}/00001/being written.root", 100, when=time.time())  # unknown, but too young to judge
    for directory in ("/store/mc/Spring19/Empty/AODSIM/v1/00000", "/store/mc/Spring19/Empty/AODSIM/v1/00001"):
        path_of(directory).mkdir(parents=True)
    (path_of(MINIAOD) / "moved").symlink_to("/nowhere")  # a hole: what is behind a link is not known
    for directory, _, _ in os.walk(DATA / "site"):
        os.utime(directory, (A_WEEK_AGO, A_WEEK_AGO))


def make_inventory(known: dict[str, int]) -> None:
    lines = ["#name\tsize\tdataset\tblock\tgroup"]
    for name, size in known.items():
        _, _, _, era, primary, tier, version, folder, _ = name.split("/")
        lines.append(f"{name}\t{size}\t/{primary}/{era}-{version}/{tier}\tblock-{folder}\tAnalysisOps")
    (DATA / "files.tsv").write_text("\n".join(lines) + "\n")


def map_names_to_urls() -> None:
    """Dynamo's own rule for the URL of a file at the site; deletions are requested by URL."""
    with sqlite3.connect(DATA / "store/inventory.sqlite") as database:
        (site,) = database.execute("SELECT id FROM sites WHERE name = ?", [SITE]).fetchone()
        row = (site, "gfal2", 0, 0, "(.*)", f"file://{DATA}/site{{0}}")
        database.execute("INSERT INTO filename_mappings VALUES (?, ?, ?, ?, ?, ?)", row)


def show_requests() -> None:
    with sqlite3.connect(DATA / "store/inventory.sqlite") as database:
        for (url,) in database.execute("SELECT url FROM unmanaged_deletions ORDER BY id"):
            print("delete", url)
        transfers = """SELECT name FROM file_subscriptions JOIN files ON files.id = file_id
                       WHERE "delete" = 1 ORDER BY name"""
        for (name,) in database.execute(transfers):
            print("fetch anew", name if isinstance(name, str) else name.decode())


def offer_to_serve() -> None:
    """As it is typed here; the demo itself does without the extra that `serve` needs."""
    programs = os.path.relpath(COMMAND.parent)
    install = f"{programs}/python -m pip install --quiet --editable '.[web]'"
    serve = f"{programs}/{COMMAND.name} serve --store demo-data/store"
    print(f"\nLook at it in a browser, at http://127.0.0.1:8080, with: {install} && {serve}", flush=True)


def write(name: str, size: int, when: float = A_WEEK_AGO) -> None:
    path = path_of(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (when, when))


def path_of(name: str) -> Path:
    return DATA / "site" / name.lstrip("/")


def say(what: str) -> None:
    print(f"\n== {what}", flush=True)


def run(*arguments: str) -> None:
    print(f"$ dynamo-consistency {shlex.join(arguments)}", flush=True)
    subprocess.run([COMMAND, *arguments], check=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except subprocess.CalledProcessError as error:  # the command has said why
        sys.exit(error.returncode)
