"""An FTP server that can only list (MLSD, RFC 3659): a folder, for anybody, one connection a directory."""

import contextlib
import os
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from pathlib import Path


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._say("220 ready")
        with contextlib.ExitStack() as sockets:
            for line in self.rfile:
                command, _, argument = line.strip().partition(b" ")
                if command == b"PASV":
                    self._door = sockets.enter_context(socket.create_server(("127.0.0.1", 0)))
                    port = self._door.getsockname()[1]
                    self._say(f"227 passive (127,0,0,1,{port // 256},{port % 256})")
                elif command == b"MLSD":
                    self._list(os.fsencode(self.server.folder) + argument)
                else:
                    self._say({b"USER": "230 in", b"TYPE": "200 as you like", b"QUIT": "221 bye"}[command])

    def _list(self, folder: bytes) -> None:
        if not Path(os.fsdecode(folder)).is_dir():
            self._say("550 no such directory")
            return
        self._say("150 here it comes")
        with self._door.accept()[0] as data:
            data.sendall(b"".join(map(_line, os.scandir(folder))))
        self._say("226 that is all")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


def _line(entry: os.DirEntry[bytes]) -> bytes:
    status = entry.stat(follow_symlinks=False)
    what = f"type=file;size={status.st_size}" if entry.is_file(follow_symlinks=False) else "type=OS.unix=slink"
    if entry.is_dir(follow_symlinks=False):
        what = "type=dir"
    changed = time.strftime("%Y%m%d%H%M%S", time.gmtime(status.st_mtime))
    return f"{what};modify={changed}; ".encode() + entry.name + b"\r\n"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    folder: Path


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[int]:
    """Serve `folder`; yields the port."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        server.folder = folder
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
