"""The pages of storage systems: each has what it promises, and its ready check is valid and opens its lister."""

import re
from pathlib import Path

import pytest
from fences import of_language

from dynamo_consistency.checkfile import read_checks
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.protocols import listers_of

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted((DOCS / "storage").glob("*.md"))
HEADINGS = ["Doors", "Dumps", "Known traps", "A ready check"]


def test_every_page_is_named_and_none_else():
    named = re.findall(r"\(storage/(\w+)\.md\)", (DOCS / "storage-systems.md").read_text(encoding="utf-8"))
    assert sorted(named) == [page.stem for page in PAGES]
    assert set(named) == {"dcache", "eos", "storm", "xrootd", "ceph", "s3", "lustre"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_doors_dumps_traps_and_a_check_that_is_valid(page, tmp_path, monkeypatch):
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    (ready,) = of_language(f"docs/storage/{page.name}", "yaml")
    (tmp_path / "check.yaml").write_text(ready.text, encoding="utf-8")
    (check,) = read_checks(tmp_path / "check.yaml")
    policy = check.spec.policy
    assert {each.mode for each in policy.of_kinds.values()} == {"Report"}
    constructor, (arguments,) = listers_of(check.spec.site, check.spec.listing.source)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "no-key-that-anybody-has")
    try:
        constructor(*arguments)
    except ListingError as error:
        assert "not mounted" in str(error)  # noqa: PT017 (only a mount may be lacking)
