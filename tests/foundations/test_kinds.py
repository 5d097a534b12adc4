"""The table of the kinds of finding: what each row promises to the rest of the project."""

from dataclasses import replace
from unittest import mock

import pytest

from dynamo_consistency import kinds
from dynamo_consistency.check import Policy
from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.finding_columns import COLUMNS
from dynamo_consistency.kinds import ACTED_ON_KINDS, COMPARED_KINDS, FINDING_KINDS, ORPHAN, UNMERGED
from dynamo_consistency.run.action import requests


@pytest.mark.parametrize("name", ["name", "file_name", "list_file", "list_artifact"])
def test_no_two_kinds_share_a_name(name):
    assert len({getattr(kind, name) for kind in FINDING_KINDS}) == len(FINDING_KINDS)


def test_only_a_kind_whose_sizes_mean_something_counts_bytes():
    assert {kind.name for kind in FINDING_KINDS if kind.bytes_name} == {
        kind.name for kind in FINDING_KINDS if kind.size_column
    }


def test_every_kind_of_the_comparison_that_is_acted_on_has_a_policy_in_the_check_and_no_other():
    assert set(Policy().of_kinds) == {kind.name for kind in ACTED_ON_KINDS} - {UNMERGED.name}


def test_what_repairs_is_requested_before_what_removes_and_the_unmerged_area_comes_last():
    requested = [kind.request for kind in ACTED_ON_KINDS]
    assert requested == sorted(requested, reverse=True) == ["transfer"] * 2 + ["delete"] * 3
    assert ACTED_ON_KINDS[-1] is UNMERGED
    assert UNMERGED not in COMPARED_KINDS


def test_the_columns_that_a_kind_names_are_columns_of_a_finding():
    columns = {column.name for column in COLUMNS}
    for kind in FINDING_KINDS:
        named = {*kind.same_columns, *kind.shown_columns.values(), *([kind.size_column] if kind.size_column else [])}
        assert named <= columns


def test_whatever_may_be_deleted_is_confirmed_by_the_same_file_and_not_by_its_name_alone():
    deleted = [kind for kind in ACTED_ON_KINDS if kind.request == "delete" and kind.contents != "directories"]
    assert all({"site_size", "mtime"} <= set(kind.same_columns) for kind in deleted)


def test_a_kind_without_a_request_reaches_no_registry(monkeypatch):
    monkeypatch.setattr(requests, "KIND_BY_NAME", {ORPHAN.name: replace(ORPHAN, request=None)})
    registry = mock.Mock()
    with pytest.raises(ConsistencyError, match="orphans are only reported"):
        requests.request(registry, "T2_Test", ORPHAN.name, [b"/store/f"])
    assert registry.mock_calls == []


@pytest.mark.parametrize(("number", "word"), [(0, "orphans"), (1, "orphan"), (2, "orphans")])
def test_one_is_singular(number, word):
    assert kinds.ORPHAN.word_for(number) == word
