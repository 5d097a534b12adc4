"""`consistency-operator`: the command of the operator's container.

What only the operator needs is imported when it serves: the command is there without that, too.
"""

import asyncio
import logging
import os
import socket
import sys
from importlib import import_module

import click
from pydantic.fields import FieldInfo

from consistency_operator.names import API_VERSION, KIND
from consistency_operator.settings import VARIABLE_PREFIX, OperatorSettings, read_settings
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.revision import version_message

_EXTRA = ("aiohttp", "kopf", "prometheus_client")


def _explained(name: str, field: FieldInfo) -> str:
    default = ":".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
    fallback = "Required." if field.is_required() else f"Default: {default}." if default else ""
    return f"{VARIABLE_PREFIX}{name.upper()}\n    {field.description} {fallback}".rstrip()


EPILOG = "\b\n" + "\n".join(_explained(*setting) for setting in OperatorSettings.model_fields.items())


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 200})
@click.version_option(None, "-V", "--version", package_name="dynamo-consistency", message=version_message())
def main() -> None:
    """Keeps SiteConsistencyCheck resources: runs their checks by Jobs, and records what they found."""


@main.command(epilog=EPILOG)
def run() -> None:
    """Serve checks until SIGTERM. All settings are environment variables:"""
    try:
        _need_extra()
        settings = read_settings(os.environ)
        _try_what_may_fail(settings)
    except ConfigurationError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    _serve(settings)


def _need_extra() -> None:
    """Raises ConfigurationError where what the operator needs beyond the engine is not installed."""
    for name in _EXTRA:
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"the operator needs {error.name or name}: pip install 'dynamo-consistency[operator]'"
            ) from None


def _serve(settings: OperatorSettings) -> None:
    import kopf

    kopf.configure(debug=settings.log_level == "DEBUG", quiet=settings.log_level == "WARNING")
    import_module("consistency_operator.loop.handlers")  # its decorators register them
    logging.getLogger(__name__).info("serving %s", ", ".join(settings.namespaces) or "all namespaces")
    kopf.run(
        standalone=True,
        clusterwide=not settings.namespaces,
        namespaces=settings.namespaces,
    )


def _try_what_may_fail(settings: OperatorSettings) -> None:
    """Try what would else end the operator with a traceback. Raises ConfigurationError, with a sentence."""
    for name, address in (("HEALTH", settings.health_listen), ("METRICS", settings.metrics_listen)):
        try:
            socket.create_server(address).close()
        except OSError as error:
            where = ":".join(map(str, address))
            raise ConfigurationError(
                f"{VARIABLE_PREFIX}{name}_LISTEN={where} cannot be served: {os.strerror(error.errno or 0)}"
            ) from error
    import kopf

    from consistency_operator.cluster.credentials import log_in

    try:
        log_in(kopf.OperatorSettings())
    except kopf.LoginError as error:
        raise ConfigurationError(str(error)) from error
    if not asyncio.run(_kind_is_known()):
        raise ConfigurationError(f"the cluster knows no {KIND} of {API_VERSION}: apply crds/, or those of this release")


async def _kind_is_known() -> bool:
    """kopf would look for the kind once, and wait for ever. Where the server does not answer, kopf tries longer."""
    import kopf

    from consistency_operator.cluster.api import Cluster
    from consistency_operator.cluster.api_error import ApiError
    from consistency_operator.cluster.credentials import log_in

    cluster = Cluster(lambda: log_in(kopf.OperatorSettings()))
    try:
        return await cluster.knows_the_kind()
    except ApiError:
        return True
    finally:
        await cluster.close()
