"""What the servers of a site are, and which client each of them lets in."""

import logging
import threading
from collections.abc import Sequence
from functools import partial

from dynamo_consistency.listers.xrootd.doors import XRootDServer
from dynamo_consistency.listers.xrootd.library import XRootDResponse, XRootDStatus, connect
from dynamo_consistency.listers.xrootd.status import NEEDS_LIBRARY, problem_of

log = logging.getLogger(__name__)

LATECOMERS_SECONDS = 5  # what doors get after the first one has answered


def ask_what_they_are(servers: Sequence[XRootDServer], timeout: int) -> dict[XRootDServer, int]:
    """The `hostinfo` of those that answer in time, all asked at once; `timeout` in seconds.

    A server that does not let our own client in is asked by the library from now on, if it lets that in. The `reason`
    of one that gives no answer says why.
    """
    answers, shut = _ask_all(servers, timeout)
    ours = {server: (server.file_system, server.reason) for server in shut}
    for server in shut:
        server.use(connect(str(server.door), timeout))
    opened = _ask_all(shut, timeout)[0] if shut else {}
    for server, (file_system, reason) in ours.items():
        if server in opened:
            log.warning("%s: it is listed with the XRootD library", reason)
        else:
            server.use(file_system)
            server.reason = f"{reason} (with the XRootD library: {server.reason.removeprefix(f'{server}: ')})"
    return answers | opened


def _ask_all(servers: Sequence[XRootDServer], timeout: int) -> tuple[dict[XRootDServer, int], list[XRootDServer]]:
    """What they are, of those that answer in time, and those that do not let our own client in."""
    answers: dict[XRootDServer, int] = {}
    settled: set[XRootDServer] = set()
    shut: list[XRootDServer] = []
    changed = threading.Condition()

    def note(server: XRootDServer, status: XRootDStatus, response: XRootDResponse, hosts: object = None) -> None:
        bad = problem_of(status, server)
        with changed:
            if bad is None:
                answers[server] = response["hostinfo"]
            else:
                server.reason = bad.failed.reason
            if status["code"] == NEEDS_LIBRARY:
                shut.append(server)
            settled.add(server)
            changed.notify()

    for server in servers:
        server.reason = f"{server} did not answer in time"
        status = server.file_system.protocol(timeout, partial(note, server))
        if not status["ok"]:
            note(server, status, None)
    with changed:
        changed.wait_for(lambda: answers or len(settled) == len(servers), timeout)
        changed.wait_for(lambda: len(settled) == len(servers), min(LATECOMERS_SECONDS, timeout))
        return dict(answers), list(shut)
