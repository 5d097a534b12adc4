"""A shell in which some programs are stand-ins: each call of one is answered by a function of the test."""

import json
import os
import socketserver
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

SCRIPT = """#!{python} -SE
import json, os, socket, stat, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
piped = stat.S_ISFIFO(os.fstat(0).st_mode)
asked = [sys.argv[0], sys.argv[1:], os.getcwd(), dict(os.environ), sys.stdin.read() if piped else None]
server.sendall(json.dumps(asked).encode() + b"\\n")
code, out, err = json.loads(server.makefile().read())
sys.stdout.write(out)
sys.stdout.flush()
sys.stderr.write(err)
sys.exit(code)
"""
FAILED = 97


class Answer(NamedTuple):
    code: int = 0
    out: str = ""
    err: str = ""


@dataclass(frozen=True)
class Call:
    """A program that was called. stdin: None where it is no pipe. whole: not, where a sentence only names it."""

    program: str
    arguments: list[str]
    folder: Path
    environment: Mapping[str, str]
    stdin: str | None = None
    whole: bool = True

    def file(self, name: str) -> Path:
        """One that the call names, which has to be there."""
        path = self.folder / name
        if not path.exists():
            raise Refused(f"there is no {name}")
        return path

    def run(self, *command: str) -> Answer:
        """What a real program answers, where this one was called."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, input=self.stdin,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return Answer(done.returncode, done.stdout, done.stderr)


class Refused(Exception):  # noqa: N818 (a sentence to whoever writes the page)
    """The program would not do what it is called for."""


Programs = Mapping[str, Callable[[Call], Answer | None]]


class Shell:
    """One bash, as a person has it open while reading a page."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._command = folder / ".command"
        self._bash = subprocess.Popen(
            ["bash", "--norc"], cwd=folder, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def type(self, command: str) -> tuple[int, str]:
        """The exit code of a command, and what it has printed, complaints among it."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._command.write_text(f"(exit ${{code:-0}})\n{command}\n")
        end = f"-- end of {id(self)} --"
        self._bash.stdin.write(f". '{self._command}' </dev/null; code=$?; printf '%s%s\\n' '{end}' $code\n")
        self._bash.stdin.flush()
        printed = ""
        for line in self._bash.stdout:
            before, found, code = line.partition(end)
            printed += before
            if found:
                return int(code), printed
        raise AssertionError(f"the shell has ended: {printed}")

    def end(self) -> None:
        self._bash.communicate()


@contextmanager
def shell(folder: Path, programs: Programs, **environment: str) -> Iterator[Shell]:
    """A shell in `folder`, its home too, where `programs` are stand-ins: found on the PATH, or there by their path."""
    with tempfile.TemporaryDirectory() as scratch, _server(f"{scratch}/socket", programs):
        for name in programs:
            file = folder / name if "/" in name else Path(scratch, "bin", name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            file.write_text(SCRIPT.format(python=sys.executable, address=f"{scratch}/socket"))
            file.chmod(file.stat().st_mode | stat.S_IXUSR)
        path = f"{scratch}/bin:{folder}/.local/bin:{os.environ['PATH']}"
        opened = Shell(folder, os.environ | {"PATH": path, "HOME": str(folder), "USER": "ada"} | environment)
        try:
            yield opened
        finally:
            opened.end()


@contextmanager
def _server(address: str, programs: Programs) -> Iterator[None]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            path, arguments, folder, environment, stdin = json.loads(self.rfile.readline())
            name = path if path in programs else Path(path).name
            call = Call(name, arguments, Path(folder), environment, stdin)
            self.wfile.write(json.dumps(_answer(programs, call)).encode())

    with socketserver.ThreadingUnixStreamServer(address, Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        try:
            yield
        finally:
            server.shutdown()


def _answer(programs: Programs, call: Call) -> Answer:
    try:
        return programs[call.program](call) or Answer()
    except BaseException as error:  # noqa: BLE001 (the page is told, as the program would tell a person)
        return Answer(FAILED, "", f"{call.program}: {type(error).__name__}: {error}\n")
