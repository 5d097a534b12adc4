"""The command, and how it ends."""

import logging
import signal
import sys
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

import click

from dynamo_consistency import secrets
from dynamo_consistency.cli.checks import run, validate
from dynamo_consistency.cli.convert import convert
from dynamo_consistency.cli.groups import Commands
from dynamo_consistency.cli.inventory import inventory, sites
from dynamo_consistency.cli.notify import notify
from dynamo_consistency.cli.output import ReaderGoneError, use_stderr, use_stdout
from dynamo_consistency.cli.page import page
from dynamo_consistency.cli.runs import findings, history, report
from dynamo_consistency.cli.schema import schema
from dynamo_consistency.cli.serve import serve
from dynamo_consistency.cli.stages import stage
from dynamo_consistency.errors import ConsistencyError, InvalidRunError
from dynamo_consistency.revision import version_message
from dynamo_consistency.run.progress import takes_bars
from dynamo_consistency.run.termination_message import TerminationMessage

log = logging.getLogger("dynamo_consistency")

INTERRUPTED = 130
READER_GONE = 141  # as shells report a command that SIGPIPE has ended


class End(NamedTuple):
    """How a command ends: its exit code and, where an error has ended it, a sentence and what that makes of the run."""

    exit_code: int
    sentence: str = ""
    result: str | None = "Failed"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Entry point of the command: every end of it is one of the documented exit codes.

    SIGTERM, with which Kubernetes ends a pod, is an interruption as Ctrl-C is.
    """
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        message = TerminationMessage()
        end = _run_to_end(arguments, message)
        message.write(*end)
    except KeyboardInterrupt:  # before the command has begun, or once more while it ends
        sys.exit(INTERRUPTED)
    sys.exit(end.exit_code)


def _run_to_end(arguments: Sequence[str] | None, message: TerminationMessage) -> End:
    try:
        use_stderr()
        use_stdout()
        exit_code = command.main(args=arguments, standalone_mode=False, obj=message)
        sys.stdout.flush()
    except click.exceptions.Abort:
        return _complain(End(INTERRUPTED, "interrupted; nothing half-written is left, and the stage can be run again"))
    except click.ClickException as error:
        error.show()
        return End(error.exit_code, error.format_message())
    except ConsistencyError as error:
        result = "Invalid" if isinstance(error, InvalidRunError) else "Failed"
        return _complain(End(error.exit_code, str(error), result))
    except ReaderGoneError:
        return End(READER_GONE, "whoever read the output has gone")
    except Exception as error:
        log.debug("unexpected", exc_info=True)
        how = "run `dynamo-consistency --debug …` and report what it says"
        return _complain(End(1, f"unexpected {type(error).__name__}: {error}; {how}"))
    return End(exit_code if isinstance(exit_code, int) else 0, result=None)


def _complain(end: End) -> End:
    click.echo(secrets.redact(end.sentence), err=True)
    return end


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(None, "-V", "--version", package_name="dynamo-consistency", message=version_message())
@click.option("--debug", is_flag=True, help="Log every step on stderr.")
def command(debug: bool) -> None:
    """Compare a storage site with its inventory: find missing files, orphans, wrong sizes and empty directories."""
    handler = _Handler()
    handler.setFormatter(secrets.RedactingFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, handlers=[handler], force=True)
    told_otherwise = takes_bars(sys.stderr)  # on a terminal bars and the summary tell what the log does elsewhere
    log.setLevel(logging.DEBUG if debug else logging.WARNING if told_otherwise else logging.INFO)


class _Handler(logging.Handler):
    """Writes to stderr as it is at that moment: while there is a bar, lines go above it."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{self.format(record)}\n")


for _command in (
    validate,
    run,
    stage,
    report,
    findings,
    history,
    sites,
    inventory,
    convert,
    notify,
    schema,
    serve,
    page,
):
    command.add_command(_command)
