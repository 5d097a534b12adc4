"""One logged-in connection: questions go out under numbers, whole answers come in under the same ones."""

import socket
from collections.abc import Callable
from typing import Protocol

from dynamo_consistency.listers.loop.stream import Stream
from dynamo_consistency.listers.xrootd.wire.frames import (
    FIRST_STREAM,
    STREAMS,
    WAITRESP,
    Broken,
    Frames,
    WholeAnswer,
    request,
)


class Question:
    """A request to a server and who wants its answer: `done(status, body)`, once.

    `deadline` is in monotonic seconds, `sent` is when it went to the connection that it is on. `lost` counts the
    connections that broke under it, `hops` the redirections that it has followed.
    """

    __slots__ = ("deadline", "done", "hops", "kind", "lost", "parameters", "path", "sent")

    def __init__(self, kind: int, parameters: bytes, path: bytes, deadline: float, done: "Done") -> None:
        self.kind, self.parameters, self.path, self.deadline, self.done = kind, parameters, path, deadline, done
        self.sent = 0.0
        self.lost = self.hops = 0


Done = Callable[[dict[str, object], bytes | None], None]


class Owner(Protocol):
    """To whom a connection belongs. Called on the loop's thread."""

    def answered(self, connection: "Connection", question: Question, answer: WholeAnswer) -> None:
        """A question was answered, wholly."""

    def broke(self, connection: "Connection", reason: str) -> None:
        """Nothing more will come."""


class Connection(Stream):
    """All of it is used on the loop's thread. `heard` is when the server last said anything, by that thread's clock."""

    def __init__(self, connected: socket.socket, owner: Owner, clock: Callable[[], float]) -> None:
        super().__init__(connected)
        self._owner, self._clock = owner, clock
        self.pending: dict[int, Question] = {}
        self.heard = clock()
        self.answers = 0
        self._frames = Frames()
        self._free: list[int] = []
        self._next = FIRST_STREAM
        self._given_up: set[int] = set()

    def has_room(self) -> bool:
        """Whether there is a number for one more question."""
        return bool(self._free) or self._next < STREAMS

    def ask(self, question: Question) -> None:
        """Put a question among what is to be sent."""
        if self._free:
            stream = self._free.pop()
        else:
            stream, self._next = self._next, self._next + 1
        question.sent = self._clock()
        self.pending[stream] = question
        self._out += request(stream, question.kind, question.parameters, question.path)

    def give_up(self, now: float) -> list[Question]:
        """The questions whose time is over. Their numbers are not used again before their answers have come."""
        late = [stream for stream, question in self.pending.items() if question.deadline <= now]
        for stream in late:
            self._given_up.add(stream)
            self._frames.drop(stream)
        return [self.pending.pop(stream) for stream in late]

    def received(self, data: bytes) -> None:
        """As `stream.Stream`."""
        self.heard = self._clock()
        try:
            for answer in self._frames.feed(data):
                self._take(answer)
        except Broken as error:
            self._break(str(error))

    def lost(self, error: OSError | None) -> None:
        """As `stream.Stream`."""
        reason = "the server closed the connection" if error is None else error.strerror or str(error)
        self._owner.broke(self, reason)

    def _take(self, answer: WholeAnswer) -> None:
        stream = answer.stream
        if answer.status == WAITRESP:
            return  # it comes by itself, under the same number, and the time limit goes on
        question = self.pending.pop(stream, None)
        if question is not None:
            self._free.append(stream)
            self.answers += 1
            self._owner.answered(self, question, answer)
        elif stream in self._given_up:
            self._given_up.remove(stream)
            self._free.append(stream)

    def _break(self, reason: str) -> None:
        if not self._closed:
            self.close()
            self._owner.broke(self, reason)
