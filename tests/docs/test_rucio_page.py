"""The examples on the page about RSEs are whole: entries of backends.yaml, and checks that name them."""

import pytest
from fences import of_language

from dynamo_consistency.backend.backends_file import read as read_backends
from dynamo_consistency.checkfile import read_check

BLOCKS = [block.text for block in of_language("docs/how-to/rucio-sites.md", "yaml")]
ENTRIES = [block for block in BLOCKS if block.startswith("backends:")]
CHECKS = [block for block in BLOCKS if block.startswith("apiVersion:")]


def test_there_is_an_entry_for_each_check():
    assert len(ENTRIES) == len(CHECKS) == len(BLOCKS) / 2 == 2


@pytest.mark.parametrize(("entry", "check"), list(zip(ENTRIES, CHECKS, strict=True)))
def test_the_check_names_its_backend(entry, check, tmp_path):
    (tmp_path / "backends.yaml").write_text(entry)
    (tmp_path / "check.yaml").write_text(check)
    assert read_check(tmp_path / "check.yaml").spec.backend in read_backends(tmp_path / "backends.yaml")
