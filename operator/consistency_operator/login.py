"""Credentials for the API server: of the pod's service account, or of a kubeconfig."""

import logging

import kopf

log = logging.getLogger(__name__)


def log_in(settings: kopf.OperatorSettings) -> kopf.ConnectionInfo:
    """What the pod or the person has. Reads files, and may run a program that the kubeconfig names.

    Raises LoginError, with a sentence, when there is nothing.
    """
    info = kopf.login_with_service_account(settings=settings) or kopf.login_with_kubeconfig(settings=settings)
    if info is None or not (info.token or info.username or info.certificate_path or info.certificate_data):
        # a plugin or an auth provider must be asked: only the official client, where it is installed, can do that
        info = kopf.login_via_client(settings=settings, logger=log) or info
    if info is None:
        raise kopf.LoginError("there are no credentials: run in a pod with a service account, or set KUBECONFIG")
    return info
