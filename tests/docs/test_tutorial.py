"""What the tutorial tells people to type is typed here, in its order."""

import os
import re
import subprocess
import sys
from pathlib import Path

TUTORIAL = Path(__file__).parents[2] / "docs/tutorials/first-check.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_tutorial_does_what_it_says(tmp_path):
    text = TUTORIAL.read_text().replace("/tmp/site", str(tmp_path / "site"))  # noqa: S108
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    said = ""
    for language, block in FENCE.findall(text):
        if language == "yaml":
            (tmp_path / "check.yaml").write_text(block)
            continue
        done = subprocess.run(
            ["bash", "-ec", block], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{block}\n{done.stderr}"
        said += done.stdout
    table = {line.split()[0]: line.split()[1] for line in said.splitlines() if re.match(r"\w+ +\d+ ", line)}
    assert (table["missing"], table["mismatches"], table["orphans"]) == ("1", "1", "0")
