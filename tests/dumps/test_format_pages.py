"""Each page in docs/formats has a sample, how a check names it, and what is read of it; and so it is."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from fences import fences

from dynamo_consistency.backend.file.inventory import InventoryDump
from dynamo_consistency.backend.file.options import InventorySource
from dynamo_consistency.check import DumpSource
from dynamo_consistency.listers.dump import read_dump
from dynamo_consistency.listers.dump.ready_made import READY_MADE

PAGES = sorted((Path(__file__).parents[2] / "docs/formats").glob("*.md"))


def shown(path, size, seconds):
    """A row as the pages have it."""
    time = "unknown" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
    return (path.decode(), "unknown" if size is None else str(size), time)


def rows_of(given, url):
    """What the engine reads of a list, as rows of a page."""
    (use, options), *_ = given.items()
    model = InventorySource if use == "inventory" else DumpSource
    source = model.model_validate(options | {"url": url}, by_alias=True)
    batches = InventoryDump(source, "T2_X").batches() if use == "inventory" else read_dump(source).batches()
    return [shown(*row[:3]) for batch in batches for row in zip(*(c.to_pylist() for c in batch.columns), strict=True)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_sample_of_a_page_is_read_as_the_page_says(page, tmp_path):
    text = page.read_text(encoding="utf-8")
    sample, check = (block.text for block in fences(f"docs/formats/{page.name}"))
    given = yaml.safe_load(check)
    file = tmp_path / Path(next(iter(given.values()))["url"]).name
    file.write_text(sample, encoding="utf-8")
    table = re.findall(r"^\| `(.+?)` \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    assert table
    assert rows_of(given, str(file)) == table


def test_every_ready_made_format_has_a_page():
    assert {name for name in READY_MADE if name not in ("eos", "ral")} <= {page.stem for page in PAGES}
