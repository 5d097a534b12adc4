"""The demo with Rucio: a real server and its daemons, an RSE that has drifted, and the way from finding to recovery.

Everything happens in `demo-data-rucio/`: the storage of three RSEs is a folder each, the catalogue an SQLite file.
The server is installed into an environment of its own, once (about 230 MB).
"""

import os
import shlex
import shutil
import subprocess
import sys
import time
import zlib
from pathlib import Path

from rucio_server import RucioServer

HERE = Path(__file__).parent
DATA = Path("demo-data-rucio").resolve()
SITE, DISK, TAPE = "T2_XX_DEMO", "T1_XX_DISK", "T1_XX_TAPE"
RSES = {SITE: "DISK", DISK: "DISK", TAPE: "TAPE"}
SCOPE = "cms"
COMMAND = Path(sys.executable).with_name("dynamo-consistency")
A_WEEK_AGO = time.time() - 7 * 86400

MINIAOD = "/store/mc/Summer20/TTJets/MINIAODSIM/PU_v1"
RUN = "/store/data/Run2018A/DoubleMuon/NANOAOD/Nano_v2"
FILES = [
    f"{dataset}/{folder:05d}/file_{number:03d}.root"
    for dataset in (MINIAOD, RUN)
    for folder in range(3)
    for number in range(20)
]
LOST_DISK = FILES[:3]
LAST_COPY, ONLY_ON_TAPE, BROKEN = FILES[25], FILES[45], FILES[65]
LEFT_BEHIND = [f"/store/mc/Spring19/Forgotten/AODSIM/v9/file_{number}.root" for number in range(4)]
EMPTY = "/store/mc/Spring19/Empty/AODSIM/v1/00000"

BEST = {"read": 1, "write": 1, "delete": 1}
DOMAINS = {"lan": BEST, "wan": {**BEST, "third_party_copy_read": 1, "third_party_copy_write": 1}}


def main() -> None:
    shutil.rmtree(DATA, ignore_errors=True)
    (DATA / "server").mkdir(parents=True)
    server = RucioServer(DATA / "server", f"sqlite:///{DATA}/server/rucio.db")
    try:
        say("a Rucio server, three RSEs, and what the catalogue knows of them")
        make_rses(server.start())
        make_files(server)
        say("what happens to sites: a disk is lost, a transfer breaks off, somebody leaves files behind")
        drift()
        write_configuration(server)
        say("the first run: the RSE itself says how it is listed; the first run never acts")
        check()
        time.sleep(1)
        say("the second run finds the same: files are declared bad and quarantined; last copies are only reported")
        check()
        say("Rucio's daemons go to work: the necromancer, the conveyor and the dark reaper")
        work(server)
        say("the third run tells what became of each request")
        time.sleep(1)
        check()
        run("history", SITE, LOST_DISK[0])
        run("history", SITE, LAST_COPY)
    finally:
        server.stop()


def make_rses(server: RucioServer) -> None:
    server.ask("POST", f"/scopes/root/{SCOPE}")
    for name, kind in RSES.items():
        server.ask("POST", f"/rses/{name}", {"rse_type": kind})
        server.ask("POST", f"/rses/{name}/attr/lfn2pfn_algorithm", {"value": "cmstfc"})
        protocol = {"hostname": "localhost", "port": 0, "prefix": f"{DATA}/{name}/", "domains": DOMAINS}
        protocol |= {"impl": "rucio.rse.protocols.posix.Default", "extended_attributes": None}
        server.ask("POST", f"/rses/{name}/protocols/file", protocol)
        server.ask("POST", f"/accountlimits/local/root/{name}", {"bytes": -1})
    server.ask("POST", f"/rses/{DISK}/distances/{SITE}", {"distance": 1})


def make_files(server: RucioServer) -> None:
    """Every file is at the site, and elsewhere but for the two that are to be last copies on disk."""
    at = {SITE: FILES, DISK: [name for name in FILES if name not in (LAST_COPY, ONLY_ON_TAPE)], TAPE: [ONLY_ON_TAPE]}
    for rse, names in at.items():
        replicas = [
            {"scope": SCOPE, "name": name, "bytes": len(content(name)), "adler32": f"{zlib.adler32(content(name)):08x}"}
            for name in names
        ]
        server.ask("POST", "/replicas", {"rse": rse, "files": replicas})
        for name in names:
            write(rse, name, content(name))
    dids = [{"scope": SCOPE, "name": name} for name in FILES]
    for start in range(0, len(dids), 50):
        terms = {"copies": 1, "rse_expression": SITE, "account": "root"}
        server.ask("POST", "/rules/", {"dids": dids[start : start + 50], **terms})
    print(f"{len(FILES)} files at {SITE}, {len(at[DISK])} of them at {DISK} too, {len(at[TAPE])} on tape at {TAPE}")


def drift() -> None:
    for name in (*LOST_DISK, LAST_COPY, ONLY_ON_TAPE):
        (DATA / SITE / name.lstrip("/")).unlink()
    write(SITE, BROKEN, b"cut sho")
    for name in LEFT_BEHIND:
        write(SITE, name, b"nobody knows me")
    (DATA / SITE / EMPTY.lstrip("/")).mkdir(parents=True)
    for directory, _, _ in os.walk(DATA / SITE):
        os.utime(directory, (A_WEEK_AGO, A_WEEK_AGO))


def write_configuration(server: RucioServer) -> None:
    (DATA / "password").write_text("secret\n")
    shutil.copy(HERE / "check.yaml", DATA)
    entry = (HERE / "backends.yaml").read_text().replace("FOLDER", str(DATA)).replace("SERVER", server.url)
    (DATA / "backends.yaml").write_text(entry)
    server.sql("UPDATE replicas SET created_at = :then, updated_at = :then", then="2020-01-01 00:00:00")


def work(server: RucioServer) -> None:
    """The transfer tool of the demo moves no bytes, so that the files are copied here."""
    server.run("necromancer")
    for (name,) in server.sql("SELECT name FROM requests"):
        print("Rucio transfers", name)
        write(SITE, name, (DATA / DISK / name.lstrip("/")).read_bytes())
    server.run("conveyor")
    server.run("dark-reaper", SITE)
    for name in LEFT_BEHIND:
        print("Rucio has removed" if not (DATA / SITE / name.lstrip("/")).exists() else "still there:", name)


def content(name: str) -> bytes:
    return f"the events of {name}\n".encode()


def write(rse: str, name: str, data: bytes) -> None:
    path = DATA / rse / name.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (A_WEEK_AGO, A_WEEK_AGO))


def check() -> None:
    run("run", "-f", "demo-data-rucio/check.yaml", "--backends", "demo-data-rucio/backends.yaml")


def say(what: str) -> None:
    print(f"\n== {what}", flush=True)


def run(*arguments: str) -> None:
    command = [*arguments, "--store", "demo-data-rucio/store"]
    print(f"$ dynamo-consistency {shlex.join(command)}", flush=True)
    subprocess.run([COMMAND, *command], check=True)


if __name__ == "__main__":
    main()
