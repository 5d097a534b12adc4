"""The door of a played kubelet at which the API server fetches the logs of pods."""

import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class KubeletServer:
    """`log_of(namespace, pod)` gives a pod's whole log, or None."""

    def __init__(self, certificates: Path, log_of: Callable[[str, str], str | None]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = urlsplit(self.path)
                parts, query = address.path.strip("/").split("/"), parse_qs(address.query)
                log = log_of(parts[1], parts[2]) if parts[0] == "containerLogs" and len(parts) == 4 else None
                lines = (log or "").splitlines(keepends=True)
                wanted = "".join(lines[-int(query.get("tailLines", [len(lines) or 1])[0]) :])
                body = wanted.encode()[: int(query.get("limitBytes", [2**30])[0])]
                self.send_response(200 if log is not None else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "apiserver.crt", certificates / "apiserver.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
