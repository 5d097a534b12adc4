"""`notify`: try the addresses that runs are told to."""

from pathlib import Path

import click

from dynamo_consistency.cli.parameters import FilePath
from dynamo_consistency.notify import process
from dynamo_consistency.notify.messages import Message

_TRIAL = Message(
    "ActionsRequested",
    "A test of dynamo-consistency",
    "What to do: nothing. Somebody wants to know whether messages about runs reach you.\n",
)


@click.command()
@click.argument("urls_file", metavar="FILE", type=FilePath())
def notify(urls_file: Path) -> int:
    """Send a test message to every address in FILE, which holds apprise URLs, one a line.

    The exit code is 1, and a line says why, unless every address has taken it.
    """
    if not process.send(str(urls_file), _TRIAL):
        return 1
    click.echo(f"sent to every address in {urls_file}")
    return 0
