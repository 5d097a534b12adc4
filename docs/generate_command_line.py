"""Writes what derives from the command line: `reference/commands.md`, and in `share/` the manual page, the completions
of shells and the schema of a check, which the wheel installs: `python docs/generate_command_line.py`.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from dynamo_consistency.check.json_schema import json_schema
from dynamo_consistency.cli.entry import command

NAME = "dynamo-consistency"
DOCS = Path(__file__).parent
SHARE = DOCS.parent / "share"

SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}

ENVIRONMENT = {
    "DYNAMO_CONSISTENCY_STORE": "Path or URL of the folder with all runs, where --store does not say it.",
    "DYNAMO_CONSISTENCY_BACKENDS": "The file that names the inventories, where --backends does not say it.",
    "DYNAMO_CONSISTENCY_CHECK": "The check of a stage, as JSON, where -f does not say it.",
    "DYNAMO_CONSISTENCY_MEMORY_LIMIT": "The memory that may be used, such as 2Gi. Without it, the container's limit or "
    "the machine's memory counts.",
    "NO_COLOR": "If it is set, nothing is coloured on a terminal. Elsewhere nothing ever is.",
}
EXIT_CODES = {
    "0": "The run is complete, whatever it found; or the command has done what it was asked for.",
    "1": "The run is invalid or failed, an approved run cannot act, or the output could not be written to its end.",
    "2": "The usage or the configuration is wrong; nothing was started.",
    "130": "It was interrupted; nothing half-written is left.",
    "141": "Whoever read the output has gone.",
}

PAGE_HEAD = """\
# The commands

Data goes to stdout; progress, logs and errors to stderr. `--help` of each command says what is here. `~` is the home
directory in every path, and `-f -` reads a check from stdin.

* **Output.** Where a command takes `--output`, `text` is for people: on a terminal it is as wide as that and has
  colours; in a pipe each row is a line, and nothing is cut. `json` and `csv` are for programs.
* **Kinds** of findings are called `missing`, `orphans`, `twins`, `mismatches`, `empty-directories` and `unmerged`. The
  names that they have in JSON and in file names are taken as well.
* **Runs.** Wherever the id of a run is asked for, so much of its beginning will do as no other run of the site has.

The wheel installs a manual page and completions for bash, zsh and fish:
[a comfortable command line](../how-to/command-line.md) says how to use them, and the schema of a check in an editor.
"""


def main() -> None:
    for file, text in generated().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def generated() -> dict[Path, str]:
    """Each file and what it should hold."""
    completions = {
        "bash": f"bash-completion/completions/{NAME}",
        "zsh": f"zsh/site-functions/_{NAME}",
        "fish": f"fish/vendor_completions.d/{NAME}.fish",
    }
    return {
        DOCS / "reference/commands.md": page(),
        SHARE / f"man/man1/{NAME}.1": manual(),
        SHARE / f"{NAME}/check.schema.json": json.dumps(json_schema(), indent=2) + "\n",
        **{SHARE / file: completion(shell) for shell, file in completions.items()},
    }


def completion(shell: str) -> str:
    complete = SHELLS[shell](command, {}, NAME, "_DYNAMO_CONSISTENCY_COMPLETE")
    return str(complete.source_template % complete.source_vars()).strip() + "\n"


def commands(
    one: click.Command = command, context: click.Context | None = None
) -> Iterator[tuple[click.Context, click.Command]]:
    """The command and all below it that are shown, each with its context; `history SITE` as `history`."""
    context = click.Context(one, info_name=NAME if context is None else one.name, parent=context)
    yield context, one
    for name, inner in sorted(getattr(one, "commands", {}).items()):
        if not inner.hidden or name == "show":
            yield from commands(inner, context)


def _path(context: click.Context) -> str:
    return context.command_path.removesuffix(" show")


def _usage(context: click.Context, one: click.Command) -> str:
    return " ".join([_path(context), *one.collect_usage_pieces(context)])


def _options(context: click.Context, one: click.Command) -> list[tuple[str, str]]:
    options = [option for option in one.get_params(context) if isinstance(option, click.Option)]
    records = [option.get_help_record(context) for option in options]
    return [record for record in records if record and "--help" not in record[0]]


def _paragraphs(one: click.Command) -> list[str]:
    return [" ".join(part.split()) for part in (one.help or "").replace("\b", "").split("\n\n")]


def page() -> str:
    parts = [PAGE_HEAD]
    for context, one in commands():
        parts.append(f"## {_path(context)}{' SITE [PATH]' if one.name == 'show' else ''}\n")
        parts.append(f"```text\n{_usage(context, one)}\n```\n")
        parts += [f"{_escaped(text)}\n" for text in _paragraphs(one)]
        if options := _options(context, one):
            rows = [f"| `{left.replace('|', chr(92) + '|')}` | {_escaped(right)} |" for left, right in options]
            parts.append("\n".join(["| option | |", "|---|---|", *rows]) + "\n")
    parts.append("## Environment\n\n| variable | |\n|---|---|\n" + "".join(_rows(ENVIRONMENT)))
    parts.append("## Exit codes\n\n| code | |\n|---|---|\n" + "".join(_rows(EXIT_CODES)))
    parts.append("[Exit codes and errors](exit-codes.md) says what to do about each.\n")
    return "\n".join(parts)


def _rows(table: dict[str, str]) -> Iterator[str]:
    return (f"| `{name}` | {text} |\n" for name, text in table.items())


def _escaped(text: str) -> str:
    return re.sub(r"([*_<>|])", r"\\\1", text)


def manual() -> str:
    lines = [f'.TH {NAME.upper()} 1 "" "{NAME}" "User commands"', ".SH NAME"]
    lines += [_roff(f"{NAME} - compare a storage site with its inventory"), ".SH SYNOPSIS"]
    lines += [".nf", *(_roff(_usage(*each)) for each in commands() if not hasattr(each[1], "commands")), ".fi"]
    for context, one in commands():
        top = context.parent is None
        lines += [".SH DESCRIPTION" if top else f".SH {_roff(_path(context).removeprefix(NAME + ' ')).upper()}"]
        for number, text in enumerate(_paragraphs(one)):
            lines += [*([".PP"] if number else []), _roff(text)]
        for left, right in _options(context, one):
            lines += [".TP", f"\\fB{_roff(left)}\\fR", _roff(right)]
    for title, table in (("ENVIRONMENT", ENVIRONMENT), ("EXIT STATUS", EXIT_CODES)):
        lines.append(f".SH {title}")
        for name, text in table.items():
            lines += [".TP", f"\\fB{_roff(name)}\\fR", _roff(text)]
    return "\n".join(lines) + "\n"


def _roff(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "\\[u2026]")
    return f"\\&{text}" if text[:1] in (".", "'") else text


if __name__ == "__main__":
    main()
