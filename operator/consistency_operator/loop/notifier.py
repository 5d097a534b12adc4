"""Sends messages about checks, one process at a time, beside everything else: nothing ever waits for it.

Where many come together, as when a database is down, they are sent as one. What cannot be sent is one line of the log,
and is not tried again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from consistency_operator.loop.notices import notices
from consistency_operator.resource.check import Resource
from consistency_operator.resource.status import CheckStatus
from consistency_operator.settings import OperatorSettings
from dynamo_consistency.notify import process
from dynamo_consistency.notify.messages import Message, digest
from dynamo_consistency.notify.sending import INSTALL

log = logging.getLogger(__name__)

GATHERING = 5.0
"""Seconds in which messages are gathered before they are sent."""
MOST_SINGLE = 5
"""Of messages that are gathered, more are sent as one."""
MOST_KEPT = 1000
PATIENCE = 5.0
"""Seconds that the operator's end may take for what was not sent yet."""


class Notifier:
    """Does nothing where the settings name no addresses."""

    def __init__(self, settings: OperatorSettings) -> None:
        self._file = settings.notify_urls_file
        self._events = settings.notify_events
        self._waiting: list[Message] = []
        self._some = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        if self._file and not Path(self._file).is_file():
            log.warning("nobody is notified until there are addresses in %s (CONSISTENCY_NOTIFY_URLS_FILE)", self._file)
        if self._file and find_spec("apprise") is None:
            log.warning(INSTALL)

    def wrote(self, resource: Resource, before: CheckStatus, after: CheckStatus) -> None:
        """A status was written: what is to be told of it is told soon. Never raises."""
        if not self._file:
            return
        try:
            self._waiting += notices(resource, before, after, self._events)
        except Exception:
            log.exception("%s: nobody could be notified", resource.key)
        del self._waiting[:-MOST_KEPT]
        if self._waiting:
            self._some.set()

    async def run(self) -> None:
        """Send, for ever."""
        while True:
            await self._some.wait()
            await asyncio.sleep(GATHERING)
            self._sending = asyncio.create_task(self._send_all())
            await asyncio.shield(self._sending)  # what is on its way may arrive although the operator ends

    async def stop(self) -> None:
        """Send what is on its way or waits, if that is soon done."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                if self._sending:
                    await self._sending
                await self._send_all()
        for message in self._waiting:
            process.not_sent(message, "the operator ends")

    async def _send_all(self) -> None:
        while self._waiting:
            together = len(self._waiting) > MOST_SINGLE
            messages = list(self._waiting) if together else self._waiting[:1]
            del self._waiting[: len(messages)]
            await self._send(messages)
        self._some.clear()

    async def _send(self, messages: Sequence[Message]) -> None:
        message = messages[0] if len(messages) == 1 else digest(messages)
        try:
            async with asyncio.timeout(process.longest()):
                await self._process(message)
        except TimeoutError:
            process.not_in_time(message)
        except asyncio.CancelledError:
            process.not_sent(message, "the operator ends")
            raise
        except Exception as error:  # noqa: BLE001 (a message is no reason to stop sending others)
            process.not_sent(message, f"{type(error).__name__}: {error}")

    async def _process(self, message: Message) -> None:
        sending = await asyncio.create_subprocess_exec(
            *process.command(self._file),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            output, _ = await sending.communicate(message.to_json().encode())
        finally:
            if sending.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    sending.kill()
                await sending.wait()
        process.report(message, sending.returncode, output)
