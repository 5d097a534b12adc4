"""Git repositories over HTTP: git's own `http-backend` behind a small server on the loopback address."""

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

PERSON = {"GIT_AUTHOR_NAME": "e2e", "GIT_AUTHOR_EMAIL": "e2e@example.org"}
ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def git(folder: Path, *command: str) -> str:
    """What it prints, whatever this machine's configuration of git says."""
    who = PERSON | {name.replace("AUTHOR", "COMMITTER"): value for name, value in PERSON.items()}
    done = subprocess.run(
        ["git", *command], cwd=folder, env=os.environ | ALONE | who, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


class Repository:
    """A working copy in `folder`; what is committed is at once in the bare repository `bare`."""

    def __init__(self, folder: Path, bare: Path) -> None:
        self.folder = folder
        git(folder, "init", "--quiet", "--initial-branch=main")
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
        git(folder, "remote", "add", "origin", str(bare))

    def commit(self, message: str, *tags: str) -> str:
        """Everything as it is in the folder; its hash."""
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--allow-empty", f"--message={message}")
        for tag in tags:
            git(self.folder, "tag", tag)
        git(self.folder, "push", "--quiet", "--tags", "origin", "main")
        return git(self.folder, "rev-parse", "HEAD")


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The bare repositories in `folder`, at this address, to be read by anybody who asks."""
    handler = type("Handler", (_Handler,), {"folder": folder})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Hands each request to git, as a web server hands it to a CGI program."""

    folder: Path

    def do_GET(self) -> None:
        self._ask(b"")

    def do_POST(self) -> None:
        self._ask(self.rfile.read(int(self.headers["Content-Length"])))

    def _ask(self, body: bytes) -> None:
        address = urlsplit(self.path)
        environment = {
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": address.path,
            "QUERY_STRING": address.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, env=os.environ | ALONE | environment, capture_output=True, check=True
        )
        self._pass_on(done.stdout)

    def _pass_on(self, answer: bytes) -> None:
        head, _, content = answer.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: the tests say what they have waited for."""
