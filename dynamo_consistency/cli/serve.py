"""`serve`: the runs of all sites in a browser."""

import importlib
import ipaddress
import logging
import re
from typing import Any

import click

from dynamo_consistency.cli.parameters import store_option
from dynamo_consistency.cli.shared import store_to_show
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.secrets import redact

log = logging.getLogger(__name__)


@click.command()
@store_option
@click.option("--listen", metavar="HOST:PORT", default="127.0.0.1:8080", show_default=True, help="Where it answers.")
@click.option(
    "--host-name",
    "host_names",
    metavar="NAME",
    multiple=True,
    help="A name by which browsers call it, beside localhost and addresses; * for any. May be given several times.",
)
@click.option("--root-path", metavar="/PREFIX", default="", help="What a reverse proxy puts before every path.")
@click.option(
    "--user-header", metavar="NAME", help="Header in which a reverse proxy tells who asks, to be shown on the pages."
)
@click.option(
    "--resources", "in_cluster", is_flag=True, help="In a pod that may list checks: show next runs and the queue."
)
def serve(
    *,
    store_url: str | None,
    listen: str,
    host_names: tuple[str, ...],
    root_path: str,
    user_header: str | None,
    in_cluster: bool,
) -> int:
    """Show all sites and their runs in a browser.

    It only reads the store, and has no log-in: whoever reaches its address sees everything. By default that is this
    machine alone. JSON is below /api/v1/, metrics for Prometheus are at /metrics.
    """
    service = web_part("server", "serve")
    store = store_to_show(store_url)
    address = service.Address.read(listen)
    app, view = web_part("app", "serve"), web_part("view", "serve")
    access = web_part("guard", "serve").Access(_host_names(host_names), _prefix(root_path), _header(user_header))
    resources = web_part("resources", "serve").Resources.of_this_pod() if in_cluster else None
    with view.open_view(store, resources) as opened:
        opened.index.fleet()
        listening = service.bound(address)
        with listening:
            where = f"{service.url_of(listening)}{access.root_path}/"
            click.echo(f"{redact(store.url)} on {where} (Ctrl-C ends it)", err=True)
            if not _is_loopback(listening.getsockname()[0]):
                log.warning("whoever reaches this address can read everything: let a proxy with a log-in stand before")
            service.serve(app.application(opened, access), listening)
    return 0


def web_part(name: str, command: str) -> Any:
    """A module of the web service. Raises ConfigurationError where the packages that it needs are not installed."""
    try:
        return importlib.import_module(f"dynamo_consistency.web.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("dynamo_consistency"):
            raise
        raise ConfigurationError(
            f"{command} needs the package {error.name}: pip install 'dynamo-consistency[web]'"
        ) from None


def _host_names(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name != "*" and not re.fullmatch(r"[\w.-]+", name, re.ASCII):
            raise ConfigurationError(
                f"--host-name wants a name without scheme and port, such as consistency.example.org; it is {name!r}"
            )
    return names


def _header(name: str | None) -> str | None:
    if name is not None and not re.fullmatch(r"[\w-]+", name, re.ASCII):
        raise ConfigurationError(f"--user-header wants the name of a header, such as X-Forwarded-User; it is {name!r}")
    return name


def _prefix(root_path: str) -> str:
    prefix = root_path.rstrip("/")
    if prefix and not re.fullmatch(r"(/[\w.~-]+)+", prefix, re.ASCII):
        raise ConfigurationError(f"--root-path wants a path, such as /consistency; it is {root_path!r}")
    return prefix


def _is_loopback(host: str) -> bool:
    return ipaddress.ip_address(host.partition("%")[0]).is_loopback
