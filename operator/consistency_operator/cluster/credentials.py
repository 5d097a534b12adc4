"""Credentials for the API server: of the pod's service account, or of a kubeconfig."""

import logging

import kopf

log = logging.getLogger(__name__)

NO_CREDENTIALS = "there are no credentials for a cluster: run in a pod with a service account, or set KUBECONFIG"


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
    return _by_the_official_client(settings) or info or _nothing()


def _by_the_official_client(settings: kopf.OperatorSettings) -> kopf.ConnectionInfo | None:
    """Where it is installed, it can ask the plugins and auth providers of a kubeconfig."""
    try:
        return kopf.login_via_client(settings=settings, logger=log)
    except kopf.LoginError:
        return None


def _nothing() -> kopf.ConnectionInfo:
    raise kopf.LoginError(NO_CREDENTIALS)
