"""What the pages for those who come from a predecessor show is what the command does."""

import re
import shlex
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("page", "file"),
    [("coming-from-rce.md", "rce.yaml"), ("coming-from-dynamo-consistency.md", "consistency_config.json")],
)
def test_the_page_shows_what_the_command_says(command, tmp_path, monkeypatch, page, file):
    monkeypatch.chdir(tmp_path)
    blocks = FENCE.findall((PAGES / page).read_text(encoding="utf-8"))
    (tmp_path / file).write_text(blocks[0][1], encoding="utf-8")
    shown = [block for language, block in blocks if language == "console"]
    assert len(shown) == 2
    for block in shown:
        line, *expected = block.splitlines()
        program, *arguments = shlex.split(line.removeprefix("$ "))
        result = command(*arguments)
        assert program == "dynamo-consistency"
        assert [*result.stdout.splitlines(), *result.notes] == expected
        assert result.code == 0
