"""The real command in a process of its own, without the second of a processor that loading it takes.

The process is forked from one that has everything loaded, and ends as any other. `make test-all` starts each from
nothing.
"""

import atexit
import functools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from effort import EVERYTHING

COMMAND = str(Path(sys.executable).with_name("dynamo-consistency"))
LOADED = (
    "dynamo_consistency.cli",
    "dynamo_consistency.cli.entry",
    "dynamo_consistency.run.pipeline",
    "dynamo_consistency.backend.dynamo",
    "dynamo_consistency.backend.rucio",
    "dynamo_consistency.backend.file",
    "dynamo_consistency.listers.posix",
    "dynamo_consistency.terminal",
    "sqlalchemy.dialects.sqlite",
)
_BUSY = threading.Lock()


def run_command(
    arguments: list[str], folder: Path, environment: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    """`dynamo-consistency` with these arguments, in this folder."""
    if EVERYTHING:
        return subprocess.run(
            [COMMAND, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
    with tempfile.TemporaryDirectory() as said:
        files = [Path(said, name) for name in ("stdout", "stderr")]
        request = [arguments, str(folder), dict(environment), *map(str, files)]
        with _BUSY:
            code = _loaded().ask(request)
        return subprocess.CompletedProcess([COMMAND, *arguments], code, *(file.read_text() for file in files))


class _Loaded:
    """The process that is forked. It ends with us: there is nothing to read any more."""

    def __init__(self) -> None:
        command = [sys.executable, __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, request: list[Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def end(self) -> None:
        self._process.communicate()


@functools.cache
def _loaded() -> _Loaded:
    return _Loaded()


def end_command() -> None:
    """At the end of all tests, so that what it took is counted."""
    if _loaded.cache_info().currsize:
        _loaded().end()
        _loaded.cache_clear()


# ------------------------------------------------------------------------------------------------ in the other process


def _next_request() -> list[Any]:
    """The request that this process, a fork, is for. Exits where there are no more."""
    with os.fdopen(os.dup(0)) as requests, os.fdopen(os.dup(1), "w") as answers:
        for request in requests:
            child = os.fork()
            if not child:
                return list(json.loads(request))
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers, flush=True)
    sys.exit()


def _become(folder: str, environment: dict[str, str], *files: str) -> None:
    for descriptor, file in ((1, files[0]), (2, files[1])):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    time.tzset()


def _main() -> NoReturn:
    import importlib

    for name in LOADED:
        importlib.import_module(name)
    arguments, *rest = _next_request()
    _become(*rest)
    sys.argv = [COMMAND, *arguments]
    try:
        _end(sys.modules["dynamo_consistency.cli"].main())
    except SystemExit as error:
        _end(error.code)


def _end(code: Any) -> NoReturn:
    """What Python does at its end, but for taking apart all that was loaded, which takes as long as a small run."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code or 0)


if __name__ == "__main__":
    _main()
