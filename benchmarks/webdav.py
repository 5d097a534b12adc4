"""Listing an XRootD server by its HTTP door: ours against davix and gfal2, and against its other door."""

import shutil
import subprocess
from pathlib import Path

from listing import free_port, make_tree, ours, shards_of_run, xrootd_server
from measure import HERE, Row, measure, show, times_as_fast

PROGRAMS = ("xrootd", "xrdfs")
INSTALL = "apt-get install xrootd-server xrootd-server-plugins xrootd-client"
GFAL_PYTHON = "/usr/bin/python3"


def bench(folder: Path, big: bool) -> None:
    """200,000 files in 13,600 directories; with `big`, a million files in 68,000."""
    directories, files = make_tree(folder / "site", campaigns=5 if big else 1)
    port, http = free_port(), free_port()
    with xrootd_server(folder, port, f"xrd.protocol XrdHttp:{http} libXrdHttp.so\n"):
        _bench(folder, f"Listing {files} files over WebDAV", f"127.0.0.1:{port}", f"127.0.0.1:{http}", directories)


def _bench(folder: Path, title: str, door: str, http_door: str, directories: int) -> None:
    webdav = {"webdav": {"servers": [f"dav://{http_door}"]}}
    shards = shards_of_run(webdav)
    seconds, peak = ours(folder, webdav, "webdav-all", shards)
    rows = [Row(f"dynamo-consistency, {shards} processes", seconds, peak, f"{directories / seconds:.0f} directories/s")]
    theirs = {
        "dynamo-consistency, one shard": ours(folder, webdav, "webdav-one", 1),
        "dynamo-consistency, one shard (root://)": ours(
            folder, {"xrootd": {"servers": [f"root://{door}"]}}, "xrootd", 1
        ),
    }
    theirs |= {name: measure(command) for name, command in _peers(door, http_door)}
    for name, (their_seconds, their_peak) in theirs.items():
        ratio = times_as_fast(seconds, their_seconds, name)
        rows.append(Row(name, their_seconds, their_peak, f"{directories / their_seconds:.0f} directories/s", ratio))
    show(title, rows)


def _peers(door: str, http_door: str) -> list[tuple[str, list[str]]]:
    url = f"dav://{http_door}/store/mc"
    peers = [("xrdfs ls -l -R (root://)", ["xrdfs", f"root://{door}", "ls", "-l", "-R", "/store/mc"])]
    if shutil.which("davix-ls") is None:
        print("\ndavix-ls: not measured: apt-get install davix")
    else:
        peers.append(("davix-ls -l -r 16", ["davix-ls", "-l", "-r", "16", url]))
    has_gfal = [GFAL_PYTHON, "-c", "import gfal2; assert 'http' in str(gfal2.creat_context().get_plugin_names())"]
    if not Path(GFAL_PYTHON).exists() or subprocess.run(has_gfal, capture_output=True, check=False).returncode:
        print("\ngfal2: not measured: apt-get install python3-gfal2 gfal2-plugin-http")
    else:
        peers.append(("gfal2, one at a time", [GFAL_PYTHON, str(HERE / "gfal_walk.py"), url]))
    return peers
