"""What must never be asked for or carried out in a true world, whatever the engine was shown of it (`true_world`)."""

from dataclasses import dataclass
from typing import Literal

from simulated import World

Request = Literal["delete", "transfer"]


@dataclass
class Order:
    """A request that waits in the registry: who asked, when, and when it is carried out, unless it is withdrawn."""

    check: str
    run: str
    at: float
    due: float
    began: float
    """When the run began that asked."""


class Judge(World):
    """Judges each request when it is made, and again when it is carried out."""

    since: dict[bytes, float]
    back_since: dict[bytes, float]
    completed: dict[str, list[float]]
    acting_since: float

    def true_name(self, path: bytes) -> bytes:
        raise NotImplementedError

    def claims(self, path: bytes) -> list[bytes]:
        raise NotImplementedError

    def copies(self, path: bytes) -> list[bytes]:
        raise NotImplementedError

    def _judge_deletion(self, path: bytes) -> None:
        super()._judge_deletion(path)
        for entry in self.claims(path):
            if self.since.get(entry, 0.0) <= self.acting_since and self.true_name(path) in self.files:
                self.wrongs.append(f"deletion of {path!r}, which the inventory claims as {entry!r}")

    def _judge_transfer(self, path: bytes) -> None:
        super()._judge_transfer(path)
        entry = self.entries.get(path)
        for copy in self.copies(path):
            if entry is not None and self.files[copy].size == entry.size:
                self.wrongs.append(f"transfer of {path!r}, which is intact as {copy!r}")

    def _seen_since(self, order: Order, moment: float) -> bool:
        """Has a complete run of the check that asked begun after this moment, so that the request was to go?"""
        return moment > order.began and any(began > moment for began in self.completed.get(order.check, ()))

    def _judge_carried_out(self, path: bytes, order: Order) -> None:
        if self.true_name(path) not in self.files:
            return
        for entry in self.claims(path):
            since = self.since.get(entry, 0.0)
            if since <= order.began:
                self.wrongs.append(f"carried out: the deletion of {path!r}, which was claimed as {entry!r} all along")
            elif self._seen_since(order, since):
                self.wrongs.append(f"carried out: the deletion of {path!r}, of which a run knew that it is {entry!r}")

    def _judge_dropped(self, path: bytes, size: int, order: Order) -> None:
        name = self.true_name(path)
        if name in self.files and self.files[name].size == size:
            since = self.back_since.get(name, 0.0)
            if since <= order.began or self._seen_since(order, since):
                self.wrongs.append(f"carried out: the transfer of {path!r}, of which a run knew that it is back")
