"""Two ends of one connection by TLS: one is OpenSSL's as libpq has it, the other one Python's."""

import contextlib
import ctypes
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from postgresql_tls import certificate

from dynamo_consistency.backend.sql import postgresql_received


@cache
def _server_side() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("certificate", "key")]
        for file, content in zip(files, certificate(), strict=True):
            file.write_bytes(content)
        context.load_cert_chain(*files)
    return context


@cache
def _library() -> ctypes.CDLL:
    library = postgresql_received._openssl()
    assert library is not None
    for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
        getattr(library, name).restype = ctypes.c_void_p
    for name in ("SSL_CTX_new", "SSL_new", "SSL_connect", "SSL_free", "SSL_CTX_free"):
        getattr(library, name).argtypes = [ctypes.c_void_p]
    library.SSL_set_fd.argtypes = [ctypes.c_void_p, ctypes.c_int]
    return library


@contextlib.contextmanager
def pair() -> Iterator[tuple[postgresql_received.Received, ssl.SSLSocket]]:
    """(what our end has received, their end). Ours has no certificate of theirs to trust, and asks for none."""
    ours, theirs = socket.socketpair()
    library, accepted = _library(), []
    accepting = threading.Thread(target=lambda: accepted.append(_server_side().wrap_socket(theirs, server_side=True)))
    accepting.start()
    context = library.SSL_CTX_new(library.TLS_client_method())
    encrypted = library.SSL_new(context)
    try:
        library.SSL_set_fd(encrypted, ours.fileno())
        assert library.SSL_connect(encrypted) == 1
        accepting.join()
        ours.setblocking(False)
        connection = SimpleNamespace(pgconn_ptr=1, socket=ours.fileno())
        with ours, accepted[0]:
            yield postgresql_received._Decrypted(connection, library, encrypted), accepted[0]
    finally:
        library.SSL_free(encrypted)
        library.SSL_CTX_free(context)
