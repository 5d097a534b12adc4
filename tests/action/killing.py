"""A process that runs the real command, and kills itself (SIGKILL) at a given moment.

The moments, counted from 1: after each file that it writes (but reports, which decide nothing), and after each call of
the registry. There is no moment 0: with that it lives.
"""

import contextlib
import os
import signal
import sys

from dynamo_consistency.cli import main
from dynamo_consistency.run.action import action, requests
from dynamo_consistency.run.store.run_directory import RunDirectory


def arm(fatal: int) -> None:
    moments = 0
    writing, create, request = RunDirectory.writing, RunDirectory.create, requests.request

    def moment() -> None:
        nonlocal moments
        moments += 1
        if moments == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextlib.contextmanager
    def writing_in_danger(self, name):
        with writing(self, name) as path:
            yield path
        if not name.startswith("reports/"):
            moment()

    def create_in_danger(self, name, data):
        created = create(self, name, data)
        moment()
        return created

    def request_in_danger(*arguments, **options):
        outcomes = request(*arguments, **options)
        moment()
        return outcomes

    RunDirectory.writing = writing_in_danger
    RunDirectory.create = create_in_danger
    action.requests.request = request_in_danger


def child(fatal: int, folder: str, arguments: list[str]) -> None:
    """What a forked process does; its end is that of the command."""
    os.chdir(folder)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        sys.stdout = sys.stderr = nowhere
        arm(fatal)
        main(arguments)
