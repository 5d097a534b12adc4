"""Blocks of commands: what is typed, and what is shown of it."""

import re
from dataclasses import dataclass, field
from itertools import pairwise

from fences import Fence
from scenes import RUN, Scene

TAIL = r"(?:.*\n)*?"


@dataclass
class Typed:
    """A command with its line on the page, and the lines that are shown below it. may_fail: `echo $?` follows."""

    line: int
    command: str
    shown: list[str] = field(default_factory=list)
    may_fail: bool = False

    def compare(self, output: str, scene: Scene) -> str:
        """What is printed and not shown, or the other way round; empty where all is well or nothing is shown."""
        if not self.shown or re.fullmatch("".join(map(_pattern, self.shown)), _plain(output, scene)):
            return ""
        return "it prints\n" + _plain(output, scene)


def commands(fence: Fence) -> list[Typed]:
    """Those of a block: in `console` behind `$ `, in `sh` each line."""
    found: list[Typed] = []
    for number, line in enumerate(fence.text.splitlines(), fence.line):
        if found and found[-1].command.endswith(("\\", "|")):
            found[-1].command += f"\n{line}"
        elif fence.language == "sh" or line.startswith("$ "):
            found.append(Typed(number, line.removeprefix("$ ")))
        else:
            assert found, f"{fence}: a block of console begins with a command, behind `$ `"
            found[-1].shown.append(line)
    for one, following in pairwise(found):
        one.may_fail = following.command == "echo $?"
    return [one for one in found if one.command.strip() and not one.command.startswith("#")]


def _pattern(line: str) -> str:
    """`…` alone is any lines, in a line any text; a run's id is any."""
    if line.strip() == "…":
        return TAIL
    parts = [r"\d{8}T\d{6}Z-[\w-]+".join(map(re.escape, _without_runs(part))) for part in line.split("…")]
    return ".*".join(parts).rstrip() + "\n"


def _without_runs(text: str) -> list[str]:
    return re.split(RUN.pattern.replace("(T", "(?:T"), text)


def _plain(output: str, scene: Scene) -> str:
    lines = output.replace(f"{scene.folder}/", "/").splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines)
