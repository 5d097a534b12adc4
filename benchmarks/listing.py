"""Listing a local XRootD server: ours against `xrdfs ls -l -R` and RCE's scanner, direct and through a slow line."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rce
from measure import HERE, Row, measure, show, times_as_fast

from dynamo_consistency.backend.file.version import SETTLED_SECONDS
from dynamo_consistency.check import Listing, SiteConsistencyCheck
from dynamo_consistency.run.local_listing import shards_here
from dynamo_consistency.run.store.run_directory import RunStore

PROGRAMS = ("xrootd", "xrdfs")
INSTALL = "apt-get install xrootd-server xrootd-client"
DELAY = 0.02


def bench(folder: Path, big: bool) -> None:
    """200,000 files in 13,600 directories; with `big`, a million files in 68,000."""
    directories, files = make_tree(folder / "site", campaigns=5 if big else 1)
    port = free_port()
    with xrootd_server(folder, port):
        _bench(folder, f"Listing {files} files", port, directories)
        with _relay(port) as slow_port:
            _bench(folder, f"Listing {files} files, {DELAY * 1000:.0f} ms away each way", slow_port, directories)


def _bench(folder: Path, title: str, port: int, directories: int) -> None:
    door = f"127.0.0.1:{port}"
    source: dict[str, Any] = {"xrootd": {"servers": [f"root://{door}"]}}
    shards = shards_of_run(source)
    seconds, peak = ours(folder, source, f"{port}-one", shards=1)
    rows = [Row("dynamo-consistency, one process", seconds, peak, f"{directories / seconds:.0f} directories/s")]
    library = {"xrootd": {**source["xrootd"], "client": "bindings"}}
    others = [("a whole run, everything included", _whole_run(folder, source, str(port)))]
    if shards > 1:
        others.append((f"dynamo-consistency, {shards} processes", ours(folder, source, f"{port}-all", shards)))
    others.append(("one process, client: bindings", ours(folder, library, f"{port}-bindings", shards=1)))
    for name, theirs in others:
        ratio = times_as_fast(seconds, theirs[0], name)
        rows.append(Row(name, *theirs, f"{directories / theirs[0]:.0f} directories/s", ratio))
    peers = [("xrdfs ls -l -R", ["xrdfs", f"root://{door}", "ls", "-l", "-R", "/store/mc"], {})]
    bindings = [sys.executable, str(HERE / "bindings.py"), f"root://{door}", "/store/mc", "512"]
    peers.append(("bindings alone, one process", bindings, {}))
    programs = rce.folder()
    if programs is not None:
        (folder / "rce.yaml").write_text(_rce_configuration(door))
        command = [programs / "rce_scan", "-q", "-c", folder / "rce.yaml", "-o", folder / "scanned", "Bench"]
        peers.append(("rce_scan", command, {"cwd": folder, "stderr": subprocess.DEVNULL}))
    limit, unfinished = max(60, 10 * seconds), []
    for name, command, options in peers:
        try:
            theirs = measure(command, runs=3, limit=limit, **options)
        except subprocess.TimeoutExpired:  # seen of xrdfs -R, which waits for ever on 68,000 directories
            unfinished.append(name)
            continue
        ratio = times_as_fast(seconds, theirs[0], name)
        rows.append(Row(name, *theirs, f"{directories / theirs[0]:.0f} directories/s", ratio))
    show(title, rows)
    for name in unfinished:
        print(f"{name}: no end after {limit:.0f} s")


def ours(folder: Path, source: dict[str, object], name: str, shards: int) -> tuple[float, float]:
    """(median seconds, highest peak) of three listings, each in a run directory of its own: one shard by the stage that
    a pod runs, several as `dynamo-consistency run` lists them."""
    measured = []
    for number in range(3):
        run = _run_directory(folder, source, f"{name}-{number}", shards)
        stage = [Path(sys.executable).with_name("dynamo-consistency"), "stage", "listing", "--run-dir", run]
        measured.append(measure(stage if shards == 1 else [sys.executable, HERE / "list_site.py", run], runs=1))
    return sorted(measured)[1][0], max(peak for _, peak in measured)


def _whole_run(folder: Path, source: dict[str, object], name: str) -> tuple[float, float]:
    """`dynamo-consistency run` of a check whose inventory is a list of all files at the site."""
    inventory, store = folder / "inventory.tsv", folder / f"whole-{name}"
    if not inventory.exists():
        site = folder / "site"
        files = (Path(above, file) for above, _, names in os.walk(site) for file in names)
        inventory.write_text("".join(f"/{file.relative_to(site)}\t{file.stat().st_size}\n" for file in files))
        # dumps of people are hours old, and one that has settled is read once
        written = time.time() - SETTLED_SECONDS - 1
        os.utime(inventory, (written, written))
    backends = {"backends": {"default": {"type": "file", "sites": {"Bench": {"inventory": {"url": str(inventory)}}}}}}
    (folder / "backends.yaml").write_text(json.dumps(backends))
    (folder / f"{name}.yaml").write_text(json.dumps(_check(source, shards=1)))
    command = [Path(sys.executable).with_name("dynamo-consistency"), "run", "-f", folder / f"{name}.yaml"]
    return measure([*command, "--backends", folder / "backends.yaml", "--store", store])


def shards_of_run(source: dict[str, object]) -> int:
    """In how many shards `dynamo-consistency run` lists `source` on this machine, where the check leaves that open."""
    return shards_here(Listing.model_validate({"source": source, "roots": [{"path": "/store/mc"}]}))


def _run_directory(folder: Path, source: dict[str, object], name: str, shards: int) -> str:
    """A fresh one whose check lists `source`."""
    check = SiteConsistencyCheck.model_validate(_check(source, shards))
    return RunStore(str(folder / "runs")).create(check, name).url


def _check(source: dict[str, object], shards: int) -> dict[str, object]:
    listing = {
        "source": source,
        "roots": [{"path": "/store/mc"}],
        "shards": shards,
        "splitDepth": 5,
        "concurrency": 512,
    }
    return {
        "apiVersion": "consistency.dynamo.io/v1alpha1",
        "kind": "SiteConsistencyCheck",
        "metadata": {"name": "bench"},
        "spec": {"site": "Bench", "listing": listing},
    }


def _rce_configuration(door: str) -> str:
    return f"""\
