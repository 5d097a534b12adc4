"""Command lines of programs that the pages call and the tests do not run: their commands, options and arguments.

A command is a line: its words, then its options (`--name=` takes a value), then `…` where arguments follow.
`tests/e2e` compares what is here of kubectl with the real one.
"""

from dataclasses import dataclass, field
from typing import Any

import click
from stand_ins import Refused

KUBECTL = {
    "": "-n,--namespace= --context= --kubeconfig= --as=",
    "annotate": "--overwrite --field-manager= …",
    "apply": "-f,--filename= -k,--kustomize= --server-side --force-conflicts",
    "auth can-i": "--list …",
    "config set-context": "--current …",
    "cp": "…",
    "create secret generic": "--from-file= …",
    "delete": "-f,--filename= -k,--kustomize= -l,--selector= --now …",
    "describe": "…",
    "exec": "…",
    "explain": "…",
    "get": "-A,--all-namespaces -o,--output= -w,--watch --raw= -l,--selector= …",
    "label": "--overwrite …",
    "logs": "…",
    "patch": "--type= -p,--patch= --patch-file= …",
    "port-forward": "…",
    "rollout status": "--timeout= …",
    "wait": "--for= --timeout= --all …",
}
HELM = {
    "": "-n,--namespace=",
    "install": "--version= --create-namespace --set= -f,--values= --skip-crds --take-ownership …",
    "package": "--version= …",
    "push": "…",
    "rollback": "…",
    "show crds": "--version= …",
    "show values": "--version= …",
    "template": "--set= -f,--values= …",
    "test": "…",
    "uninstall": "…",
    "upgrade": "--version= --set= -f,--values= --reset-then-reuse-values …",
}
COSIGN = {"": "", "verify": "--key= …", "verify-attestation": "--key= --type= …"}
PODMAN = {"": "", "push": "…", "save": "-q,--quiet …"}


@dataclass(frozen=True)
class Line:
    """What a program is told: a command of it, the command's options and arguments, and what is behind `--`."""

    command: str
    options: dict[str, Any]
    rest: list[str]
    behind: list[str] = field(default_factory=list)

    def one(self, name: str) -> str | None:
        """The value of an option that may be there once."""
        values = self.options.get(name) or [None]
        return values[-1]


class Grammar:
    """What a program understands."""

    def __init__(self, program: str, commands: dict[str, str]) -> None:
        self.commands = commands
        everywhere = commands[""]
        self._group = click.Group(program, params=_parameters(everywhere))
        for command, words in commands.items():
            *outer, last = command.split() or [""]
            if last:
                _group(self._group, outer).add_command(
                    click.Command(last, params=_parameters(f"{everywhere} {words}"), callback=_callback(command))
                )

    def read(self, arguments: list[str]) -> Line:
        at = arguments.index("--") if "--" in arguments else len(arguments)
        try:
            line: Line = self._group.main(arguments[:at], self._group.name, standalone_mode=False)
        except click.ClickException as error:
            raise Refused(f"{error.format_message()} (tests/docs/grammar.py has what the pages use)") from None
        return Line(line.command, line.options, line.rest, arguments[at + 1 :])


def options(words: str) -> list[str]:
    """The long names in the words of a command."""
    return [word.rstrip("=").split(",")[-1] for word in words.split() if word != "…"]


def _group(group: click.Group, path: list[str]) -> click.Group:
    for name in path:
        if name not in group.commands:
            group.add_command(click.Group(name))
        inner = group.commands[name]
        assert isinstance(inner, click.Group)
        group = inner
    return group


def _parameters(words: str) -> list[click.Parameter]:
    return [
        click.Argument(["rest"], nargs=-1)
        if word == "…"
        else click.Option(
            word.rstrip("=").split(","), multiple=word.endswith("="), is_flag=None if word.endswith("=") else True
        )
        for word in words.split()
    ]


def _callback(command: str) -> Any:
    def read(rest: tuple[str, ...] = (), **given: Any) -> Line:
        before = click.get_current_context().find_root().params
        given = {name: value or before.get(name) for name, value in given.items()}
        return Line(command, {name: value for name, value in given.items() if value}, list(rest))

    return read
