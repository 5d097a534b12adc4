"""What the XRootD bindings can do at best: asks for every directory of a tree and throws the answers away.

No program in Python on these bindings can list faster in one process; ours is measured against it.
"""

import gc
import os
import sys
import threading
from collections import deque
from typing import Any

from dynamo_consistency.listers.xrootd.library import IS_DIRECTORY, STAT, connect


def main(url: str, top: str, window: int) -> None:
    gc.disable()
    server = connect(url, 60)
    waiting, under_way, finished = deque([top]), {top}, threading.Event()

    def ask() -> None:
        directory = waiting.popleft()
        server.dirlist(directory, STAT, 60, lambda status, response, hosts: answered(directory, status, response))

    def answered(directory: str, status: dict[str, Any], response: Any) -> None:
        if not status["ok"]:
            print(status["message"], file=sys.stderr)
            os._exit(1)
        below = [
            f"{directory}/{entry['name']}" for entry in response["dirlist"] if entry["statinfo"]["flags"] & IS_DIRECTORY
        ]
        under_way.update(below)
        waiting.extend(below)
        under_way.remove(directory)
        while waiting and len(under_way) - len(waiting) < window:
            ask()
        if not under_way:
            finished.set()

    ask()
    finished.wait()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
