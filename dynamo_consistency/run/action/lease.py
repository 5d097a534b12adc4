"""A lock in an object store: an object that its holder creates, renews while it works, and gives up at the end.

`action-lease-NNNNN.json` in the site's folder; the highest number counts. Who finds it given up, or no longer renewed,
creates the next one, which only one can do; nobody overwrites or deletes the lease of another who may still hold it.
Clocks of two hosts may differ: a lease that looks old is watched for a while before it is taken over.
"""

import contextlib
import json
import logging
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.action.journal import under_way
from dynamo_consistency.run.store.storage import Storage

log = logging.getLogger(__name__)

RENEW_SECONDS = 10.0
VALID_SECONDS = 60.0
WATCH_SECONDS = 30.0
_NAME = re.compile(r"action-lease-([0-9]{5,})\.json")


class Lease:
    """The lease of one action on a site. `storage` is the site's folder."""

    def __init__(self, storage: Storage, site: str) -> None:
        self._storage, self._site = storage, site
        self._number = 0
        self._holder = f"{socket.gethostname()} {os.getpid()} {os.urandom(8).hex()}"
        self._ended = threading.Event()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Take the lease and renew it until the end of the block. Raises ConsistencyError when another has it."""
        self._take()
        renewing = threading.Thread(target=self._renew, name="lease", daemon=True)
        renewing.start()
        try:
            yield
        finally:
            self._ended.set()
            renewing.join()
            with contextlib.suppress(ConsistencyError):  # it is no longer renewed anyhow
                if self._is_highest():
                    self._write(released=True)

    def confirm(self) -> None:
        """Raises ConsistencyError when another action has taken over, because this one was silent for too long.

        Or because both have created one object, in a store that does not know what it is to create one.
        """
        if not (self._is_highest() and self._is_ours()):
            raise ConsistencyError(under_way(self._site, "nothing more"))

    def _take(self) -> None:
        last = max(self._numbers(), default=0)
        if last and not self._may_be_taken(last):
            raise ConsistencyError(under_way(self._site))
        self._number = last + 1
        if not (self._creates(_name(self._number)) and self._is_highest()):
            raise ConsistencyError(under_way(self._site))
        for number in self._numbers():
            if number < self._number:
                self._storage.remove(_name(number))

    def _creates(self, name: str) -> bool:
        """A store that answers at the second time may take what we have created for another's."""
        return self._storage.create(name, self._record()) or self._is_ours()

    def _may_be_taken(self, number: int) -> bool:
        """Given up, or not renewed for long and not while it is watched either."""
        seen = self._read(number)
        if seen.get("released") is True:
            return True
        renewed_at = seen.get("renewedAt")
        if isinstance(renewed_at, int | float) and abs(time.time() - renewed_at) < VALID_SECONDS:
            return False
        log.info("the action of %s that holds the lease seems to have died; it is watched", self._site)
        time.sleep(WATCH_SECONDS)
        return self._read(number) == seen

    def _is_highest(self) -> bool:
        return max(self._numbers(), default=0) == self._number

    def _is_ours(self) -> bool:
        return self._read(self._number).get("holder") == self._holder

    def _numbers(self) -> list[int]:
        found = map(_NAME.fullmatch, self._storage.entries("", "file"))
        return [int(match[1]) for match in found if match]

    def _read(self, number: int) -> dict[str, Any]:
        """Empty for what is garbled."""
        try:
            with self._storage.reading(_name(number)) as path:
                record = json.loads(path.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}

    def _renew(self) -> None:
        while not self._ended.wait(RENEW_SECONDS):
            try:
                self._write()
            except ConsistencyError as error:
                log.warning("the lease of the action of %s could not be renewed: %s", self._site, error)

    def _write(self, released: bool = False) -> None:
        with self._storage.writing(_name(self._number)) as path:
            path.write_bytes(self._record(released))

    def _record(self, released: bool = False) -> bytes:
        return json.dumps({"holder": self._holder, "renewedAt": time.time(), "released": released}).encode()


def _name(number: int) -> str:
    return f"action-lease-{number:05d}.json"
