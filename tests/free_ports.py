"""Ports for servers that tests start."""

import contextlib
import random
import socket


def free_port() -> int:
    """One below those that the system hands out, so that no connection of another test takes it before we do."""
    while True:
        port = random.randrange(15_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
