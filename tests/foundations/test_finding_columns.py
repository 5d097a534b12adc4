"""The columns of a finding: what the files have is what the table and the documentation say."""

from pathlib import Path

import duckdb
import pytest

from dynamo_consistency.backend.contract import INVENTORY_COLUMNS
from dynamo_consistency.backend.optional_features import OF_FINDINGS
from dynamo_consistency.finding_columns import COLUMNS, UNMERGED_TYPE, select_list

PAGE = Path(__file__).parents[2] / "docs/reference/run-directory.md"


def test_the_documentation_shows_the_columns_in_their_order():
    rows = [
        f"| `{column.name}` | {column.type} | {column.unit} | {column.meaning} |"
        for column in (*COLUMNS, UNMERGED_TYPE)
    ]
    assert "\n".join(["|---|---|---|---|", *rows, ""]) in PAGE.read_text()


def test_a_selection_has_all_columns_with_their_types_whatever_it_gives():
    with duckdb.connect() as database:
        result = database.execute(
            f"DESCRIBE SELECT {select_list(path='x', mtime='7::BIGINT')} FROM (SELECT ''::BLOB AS x)"
        )
        assert [(row[0], row[1]) for row in result.fetchall()] == [(column.name, column.type) for column in COLUMNS]


def test_a_selection_of_what_is_no_column_is_refused():
    with pytest.raises(ValueError, match="no column checksum"):
        select_list(path="path", checksum="checksum")


def test_a_backend_may_use_no_name_that_findings_give_to_something_else():
    ours = {column.name for column in (*COLUMNS, UNMERGED_TYPE) if not column.of_inventory}
    assert ours == OF_FINDINGS
    assert {column.name for column in COLUMNS if column.of_inventory} <= set(INVENTORY_COLUMNS.names)
