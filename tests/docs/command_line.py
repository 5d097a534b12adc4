"""Our own commands as the pages write them: read by the real parser, without running anything."""

import click
from consistency_operator.main import main as operator
from stand_ins import Refused

from dynamo_consistency.cli.entry import command

OURS = {"dynamo-consistency": command, "consistency-operator": operator}


def read_line(words: list[str]) -> None:
    """Refuses what the command would refuse before it does anything; a command named with some options is enough."""
    name, *arguments = words
    one: click.Command = OURS[name]
    context: click.Context | None = None
    try:
        while True:
            context = one.make_context(one.name, [*arguments], parent=context)
            if not isinstance(one, click.Group) or not (arguments := [*context._protected_args, *context.args]):
                return
            _, inner, arguments = one.resolve_command(context, arguments)
            assert inner is not None
            one = inner
    except click.exceptions.Exit:  # --help, --version
        return
    except (click.MissingParameter, click.exceptions.NoArgsIsHelpError):
        return
    except click.ClickException as error:
        raise Refused(f"{' '.join(words)}: {error.format_message()}") from None
