"""Measuring whole processes: wall time and peak memory of a command and all that it starts."""

import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
RESULTS = HERE / "results"


@dataclass(frozen=True)
class Row:
    """One line of the table. `ratio`: how many times as fast as the named peer of the same run."""

    what: str
    seconds: float
    peak_mib: float
    rate: str = ""
    ratio: str = ""


def measure(
    command: Sequence[str | Path], runs: int = 3, limit: float | None = None, **options: object
) -> tuple[float, float]:
    """(median wall seconds, highest peak RSS in MiB of the process and its children together) of a command.

    Raises subprocess.TimeoutExpired when it has not ended after `limit` seconds.
    """
    times, peaks = [], []
    for _ in range(runs):
        began = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, **options)
        watch = _PeakWatch(process.pid)
        try:
            if process.wait(limit) != 0:
                sys.exit(f"{command[0]} failed with {process.returncode}")
            times.append(time.perf_counter() - began)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            peaks.append(watch.stop())
    return median(times), max(peaks)


def cpu_of(command: Sequence[str | Path], **options: object) -> tuple[float, float, float]:
    """(seconds of CPU, wall seconds, peak RSS in MiB) of one run of a command and all that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, peak = measure(command, runs=1, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, seconds, peak


def per_core(rows: int, command: Sequence[str | Path], what: str, start: float = 0, **options: object) -> Row:
    """One run of a command that reads so many rows; its rate is by its CPU without `start`, that of an empty run."""
    cpu, seconds, peak = cpu_of(command, **options)
    return Row(what, seconds, peak, f"{cpu:.2f} s of CPU, {rows / (cpu - start) / 1e6:.2f} million rows/s and core")


class _PeakWatch(threading.Thread):
    """Adds up the memory of a process tree ten times a second; the largest sum is its peak."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self._root, self._peak, self._over = root, 0, threading.Event()
        self.start()

    def run(self) -> None:
        while not self._over.wait(0.1):
            self._peak = max(self._peak, sum(_rss_kib(pid) for pid in _tree(self._root)))

    def stop(self) -> float:
        self._over.set()
        self.join()
        return self._peak / 1024


def _tree(root: int) -> list[int]:
    family, todo = [], [root]
    while todo:
        pid = todo.pop()
        family.append(pid)
        for task in _listdir(f"/proc/{pid}/task"):
            todo += [int(child) for child in _read(f"/proc/{pid}/task/{task}/children").split()]
    return family


def _rss_kib(pid: int) -> int:
    for line in _read(f"/proc/{pid}/status").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def _listdir(path: str) -> list[str]:
    try:
        return os.listdir(path)  # noqa: PTH208 (a process may be gone at any time)
    except OSError:
        return []


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def show(title: str, rows: Sequence[Row]) -> None:
    """Print a table, and keep it as JSON."""
    print(f"\n{title}\n{'':44} {'seconds':>8} {'peak MiB':>9}  rate / ratio")
    for row in rows:
        print(f"{row.what:44} {row.seconds:8.2f} {row.peak_mib:9.0f}  {row.rate}  {row.ratio}".rstrip(), flush=True)
    RESULTS.mkdir(exist_ok=True)
    name = title.lower().replace(" ", "-").replace(",", "").replace("/", "-")
    (RESULTS / f"{name}.json").write_text(
        json.dumps({"title": title, "rows": [asdict(row) for row in rows]}, indent=2) + "\n"
    )


def times_as_fast(ours: float, theirs: float, peer: str) -> str:
    return f"{theirs / ours:.2f} x {peer}"
