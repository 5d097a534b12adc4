"""Rows of an inventory dump whose RSE may be ours: they are not left out without a word."""

import pytest

from dynamo_consistency.backend.file.inventory import InventoryDump
from dynamo_consistency.backend.file.options import InventorySource
from dynamo_consistency.errors import BackendError


def rows(rse: str, path: str) -> str:
    return "\t".join([rse, "cms", path, "aa", "5", "2026-01-01 00:00:00", path, "", "A"]) + "\n"


@pytest.fixture
def paths(write):
    """The paths of T2_X in a dump of Rucio."""

    def read(text, **options):
        given = {"url": str(write("dump", text.encode())), "format": "rucio", **options}
        source = InventorySource.model_validate(given, by_alias=True)
        return [row["path"] for batch in InventoryDump(source, "T2_X").batches() for row in batch.to_pylist()]

    return read


@pytest.mark.parametrize("rse", ["T2_X ", " T2_X", "t2_x", "T2_x", "'T2_X'", "T2_X\u00a0", "", " ", "NULL", "null"])
def test_a_row_that_may_be_ours_is_refused(paths, rse):
    content = rows("T2_X", "/store/a") + rows(rse, "/store/b")
    for text in (content, content * 3):
        with pytest.raises(BackendError, match=r"may be T2_X or not|around its cells"):
            paths(text)
    if rse in ("T2_X ", " T2_X"):
        assert len(paths(content, trim=True)) == 2


def test_a_row_of_another_rse_is_left_out(paths):
    assert paths(rows("T2_X", "/store/a") + rows("T2_Y", "/store/b") + rows("T2_X_Tape", "/store/c")) == [b"/store/a"]


def test_an_option_in_another_case_than_the_dump_is_refused(paths):
    with pytest.raises(BackendError, match="may be t2_x or not"):
        paths(rows("T2_X", "/store/a"), rse="t2_x")
