"""`make demo` is the first command that people type: what it lacks is told, and a failed attempt spoils no other."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from wheel_building import REPOSITORY

OLD = "import sys; sys.version_info = (3, 9, 18); exec(sys.argv[1])"
STAND_IN = """#!/bin/sh
echo "$@" >> made
case "$1 $2" in
  "-m venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python;;
  "-c "*) exec {python} -c {program!r} "$2";;
esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    return tmp_path


def python(path: Path, program: str = "import sys; exec(sys.argv[1])") -> Path:
    """Writes down what it is asked for; that it makes an environment, and what it knows of its version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(STAND_IN.format(python=sys.executable, program=program))
    path.chmod(0o755)
    return path


def demo(clone: Path, interpreter: Path) -> subprocess.CompletedProcess[str]:
    command = ["make", "demo", f"PYTHON={interpreter}"]
    return subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)


def made(clone: Path) -> list[str]:
    return (clone / "made").read_text().splitlines()


def test_a_python_that_is_too_old_is_told_before_anything_is_made(clone):
    done = demo(clone, python(clone / "python3.9", OLD))
    assert done.returncode
    assert "Python 3.11 or newer is needed" in done.stderr
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize(
    "left", ["#!/bin/sh\necho 'No module named pip'; exit 1\n", None], ids=["no pip", "an old Python"]
)
def test_what_a_failed_attempt_has_left_is_made_anew(clone, left):
    python(clone / ".venv/bin/python", OLD)
    if left:
        (clone / ".venv/bin/python").write_text(left)
    done = demo(clone, python(clone / "python3.12"))
    assert done.returncode == 0, done.stderr
    assert "-m venv --clear .venv" in made(clone)
    assert made(clone)[-1] == "examples/demo/demo.py"


def test_an_environment_that_is_whole_is_kept(clone):
    python(clone / ".venv/bin/python")
    assert demo(clone, python(clone / "python3.12")).returncode == 0
    assert not [asked for asked in made(clone) if "venv" in asked]


def test_who_breaks_the_demo_off_sees_no_traceback(tmp_path):
    process = subprocess.Popen(
        [sys.executable, REPOSITORY / "examples/demo/demo.py"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout
    assert "an inventory" in process.stdout.readline() + process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in said, said
