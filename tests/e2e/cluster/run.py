"""`make e2e`: get everything ready that needs a network, then run the tests where nothing can be left behind.

What is lacking is said in one line each. With CI=true that is a failure, unless no installation could mend it.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from cluster import images, sandbox
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
    started = time.monotonic()
    missing = [f"{name} is missing: {NEEDED[name]}" for name in lacking(*NEEDED)]
    try:
        for module in ALL:
            for name in module.programs:
                program(name)
    except ProgramsMissingError as error:
        missing.append(str(error))
    if missing:
        print("\n".join(missing), file=sys.stderr)
        return 1
    tests = [sys.executable, "-m", "pytest", "--timeout=300", "--durations=10", *(arguments or ["tests/e2e"])]
    os.chdir(ROOT)
    os.environ["PYTHONPATH"] = str(ROOT / "tests/e2e")
    code = _with_containers(tests) if sandbox.lacking() == "" else _with_processes(tests)
    print(f"make e2e took {time.monotonic() - started:.0f} s")
    return code


def _with_processes(tests: list[str]) -> int:
    print(f"pods are processes only; no containers, since this machine cannot: {sandbox.lacking()}")
    return subprocess.run(tests, check=False).returncode


def _with_containers(tests: list[str]) -> int:
    problem = images.missing()
    if problem:
        print(f"pods are processes only; no containers: {problem}", file=sys.stderr)
        if os.environ.get("CI") == "true":
            return 1
        return sandbox.run(*tests)
    os.environ[images.FOLDER] = str(images.prepare())
    return sandbox.run(*tests)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