rses:
  "*":
    npartitions: 8
    scanner: {{server: "{door}", server_root: /, is_redirector: no, recursion: 1, nworkers: 8, timeout: 300,
              roots: [{{path: /store/mc}}]}}
  Bench: {{}}
"""


def make_tree(site: Path, campaigns: int) -> tuple[int, int]:
    """The number of directories and files made: per campaign 17 datasets, 100 numbered folders each with 8 below."""
    directories = files = 0
    for campaign in range(campaigns):
        for dataset in range(17):
            for folder in range(800):
                path = site / f"store/mc/Campaign{campaign}/Dataset{dataset:02d}/AODSIM/v1/{folder:05d}"
                path.mkdir(parents=True)
                directories += 1
                for number in range(15 if folder % 10 < 7 else 14):
                    (path / f"file_{number:04d}_of_the_dataset.root").touch()
                    files += 1
    return directories + campaigns * (1 + 17 * 3), files


@contextlib.contextmanager
def xrootd_server(folder: Path, port: int, lines: str = "") -> Iterator[None]:
    """A server of `folder`/site; `lines` are added to its configuration."""
    admin = folder / "admin"
    admin.mkdir()
    configuration = folder / "xrootd.cf"
    configuration.write_text(
        f"all.export /store\noss.localroot {folder}/site\nxrd.port {port}\n{lines}"
        f"all.adminpath {admin}\nall.pidpath {admin}\n"
    )
    command = ["xrootd", "-c", str(configuration), "-l", str(admin / "log")]
    if os.getuid() == 0:  # it refuses to run as root
        admin.chmod(0o777)
        command = ["setpriv", "--reuid", "xrootd", "--regid", "xrootd", "--clear-groups", *command]
    with running(command, port):
        yield


@contextlib.contextmanager
def _relay(port: int) -> Iterator[int]:
    slow_port = free_port()
    with running([sys.executable, str(HERE / "relay.py"), str(slow_port), str(port), str(DELAY)], slow_port):
        yield slow_port


@contextlib.contextmanager
def running(command: list[str], port: int) -> Iterator[None]:
    """While `command` runs, from when it answers on `port`."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(port)
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def _await(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    sys.exit(f"nothing answers on port {port}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
