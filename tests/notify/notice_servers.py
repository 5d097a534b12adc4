"""Servers on real sockets that take messages: mail and webhooks, and such as do not take them."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


@dataclass
class WebHook:
    """What a webhook was sent, and the URL by which apprise sends to it."""

    port: int
    scheme: str = "json"
    status: int = 200
    received: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook-of-secrets?+X-Token=tokenofours"

    @property
    def subjects(self) -> list[str]:
        return [each["title"] for each in self.received]


@contextmanager
def webhook(certificate: tuple[Path, Path] | None = None) -> Iterator[WebHook]:
    """`certificate`: a certificate and its key, that nobody has signed but itself."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook = WebHook(server.server_address[1], "jsons" if certificate else "json")
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class MailServer:
    """The mails that a server has taken, from one user and password."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)

    def url(self, more: str = "") -> str:
        to = "from=consistency@example.org&to=expert@example.org"
        return f"mailto://robot:passwordofours{more}@127.0.0.1:{self.port}?{to}"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]


class _OnAnyPort(Controller):
    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    controller = _OnAnyPort(
        server,
        hostname="127.0.0.1",
        port=0,
        auth_require_tls=False,
        authenticator=lambda *given: AuthResult(success=given[4].password == b"passwordofours", handled=False),
    )
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()


@contextmanager
def silent_server() -> Iterator[int]:
    """The port of a server that takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def refusing_port() -> Iterator[int]:
    """A port at which nobody listens, and nobody else will while it is held."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
