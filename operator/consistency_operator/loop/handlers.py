"""kopf's decorators, and nothing else: changes in the cluster go into an index, and the supervisor enqueues the check.

No finalizers, no annotations on checks, no timers or daemons: those would be written to the resource, or end silently
when a write fails. No `worker_limit`: together with an index it keeps the operator from ever starting.
"""

import logging
import os
from typing import Any

import kopf

from consistency_operator.cluster.api import PAGE_SIZE, Body
from consistency_operator.cluster.credentials import log_in, log_in_for_kopf
from consistency_operator.cluster.digest import DIGESTED, KnownCheck, check_of, key_of
from consistency_operator.loop import kopf_startup, kopf_watching
from consistency_operator.loop.service import Service
from consistency_operator.names import API_VERSION, LABEL_CHECK, PLURAL, CheckKey
from consistency_operator.settings import read_settings

WATCH_SECONDS = 300
"""After so long a watch is begun anew, so that a connection that was lost silently is noticed."""
EXIT_SECONDS = 0.5

kopf_startup.install()
kopf_watching.install()


@kopf.on.startup(errors=kopf.ErrorsMode.PERMANENT)
async def start(settings: kopf.OperatorSettings, memo: kopf.Memo, **indexes: Any) -> None:
    """Set kopf up and start the service. Raises ConfigurationError, or OSError when a port is taken."""
    settings.scanning.disabled = True  # else the operator needs rights to list CRDs and namespaces, or sleeps a minute
    settings.posting.enabled = False  # events are posted by the reconciler
    settings.persistence.diffbase_storage = kopf_startup.NoDifferences()
    settings.watching.chunk_size = PAGE_SIZE
    settings.watching.label_selectors["jobs"] = LABEL_CHECK
    settings.watching.server_timeout = WATCH_SECONDS
    settings.watching.client_timeout = WATCH_SECONDS + 30
    settings.queueing.exit_timeout = EXIT_SECONDS
    settings.networking.request_timeout = 60
    for noisy in ("kopf.objects", "aiohttp.access"):  # a line for each event
        logging.getLogger(noisy).setLevel(logging.WARNING)
    memo.service = Service(
        read_settings(os.environ),
        lambda: log_in(settings),
        indexes["checks"],
        indexes["jobs"],
        renew=kopf_watching.renew,
    )
    await memo.service.start()


@kopf.on.cleanup()
async def stop(memo: kopf.Memo, **_: Any) -> None:
    """Stop the service."""
    await memo.service.stop()


@kopf.on.login()
async def log_in_kopf(settings: kopf.OperatorSettings, memo: kopf.Memo, **_: Any) -> kopf.ConnectionInfo:
    """The credentials for kopf's own watches."""
    again, memo.logged_in = "logged_in" in memo, True
    return await log_in_for_kopf(settings, again=again)


@kopf.index(API_VERSION, PLURAL, id="checks")
async def index_check(body: kopf.Body, **_: Any) -> dict[CheckKey, KnownCheck]:
    """Every check, by its key. (Were this no coroutine, each would be indexed in a thread.)"""
    return {key_of(body): body[DIGESTED]}


@kopf.index("batch/v1", "jobs", id="jobs")
async def index_job(body: kopf.Body, **_: Any) -> dict[CheckKey, Body]:
    """Every Job of a check, by the key of the check; what is not looked at has been left out already."""
    key = check_of(body)
    return {key: dict(body)} if key else {}


@kopf.on.event(API_VERSION, PLURAL)
async def check_changed(event: kopf.RawEvent, body: kopf.Body, memo: kopf.Memo, **_: Any) -> None:
    """A check was made, changed or deleted."""
    memo.service.check_changed(dict(body), deleted=event["type"] == "DELETED")


@kopf.on.event("batch/v1", "jobs")
async def job_changed(event: kopf.RawEvent, body: kopf.Body, memo: kopf.Memo, **_: Any) -> None:
    """A Job of a check was made, changed or deleted."""
    memo.service.job_changed(dict(body), deleted=event["type"] == "DELETED")
