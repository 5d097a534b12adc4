"""The commands and options of kubectl in `tests/docs/grammar.py`, which the pages use, are those of the real one."""

import re
import subprocess

import pytest
from cluster.programs import program
from grammar import KUBECTL, options


@pytest.mark.parametrize("command", KUBECTL)
def test_kubectl_has_the_command_with_its_options(command: str) -> None:
    arguments = [*command.split(), "--help"] if command else ["options"]
    told = subprocess.run([program("kubectl"), *arguments], capture_output=True, text=True, check=True).stdout
    assert f"kubectl {command}".rstrip() in told or not command
    known = set(re.findall(r"^\s+(?:-\w, )?(--[\w-]+)=", told, re.MULTILINE))
    assert set(options(KUBECTL[command])) <= known
