"""A connection whose socket never waits: what is to be sent goes out as far as it goes, what has come is taken."""

import socket
import ssl

READ_BYTES = 1 << 18
MOST_IN_A_TURN = 1 << 20
"""Bytes of one connection; then the others have their turn."""

_LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Stream:
    """A `loop.Watched`. `connected` does not block. All of it is used on the loop's thread."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self._out = bytearray()
        self._closed = False

    def received(self, data: bytes) -> None:
        """The next bytes that have come."""
        raise NotImplementedError

    def lost(self, error: OSError | None) -> None:
        """The connection broke; it is closed already. None: the other side has ended it."""
        raise NotImplementedError

    def flush(self) -> bool:
        """As `loop.Watched`."""
        try:
            while self._out:
                del self._out[: self.socket.send(self._out)]
        except _LATER:
            return False
        except OSError as error:
            self._lose(error)
        return True

    def readable(self) -> None:
        """As `loop.Watched`."""
        taken = 0
        try:
            while not self._closed:
                data = self.socket.recv(READ_BYTES)
                if not data:
                    self._lose(None)
                    return
                self.received(data)
                taken += len(data)
                if not isinstance(self.socket, ssl.SSLSocket):
                    return
                if taken > MOST_IN_A_TURN and not self.socket.pending():
                    return  # TLS keeps what it has read, and no selector sees that
        except _LATER:
            return
        except OSError as error:
            self._lose(error)

    def close(self) -> None:
        """Drop everything; `lost` is not called."""
        self._closed = True
        self._out.clear()
        self.socket.close()

    def _lose(self, error: OSError | None) -> None:
        if not self._closed:
            self.close()
            self.lost(error)
