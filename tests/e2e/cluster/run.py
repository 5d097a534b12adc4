"""`make e2e`: get everything ready that needs a network, then run the tests where nothing can be left behind.

What is lacking is said in one line each. With CI=true that is a failure, unless no installation could mend it.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import rucio_environment
from cluster import images, named, sandbox
from cluster.processes import lacking
from cluster.programs import ALL, ProgramsMissingError, program

ROOT = Path(__file__).parents[3]
LOGS = ROOT / ".pytest_cache" / "e2e-logs"
NEEDED = {
    "git": "apt-get install git",
    "openssl": "apt-get install openssl",
    "setpriv": "apt-get install util-linux",
    "redis-server": "apt-get install redis-server",
    "mariadbd": "apt-get install mariadb-server",
    "xrootd": "apt-get install xrootd-server xrootd-client",
}
WITH_CONTAINERS = [f"tests/e2e/test_{name}.py" for name in ("chart_releases", "deployments", "real_pods")]
# A real node has been seen to lose its network while other tests went on beside it: it is given the machine alone.
TURNS = [
    ["-n", "2", "--dist", "loadfile", *(f"--ignore={file}" for file in WITH_CONTAINERS), "tests/e2e"],
    WITH_CONTAINERS,
]


def main(arguments: list[str]) -> int:
    """`arguments` are pytest's; `--processes` before them does without containers.

    With E2E_KUBECONFIG the cluster that it names is used, for all that needs no node of ours.
    """
    containers = arguments[:1] != ["--processes"]
    arguments = arguments[not containers :]
    started = time.monotonic()
    missing = [f"{name} is missing: {NEEDED[name]}" for name in lacking(*NEEDED)]
    try:
        for name in [name for module in ALL for name in module.programs] if not named.kubeconfig() else ["kubectl"]:
            program(name)
    except ProgramsMissingError as error:
        missing.append(str(error))
    if not named.kubeconfig():
        try:
            rucio_environment.python()
        except rucio_environment.EnvironmentMissingError as error:
            missing.append(str(error))
    if missing:
        print("\n".join(missing), file=sys.stderr)
        return 1
    turns = [arguments] if arguments else [["tests/e2e"]] if named.kubeconfig() else TURNS
    pytest = [sys.executable, "-m", "pytest", "--timeout=300", "--durations=10"]
    os.chdir(ROOT)
    os.environ["PYTHONPATH"] = os.pathsep.join(str(ROOT / "tests" / part) for part in ("e2e", "rucio"))
    shutil.rmtree(LOGS, ignore_errors=True)
    code = _run([[*pytest, *turn] for turn in turns], containers)
    print(f"make e2e took {time.monotonic() - started:.0f} s")
    return code


def _run(turns: list[list[str]], containers: bool) -> int:
    """In the sandbox, with containers; with less where the machine cannot or the caller does not want it."""
    if named.kubeconfig():
        return _one_by_one(turns, lambda *tests: subprocess.run(tests, check=False).returncode)
    if reason := sandbox.lacking():
        print(f"pods are processes only, no containers; this machine cannot: {reason}")
        return _one_by_one(turns, lambda *tests: subprocess.run(tests, check=False).returncode)
    if containers and (reason := images.missing()):
        print(f"pods are processes only, no containers: {reason}", file=sys.stderr)
        if os.environ.get("CI") == "true":
            return 1
    elif containers:
        folder = images.prepare()
        os.environ[images.FOLDER] = str(folder)
        try:
            return _one_by_one(turns, sandbox.run)
        finally:
            shutil.rmtree(folder)
    return _one_by_one(turns, sandbox.run)


def _one_by_one(turns: list[list[str]], run: Callable[..., int]) -> int:
    """All of them, also after a failure; the first exit code that is not 0.

    What has failed is tried once more, by itself and on a cluster of its own: machines stall for longer than clusters
    bear. That it was is printed, and two failures are a failure.
    """
    codes = []
    for turn in turns:
        code = run(*turn)
        if code == 1:
            print("what has failed is tried once more", flush=True)
            code = run(*turn, "--last-failed", "--last-failed-no-failures=none")
        codes.append(code)
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
