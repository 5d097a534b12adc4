"""Every file of the repository that a page names is there."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGES = [
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]
NAMED = re.compile(r"`((?:\.ci|benchmarks|crds|deploy|docs|dynamo_consistency|examples|operator|tests)/[\w./-]+)`")
TO_BE_WRITTEN = re.compile(r"^New file `\S+`:$|\btests/NAME\b", re.MULTILINE)
"""What a page tells its reader to make."""


def paths_named_on(page: Path) -> list[str]:
    return NAMED.findall(TO_BE_WRITTEN.sub("", page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_file_that_a_page_names_is_there(page):
    assert [name for name in paths_named_on(page) if not (REPOSITORY / name).exists()] == []


def test_the_page_on_the_architecture_names_its_files_by_their_paths():
    assert len(paths_named_on(REPOSITORY / "docs/explanation/architecture.md")) > 40
