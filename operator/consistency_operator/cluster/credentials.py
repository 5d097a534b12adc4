"""Credentials for the API server: of the pod's service account, or of a kubeconfig."""

import asyncio
import dataclasses
import logging
import os
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import kopf
import yaml

log = logging.getLogger(__name__)

PAUSE = 5.0
"""Seconds before kopf is given credentials again: it would try them at once."""
VALID = timedelta(days=1)
"""After so long kopf asks for credentials anew, which begins its watches anew."""
NO_CREDENTIALS = "there are no credentials for a cluster: run in a pod with a service account, or set KUBECONFIG"
NO_PLUGINS = "the kubeconfig logs in by a plug-in, which needs kubernetes: pip install 'dynamo-consistency[kubeconfig]'"


def log_in(settings: kopf.OperatorSettings) -> kopf.ConnectionInfo:
    """What the pod or the person has. Reads files, and may run a program that the kubeconfig names.

    Raises LoginError, with a sentence, when there is nothing, or nothing that can be understood.
    """
    try:
        info = kopf.login_with_service_account(settings=settings) or kopf.login_with_kubeconfig(settings=settings)
    except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise kopf.LoginError(f"the kubeconfig cannot be understood: {type(error).__name__}: {error}") from error
    if info and (info.token or info.username or info.certificate_path or info.certificate_data):
        return info
    if find_spec("kubernetes") is None and _kubeconfig_has_a_plugin():
        raise kopf.LoginError(NO_PLUGINS)
    return _by_the_official_client(settings) or info or _nothing()


async def log_in_for_kopf(settings: kopf.OperatorSettings, *, again: bool) -> kopf.ConnectionInfo:
    """The same for kopf, which asks (`again`) after each 401. Raises LoginError.

    Credentials that were refused once are never tried again by kopf, though it may be the API server that was wrong: a
    webhook that knows its tokens was away. So no two of ours are equal: each has its own expiration.
    """
    await asyncio.sleep(PAUSE if again else 0)
    info = await asyncio.to_thread(log_in, settings)
    return dataclasses.replace(info, expiration=datetime.now(UTC) + VALID)


def _kubeconfig_has_a_plugin() -> bool:
    files = os.environ.get("KUBECONFIG") or "~/.kube/config"
    found = [path for path in (Path(name).expanduser() for name in files.split(os.pathsep) if name) if path.is_file()]
    users = [user for path in found for user in (yaml.safe_load(path.read_text()) or {}).get("users") or []]
    return any({"exec", "auth-provider"} & set(user.get("user") or {}) for user in users)


def _by_the_official_client(settings: kopf.OperatorSettings) -> kopf.ConnectionInfo | None:
    """Where it is installed, it can ask the plugins and auth providers of a kubeconfig."""
    try:
        return kopf.login_via_client(settings=settings, logger=log)
    except kopf.LoginError:
        return None


def _nothing() -> kopf.ConnectionInfo:
    raise kopf.LoginError(NO_CREDENTIALS)
