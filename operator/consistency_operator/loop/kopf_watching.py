"""kopf's watches, lasting: one that fails, in whatever way, is begun again, and ends neither the operator nor others.

One that stays open and brings nothing is begun anew, with a list, when the census asks for that (`renew`). A namespace
that may not be watched would keep all checks of all others waiting for its list, and after a minute kopf
(1.45) would end the process. Here its list counts as empty until it may be read. kopf offers no setting for that, so
that what it calls is replaced before it begins; `census` tells people of it.
"""

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, cast
from weakref import WeakSet

import kopf
from kopf._cogs.clients import errors, watching

from consistency_operator.cluster.digest import digested

log = logging.getLogger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds between two attempts: longer each time, until the first answer."""

Events = AsyncGenerator[Any, None]

_watch = watching.infinite_watch
_readings: WeakSet[asyncio.Task[None]] = WeakSet()


def renew() -> None:
    """Begin all watches anew, with a list: one of them stays open and brings nothing."""
    for reading in list(_readings):
        reading.cancel()


async def lasting_watch(*, settings: kopf.OperatorSettings, **what: Any) -> AsyncIterator[Any]:
    """As kopf's `infinite_watch`, but nothing that the server says, or that answers in its place, ends it.

    Raises LoginError where there are no credentials any more: those of a new process may be others.
    """
    at_once = dataclasses.replace(settings.networking, error_backoffs=())  # tried again here, and not there as well
    settings = dataclasses.replace(settings, networking=at_once)
    pause = FIRST_PAUSE
    while True:
        try:
            async with contextlib.aclosing(_in_one_task(cast(Events, _watch(settings=settings, **what)))) as events:
                async for event in events:
                    pause = FIRST_PAUSE
                    yield event
        except kopf.LoginError:
            raise
        except Exception as error:  # noqa: BLE001 (a page of a proxy, half a line: kopf expects neither)
            namespace = what.get("namespace")
            where = "all namespaces" if namespace is None else f"the namespace {namespace}"
            said = f"{type(error).__name__} {error}"
            log.warning("%s of %s cannot be watched, again in %.0f s: %s", what["resource"], where, pause, said)
            if isinstance(error, errors.APIForbiddenError):
                yield watching.Bookmark.LISTED
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


async def _in_one_task(events: Events) -> Events:
    """`events`, digested, until a renewal. One task reads them all: kopf's timeout for silence is bound to its task."""
    arrived: asyncio.Queue[Any] = asyncio.Queue()
    reading = asyncio.create_task(_read(events, arrived))
    _readings.add(reading)
    try:
        while (event := await arrived.get()) is not None:
            yield event
        await asyncio.wait({reading})
        if not reading.cancelled():
            reading.result()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await events.aclose()


async def _read(events: Events, arrived: asyncio.Queue[Any]) -> None:
    """Put all `events` into the queue, and None behind the last."""
    try:
        async for event in events:
            arrived.put_nowait(event if isinstance(event, watching.Bookmark) else _digested(event))
    finally:
        arrived.put_nowait(None)


def _digested(event: Any) -> Any:
    """kopf keeps each event until all has been listed: thousands, of which much more is not looked at than is."""
    return event if event.get("type") == "BOOKMARK" else {**event, "object": digested(event["object"])}


def install() -> None:
    """Use `lasting_watch` for all operators of this process that start from now on."""
    watching.infinite_watch = lasting_watch
