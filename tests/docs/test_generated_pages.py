"""What derives from the command line is as the commands are: its page, the manual, completions, the schema."""

import json
import os
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import click
import jsonschema
import pytest
import yaml

from dynamo_consistency.cli.entry import command
from dynamo_consistency.errors import ConsistencyError

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("dynamo-consistency")


def generator():
    return SimpleNamespace(**runpy.run_path(str(ROOT / "docs/generate_command_line.py")))


GENERATED = generator().generated()


@pytest.mark.parametrize("file", GENERATED, ids=lambda file: file.name)
def test_what_is_generated_from_the_commands_is_up_to_date(file):
    assert file.read_text() == GENERATED[file], "run `make command-line`"


def test_the_page_on_exit_codes_has_each_code_once():
    page = (ROOT / "docs/reference/exit-codes.md").read_text()
    codes = re.findall(r"^\| (\d+) \|", page, re.MULTILINE)
    assert codes == list(generator().EXIT_CODES)
    assert {str(error.exit_code) for error in (ConsistencyError, *ConsistencyError.__subclasses__())} <= set(codes)


COMMANDS = """
    run -f --backends --store --output
    stage snapshot --run-dir
    stage listing --run-dir
    stage comparison --run-dir
    stage action --run-dir
    findings SITE --run --kind --format
    history show SITE PATH
    inventory init
    inventory import
    inventory export
    site list
    validate -f
"""
"""What others rest on: commands, arguments and options that keep their names."""


@pytest.mark.parametrize("line", COMMANDS.strip().splitlines(), ids=str.strip)
def test_commands_and_options_keep_their_names(line):
    found: click.Command = command
    for word in line.split():
        inner = getattr(found, "commands", {})
        if word in inner:
            found = inner[word]
        else:
            names = {name for parameter in found.params for name in (*parameter.opts, parameter.human_readable_name)}
            assert word in names | {name.upper() for name in names}


def test_the_wheel_installs_what_is_in_share():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert build["shared-data"] == {"share": "share"}


def everything(one: click.Command = command):
    yield one
    for inner in getattr(one, "commands", {}).values():
        yield from everything(inner)


@pytest.mark.parametrize("one", list(everything()), ids=lambda one: one.name)
def test_help_is_whole_sentences(one):
    texts = [one.help, *(option.help for option in one.params if isinstance(option, click.Option))]
    for text in texts:
        assert text
        assert re.match(r"[A-Z]", text), text
        assert text.rstrip().endswith((".", "check.schema.json")), text
    assert "..." not in one.get_help(click.Context(one, info_name="x")).partition("\n")[2], "nothing is cut off"


def complete(*words: str, **environment: str) -> list[str]:
    """What bash is told that may stand in the place of the last word."""
    asked = {
        "_DYNAMO_CONSISTENCY_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("dynamo-consistency", *words)),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run([COMMAND], env=os.environ | asked | environment, capture_output=True, text=True, check=False)
    return [line.partition(",")[2] for line in done.stdout.split()]


def test_a_shell_completes_commands_kinds_sites_and_runs(tmp_path):
    for run in ("20261122T030000Z-t2-x", "20261129T030000Z-t2-x"):
        folder = tmp_path / "T2_X" / run
        folder.mkdir(parents=True)
        (folder / "check.yaml").write_text("")
    store = {"DYNAMO_CONSISTENCY_STORE": str(tmp_path)}
    assert complete("hi") == ["history"]
    assert complete("findings", "T2_X", "--kind", "m") == ["missing", "mismatches"]
    assert complete("findings", "T", **store) == ["T2_X"]
    assert complete("history", "T", **store) == ["T2_X"]
    assert complete("findings", "T2_X", "--run", "202611", **store) == [
        "20261122T030000Z-t2-x",
        "20261129T030000Z-t2-x",
    ]
    assert complete("findings", "T", DYNAMO_CONSISTENCY_STORE="/nowhere") == []


def test_the_schema_takes_a_full_check_and_marks_what_is_wrong():
    printed = subprocess.run([COMMAND, "schema"], capture_output=True, text=True, check=True).stdout
    schema = jsonschema.Draft202012Validator(json.loads(printed))
    check = yaml.safe_load((ROOT / "tests/check/full_check.yaml").read_text())
    assert [error.message for error in schema.iter_errors(check)] == []
    check["spec"]["policy"]["missing"]["mode"] = "enforce"
    check["spec"]["policy"]["orphan"] = {}
    check["metadata"]["name"] = "T2_X"
    wrong = {tuple(error.path) for error in schema.iter_errors(check)}
    assert wrong == {("spec", "policy", "missing", "mode"), ("spec", "policy"), ("metadata", "name")}
    assert "must be small letters" in printed
