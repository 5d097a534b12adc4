"""Package the chart as it is published, with its image: `python tools/release/chart.py NAME:TAG FOLDER`. Needs helm."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CHART = Path(__file__).parents[2] / "deploy/chart"
SHOWN = """\
annotations:
  artifacthub.io/images: |
    - name: dynamo-consistency
      image: {image}
"""


def package(image: str, folder: Path) -> None:
    """Values of the clone name an image that one builds there; these name the published one."""
    repository, _, tag = image.rpartition(":")
    with tempfile.TemporaryDirectory() as scratch:
        chart = Path(shutil.copytree(CHART, Path(scratch, CHART.name)))
        _change(chart / "values.yaml", r"^  repository: .*", f"  repository: {repository}")
        _change(chart / "values.yaml", r"^  tag: .*", f'  tag: "{tag}"')
        _change(chart / "Chart.yaml", r"^annotations:.*\n", SHOWN.format(image=image))
        subprocess.run(["helm", "package", str(chart), "--destination", str(folder)], check=True)  # noqa: S603, S607


def _change(file: Path, pattern: str, new: str) -> None:
    text, times = re.subn(pattern, new, file.read_text(), flags=re.MULTILINE)
    if times != 1:
        raise ValueError(f"{file.name} has {pattern} {times} times")
    file.write_text(text)


if __name__ == "__main__":
    package(sys.argv[1], Path(sys.argv[2]))
