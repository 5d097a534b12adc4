"""A control plane to try things on, until Ctrl-C: `python -m cluster` in tests/e2e."""

import signal
import threading

from cluster.control_plane import running
from cluster.played_node import PlayedNode


def main() -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with running() as plane, PlayedNode(plane):
        print(f"export KUBECONFIG={plane.kubeconfig}", flush=True)
        stop.wait()


main()
