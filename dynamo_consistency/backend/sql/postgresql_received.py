"""Bytes that a connection of psycopg has received and libpq has not taken: off the socket, or decrypted by OpenSSL.

libpq shows its callers the connection of OpenSSL by which it reads (`PQsslStruct`). That is read here by the same
OpenSSL, the one in the wheel of psycopg. Certificates, log-in and what is said of errors stay with libpq.
"""

import ctypes
import os
import select
import socket
import time
from functools import cache
from importlib import import_module
from typing import Any, Protocol

READ_AT_ONCE = 1 << 20
_RECORD = 1 << 14
"""Bytes at most of what TLS encrypts at a time; more is not decrypted at once."""
_WAIT_FOR_MORE = 0.001
"""Seconds after the first bytes that were waited for, so that many come at once."""
_NEEDS_MORE = 2
"""OpenSSL's SSL_ERROR_WANT_READ."""


class Received(Protocol):
    """Bytes in their order. What is returned is good until the next call, and empty where nothing more will come."""

    def peek(self) -> memoryview:
        """The next ones, as many as there are at once, after a wait for at least one; libpq can still read them."""
        ...

    def take(self, size: int) -> memoryview:
        """The next ones, at most `size`, after a wait for at least one."""
        ...

    def drop(self, size: int) -> int:
        """How many of the next `size`, at which `peek` has looked, are taken unseen; 0 where none will come."""
        ...

    def close(self) -> None:
        """Leaves the connection as it is."""
        ...


def received(connection: Any) -> Received | None:
    """Of psycopg's PGconn; None where its bytes can only be read by libpq."""
    if not connection.ssl_in_use:
        return _FromSocket(connection.socket)
    library = _openssl()
    encrypted = library and library.PQsslStruct(connection.pgconn_ptr, b"OpenSSL")
    return _Decrypted(connection, library, encrypted) if encrypted else None


def wait(file: int, event: int = select.POLLIN) -> None:
    """Until the socket is ready for it, or has failed."""
    poll = select.poll()
    poll.register(file, event)
    poll.poll()


class _FromSocket:
    def __init__(self, file: int) -> None:
        self._socket = socket.socket(fileno=os.dup(file))
        self._room = memoryview(bytearray(READ_AT_ONCE))
        self._without_copy = 0 if self._socket.family == socket.AF_UNIX else socket.MSG_TRUNC

    def peek(self) -> memoryview:
        return self._room[: self._read(READ_AT_ONCE, socket.MSG_PEEK)]

    def take(self, size: int) -> memoryview:
        return self._room[: self._read(size, 0)]

    def drop(self, size: int) -> int:
        return self._read(size, self._without_copy)

    def close(self) -> None:
        self._socket.close()

    def _read(self, size: int, flags: int) -> int:
        while True:
            try:
                return self._socket.recv_into(self._room, size, flags)
            except BlockingIOError:
                wait(self._socket.fileno())
                time.sleep(_WAIT_FOR_MORE)
            except OSError:
                return 0  # libpq says why


class _Decrypted:
    """`encrypted`: the connection of OpenSSL, an SSL of the `library`, which is there while psycopg's is open."""

    def __init__(self, connection: Any, library: Any, encrypted: int) -> None:
        self._connection, self._library, self._encrypted = connection, library, encrypted
        room = bytearray(_RECORD)
        self._room, self._address = memoryview(room), ctypes.addressof(ctypes.c_char.from_buffer(room))

    def peek(self) -> memoryview:
        return self._room[: self._read(self._library.SSL_peek, len(self._room))]

    def take(self, size: int) -> memoryview:
        return self._room[: self.drop(size)]

    def drop(self, size: int) -> int:
        return self._read(self._library.SSL_read, min(size, len(self._room)))

    def close(self) -> None:
        pass

    def _read(self, function: Any, size: int) -> int:
        while self._connection.pgconn_ptr:  # not closed meanwhile
            self._library.ERR_clear_error()  # as SSL_get_error demands
            got = int(function(self._encrypted, self._address, size))
            if got > 0:
                return got
            if self._library.SSL_get_error(self._encrypted, got) != _NEEDS_MORE:
                break
            wait(self._connection.socket)
            time.sleep(_WAIT_FOR_MORE)
        return 0  # libpq says why


@cache
def _openssl() -> ctypes.CDLL | None:
    """libpq and the OpenSSL that it uses; None where they are not those of psycopg's wheel, which belong together."""
    from psycopg import pq

    if pq.__impl__ != "binary":
        return None
    try:
        library = ctypes.CDLL(import_module("psycopg_binary.pq").__file__)  # with all that it is linked to
        library.PQsslStruct.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        library.PQsslStruct.restype = ctypes.c_void_p
        for function in (library.SSL_peek, library.SSL_read):
            function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
        library.SSL_get_error.argtypes = [ctypes.c_void_p, ctypes.c_int]
        library.ERR_clear_error.restype = None
    except (OSError, AttributeError):
        return None
    return library
