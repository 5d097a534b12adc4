"""`make e2e`: get everything ready that needs a network, then run the tests where nothing can be left behind.

What is lacking is said in one line each. With CI=true that is a failure, unless no installation could mend it.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from cluster import images, named, sandbox
from cluster.processes import lacking
from cluster.programs import ALL, ProgramsMissingError, program

ROOT = Path(__file__).parents[3]
NEEDED = {
    "openssl": "apt-get install openssl",
    "setpriv": "apt-get install util-linux",
    "mariadbd": "apt-get install mariadb-server",
    "xrootd": "apt-get install xrootd-server xrootd-client",
}


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
    if missing:
        print("\n".join(missing), file=sys.stderr)
        return 1
    everything = ["tests/e2e"] if named.kubeconfig() else ["-n", "2", "--dist", "loadgroup", "tests/e2e"]
    tests = [sys.executable, "-m", "pytest", "--timeout=300", "--durations=10", *(arguments or everything)]
    os.chdir(ROOT)
    os.environ["PYTHONPATH"] = str(ROOT / "tests/e2e")
    code = _run(tests, containers)
    print(f"make e2e took {time.monotonic() - started:.0f} s")
    return code


def _run(tests: list[str], containers: bool) -> int:
    """In the sandbox, with containers; with less where the machine cannot or the caller does not want it."""
    if named.kubeconfig():
        return subprocess.run(tests, check=False).returncode
    if reason := sandbox.lacking():
        print(f"pods are processes only, no containers; this machine cannot: {reason}")
        return subprocess.run(tests, check=False).returncode
    if containers and (reason := images.missing()):
        print(f"pods are processes only, no containers: {reason}", file=sys.stderr)
        if os.environ.get("CI") == "true":
            return 1
    elif containers:
        folder = images.prepare()
        os.environ[images.FOLDER] = str(folder)
        try:
            return sandbox.run(*tests)
        finally:
            shutil.rmtree(folder)
    return sandbox.run(*tests)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
