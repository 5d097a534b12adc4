"""The examples on the page about RSEs are whole: entries of backends.yaml, and checks that name them."""

import re
from pathlib import Path

import pytest

from dynamo_consistency.backend.backends_file import read as read_backends
from dynamo_consistency.checkfile import read_check

PAGE = Path(__file__).parents[2] / "docs/how-to/rucio-sites.md"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
ENTRIES = [block for block in BLOCKS if block.startswith("backends:")]
CHECKS = [block for block in BLOCKS if block.startswith("apiVersion:")]


def test_there_is_an_entry_for_each_check():
    assert len(ENTRIES) == len(CHECKS) == len(BLOCKS) / 2 == 2


@pytest.mark.parametrize(("entry", "check"), list(zip(ENTRIES, CHECKS, strict=True)))
def test_the_check_is_valid_and_its_backend_too(entry, check, tmp_path):
    (tmp_path / "backends.yaml").write_text(entry)
    (tmp_path / "check.yaml").write_text(check)
    assert read_check(tmp_path / "check.yaml").spec.backend in read_backends(tmp_path / "backends.yaml")
