"""A door in front of a Rucio server, or of none: what passes through it may get lost, late or wrong.

    with Door(server.url) as door:
        door.next = [lose_answer]            what becomes of the next requests that change something; then all is well
        door.seen                            every request: (method, path, headers, body)

A happening is a function of (request, forward): it answers with (status, headers, body), or with None to cut the line.
"""

import contextlib
import json
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import urllib3

from dynamo_consistency.backend.rucio.options import RestOptions
from dynamo_consistency.backend.rucio.rest.client import RestClient

CHANGES = ("/replicas/bad", "/replicas/quarantine")
TOKEN = "root-ddmlab-unknown-0123456789abcdef"


class Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = tuple[int, dict[str, str], bytes] | None
Forward = Callable[[], Answer]
Happening = Callable[[Request, Forward], Answer]


def pass_on(request: Request, forward: Forward) -> Answer:
    return forward()


def lose_request(request: Request, forward: Forward) -> Answer:
    return None


def lose_answer(request: Request, forward: Forward) -> Answer:
    forward()
    return None


def bad_gateway(request: Request, forward: Forward) -> Answer:
    """Rucio has done it, and what stands before it has lost patience."""
    forward()
    return 504, {"Content-Type": "text/html"}, b"<html>Gateway Timeout</html>"


def garbage(request: Request, forward: Forward) -> Answer:
    forward()
    return 201, {"Content-Type": "text/html"}, b"<html>Welcome to the hotel's network</html>"


def late(seconds: float) -> Happening:
    def answer(request: Request, forward: Forward) -> Answer:
        forward()
        time.sleep(seconds)
        return None

    return answer


def saying(status: int, kind: str = "", message: str = "", **headers: str) -> Happening:
    """An error as Rucio tells it; nothing is done."""
    named = {"ExceptionClass": kind, "ExceptionMessage": message} if kind else {}
    body = json.dumps(named).encode()
    return lambda request, forward: (status, {**named, **headers}, body)


def answering(content: Any, status: int = 200, **headers: str) -> Happening:
    """JSON, or bytes as they are."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return lambda request, forward: (status, headers, body)


class Door:
    """Listens on a port of its own, with TLS where there is a certificate. `behind`: the URL of the real server."""

    def __init__(self, behind: str | None = None) -> None:
        self.next: deque[Happening] = deque()
        """For the requests that change something."""
        self.always: dict[str, Happening] = {}
        """By the beginning of the path, whatever is behind."""
        self.seen: list[Request] = []
        self._behind = behind
        self._http = urllib3.PoolManager(retries=False)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def wrap(self, certificate: Path, key: Path, clients: Path | None) -> None:
        """Speak TLS; with `clients`, only to who shows a certificate of theirs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_port}"

    def posts(self) -> list[Any]:
        """The content of each request that changes something."""
        return [json.loads(request.body) for request in self.seen if request.path in CHANGES]

    def __enter__(self) -> "Door":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: Request) -> Answer:
        self.seen.append(request)
        for beginning, happening in self.always.items():
            if request.path.startswith(beginning):
                return happening(request, lambda: self._forward(request))
        happening = self.next.popleft() if request.path in CHANGES and self.next else pass_on
        return happening(request, lambda: self._forward(request))

    def _forward(self, request: Request) -> Answer:
        assert self._behind, f"nobody has said what {request.method} {request.path} is to be answered"
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        answer = self._http.request(
            request.method, self._behind + request.path, headers=headers, body=request.body or None, redirect=False
        )
        kept = {
            name: value for name, value in answer.headers.items() if name.lower().startswith(("x-", "exc", "content-t"))
        }
        return answer.status, kept, answer.data

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = door.answer(Request(self.command, self.path, dict(self.headers), body))
                self.close_connection = answer is None
                if answer is not None:
                    status, headers, content = answer
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)

            do_GET = do_POST = handle_any  # noqa: N815 (http.server's names)

            def log_message(self, *_: object) -> None:
                """Tests say themselves what is of interest."""

            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    super().handle()

        return Handler


def client(url: str, **settings: Any) -> RestClient:
    """A client of the account root; `settings` as they are written in backends.yaml."""
    return RestClient(RestOptions.model_validate({"url": url, "account": "root", **settings}))


@contextlib.contextmanager
def closed() -> Iterator[str]:
    """The URL of a server that is gone."""
    with Door() as door:
        url = door.url
    yield url
