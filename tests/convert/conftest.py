"""The command `convert`, and configurations as its readers have them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import yaml

from dynamo_consistency.cli.entry import main


class Converted(NamedTuple):
    """What the command gave: its exit code, checks by their sites, and the lines on stderr."""

    code: int
    checks: dict[str, dict[str, Any]]
    notes: list[str]
    stdout: str

    def note(self, start: str) -> str:
        """The one line that begins so."""
        (line,) = [line for line in self.notes if line.startswith(start)]
        return line


@pytest.fixture
def command(capfd) -> Callable[..., Converted]:
    """Runs the command to its end, as a person would."""

    def run(*arguments: object) -> Converted:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        try:
            documents = [
                document for document in yaml.safe_load_all(out) if isinstance(document, dict) and "spec" in document
            ]
        except yaml.YAMLError:
            documents = []
        checks = {document["spec"]["site"]: document for document in documents}
        return Converted(int(end.value.code or 0), checks, err.splitlines(), out)

    return run


@pytest.fixture
def convert(command, tmp_path) -> Callable[..., Converted]:
    """convert("rce", text, …) writes the text to a file and converts it; all that comes out is valid."""

    def convert(kind: str, text: str, *more: object) -> Converted:
        file = tmp_path / ("config.json" if kind == "dynamo-consistency" else "config.yaml")
        file.write_text(text, encoding="utf-8")
        result = command("convert", kind, file, *more)
        if result.checks:
            output = tmp_path / "checks.yaml"
            output.write_text(result.stdout, encoding="utf-8")
            assert command("validate", "-f", output).code == 0
        return result

    return convert
