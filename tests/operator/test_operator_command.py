"""The operator's command where what the operator needs is not installed."""

import os
import subprocess

import pytest
from operator_command import COMMAND


@pytest.mark.parametrize("lacking", ["aiohttp", "kopf", "prometheus_client"])
def test_it_says_what_to_install(tmp_path, lacking):
    (tmp_path / f"{lacking}.py").write_text(f"raise ModuleNotFoundError('none', name='{lacking}')\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    assert subprocess.run([COMMAND, "--help"], env=environment, capture_output=True, check=False).returncode == 0
    ran = subprocess.run([COMMAND, "run"], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr == f"the operator needs {lacking}: pip install 'dynamo-consistency[operator]'\n"
