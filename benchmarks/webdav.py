"""Listing an XRootD server by its HTTP door: ours against davix and gfal2, and against `xrdfs` at its other door."""

import subprocess
import sys
from pathlib import Path

from listing import free_port, make_tree, run_directory, xrootd_server
from measure import HERE, Row, measure, show, times_as_fast

PROGRAMS = ("xrootd", "xrdfs", "davix-ls")
INSTALL = "apt-get install xrootd-server xrootd-server-plugins xrootd-client davix"
GFAL_PYTHON = "/usr/bin/python3"


def bench(folder: Path, big: bool) -> None:
    """200,000 files in 13,600 directories; with `big`, a million files in 68,000."""
    directories, files = make_tree(folder / "site", campaigns=5 if big else 1)
    port, http = free_port(), free_port()
    with xrootd_server(folder, port, f"xrd.protocol XrdHttp:{http} libXrdHttp.so\n"):
        _bench(folder, f"Listing {files} files over WebDAV", f"127.0.0.1:{port}", f"127.0.0.1:{http}", directories)


def _bench(folder: Path, title: str, door: str, http_door: str, directories: int) -> None:
    times, peaks = [], []
    for number in range(3):
        run = run_directory(folder, {"webdav": {"servers": [f"dav://{http_door}"]}}, f"webdav-{number}")
        command = [Path(sys.executable).with_name("dynamo-consistency"), "stage", "listing", "--run-dir", run]
        seconds, peak = measure(command, runs=1)
        times.append(seconds)
        peaks.append(peak)
    seconds = sorted(times)[1]
    rows = [Row("dynamo-consistency", seconds, max(peaks), f"{directories / seconds:.0f} directories/s")]
    for name, command in _peers(door, http_door):
        theirs = measure(command)
        ratio = times_as_fast(seconds, theirs[0], name)
        rows.append(Row(name, *theirs, f"{directories / theirs[0]:.0f} directories/s", ratio))
    show(title, rows)


def _peers(door: str, http_door: str) -> list[tuple[str, list[str]]]:
    url = f"dav://{http_door}/store/mc"
    peers = [
        ("davix-ls -l -r 16", ["davix-ls", "-l", "-r", "16", url]),
        ("xrdfs ls -l -R (root://)", ["xrdfs", f"root://{door}", "ls", "-l", "-R", "/store/mc"]),
    ]
    has_gfal = [GFAL_PYTHON, "-c", "import gfal2"]
    if Path(GFAL_PYTHON).exists() and subprocess.run(has_gfal, capture_output=True, check=False).returncode == 0:
        peers.append(("gfal2, one at a time", [GFAL_PYTHON, str(HERE / "gfal_walk.py"), url]))
    return peers
